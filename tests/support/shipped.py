"""What the history of the shipped model says: it changes when the model is trained again."""

import json

from training import shipping

HISTORY = json.loads(shipping.RUN_FILE.read_text())
SHIPPED_EPOCHS = len(HISTORY["epochs"])
SHIPPED_ACCURACY = f"{HISTORY['test_accuracy']:.2%}"
