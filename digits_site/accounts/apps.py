from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "digits_site.accounts"
    verbose_name = "Access"
