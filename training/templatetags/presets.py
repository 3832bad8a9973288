"""{% presets_json %}: what a run's page explains of each preset, as JSON."""

import json

from django import template

from training.learner.presets import PRESETS

register = template.Library()
EXPLAINED = ("dropout", "augmented")


@register.simple_tag
def presets_json() -> str:
    return json.dumps({name: {key: getattr(preset, key) for key in EXPLAINED} for name, preset in PRESETS.items()})
