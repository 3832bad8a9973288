"""The types of events, and the test that one endpoint is sent on demand."""

EVENTS = {
    "run.completed": "a training run ended with a model",
    "run.interrupted": "a training run was stopped",
    "run.error": "a training run failed",
    "model.activated": "a model went into service",
    "correction.created": "a correction was sent",
}
TEST = "webhook.test"
