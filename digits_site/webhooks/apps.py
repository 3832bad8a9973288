from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "digits_site.webhooks"
    verbose_name = "Webhooks"
