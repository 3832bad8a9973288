"""What the history of the shipped model says: it changes when the model is trained again."""

import json

from training import shipping

RUN = json.loads(shipping.RUN_FILE.read_text())
SHIPPED_EPOCHS = len(RUN["epochs"])
SHIPPED_ACCURACY = f"{RUN['test_accuracy']:.2%}"
