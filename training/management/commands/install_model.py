"""manage.py install_model: register the shipped model and its run."""

from typing import Any

from django.core.management.base import BaseCommand

from training import shipping


class Command(BaseCommand):
    help = "Registers the shipped model and its run, and activates it if no model is in service. Safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        model = shipping.install()
        self.stdout.write(f"{model} ({model.percent} on the MNIST test set) is installed.")
