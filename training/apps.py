from django.apps import AppConfig


class TrainingConfig(AppConfig):
    name = "training"
    verbose_name = "Training"

    def ready(self) -> None:
        from digits_site.web.metrics_view import register_collector
        from training.metrics import collector

        register_collector(collector)
