"""The OpenAPI document: drf-spectacular's, with the errors and the security that each view implies."""

SPECTACULAR_SETTINGS = {
    "TITLE": "Digits",
    "VERSION": "1.0.0",
    "DESCRIPTION": "Predicts handwritten digits, and shows the training of its network live, also over the WebSocket "
    "`/ws/training/`. Every response carries `X-Request-ID`. An unsupported method gets 405 with `Allow`.",
    "TAGS": [
        {"name": "drawings", "description": "Predict the digits and numbers that drawings show."},
        {"name": "corrections", "description": "Tell the service what a drawing shows."},
        {"name": "training", "description": "Start, stop and follow training."},
        {"name": "runs", "description": "The history of training runs."},
        {"name": "models", "description": "The registry of models."},
        {"name": "documents", "description": "This document."},
    ],
    "OAS_VERSION": "3.1.0",  # its schemas are JSON Schema
    "POSTPROCESSING_HOOKS": ["training.api.schema.add_event_stream"],  # without drf-spectacular's, which moves enums
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "DISABLE_DOCSTRING_DESCRIPTIONS": True,  # they are for readers of the code
}
