from django.apps import AppConfig


class TrainingConfig(AppConfig):
    name = "training"
    verbose_name = "Training"

    def ready(self) -> None:
        from recognition import deletion
        from training.history.deletion import reasons_in_runs

        deletion.rules.append(reasons_in_runs)
