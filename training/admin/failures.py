"""What an operator can do about a failed run."""

HINTS = {
    "worker_lost": "Look for the worker in the logs. A machine that runs out of memory kills it. Then train again.",
    "timed_out": "Train with fewer epochs or samples, or raise RUN_SECONDS.",
    "diverged": "Train with a lower learning rate.",
    "dataset": "Install MNIST's files again: they are missing or altered.",
    "no_space": "Free disk space where the models are stored, then train again.",
    "storage_unavailable": "Check that the models' storage answers, then train again.",
    "export_mismatch": "Train again. If it recurs, check the versions of TensorFlow and ONNX.",
    "base_mismatch": "Put another model into service, then train again: the Keras file of this one is damaged.",
    "no_file": "Put another model into service, then train again: the Keras file of this one is missing.",
    "no_checkpoint": "Train from the beginning, with the same seed: the weights to go on from are missing or damaged.",
    "queue_unavailable": "Check that Redis answers, then train again.",
}
OTHER = "The log below says where it failed."


def hint_for(error_code: str) -> str:
    return HINTS.get(error_code, OTHER)
