from django.apps import AppConfig


class RecognitionConfig(AppConfig):
    name = "recognition"

    def ready(self) -> None:
        from digits_site.web.health import register_check
        from recognition.classifier import is_available

        register_check("model", is_available)
