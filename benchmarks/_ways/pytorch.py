"""The same training in PyTorch, tuned for a CPU, where PyTorch is installed: a yardstick, no part of the product.

Channels last, fused Adam, ReLU after the pooling, a thread for every core, subnormal numbers flushed as TensorFlow
does. It trains on the product's batches, and on nothing else: no news, no checkpoints, no readings of the loss.
"""

from __future__ import annotations

import importlib.util
from argparse import Namespace
from typing import Any

import numpy as np

from benchmarks._ways import common
from training.learner.presets import DECAY, DECAY_BATCHES
from training.learner.runtime import usable_cores

# Any, so that the types do not depend on whether it is installed.
torch: Any = importlib.import_module("torch") if importlib.util.find_spec("torch") else None


def build() -> Any:
    """[N, 1, 28, 28] -> [N, 10] logits."""
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 32, 5),
        torch.nn.MaxPool2d(2),
        torch.nn.ReLU(),
        torch.nn.Conv2d(32, 64, 5),
        torch.nn.MaxPool2d(2),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(1024, 128),
        torch.nn.ReLU(),
        torch.nn.Dropout(common.ORIGINAL.dropout),
        torch.nn.Linear(128, 10),
    ).to(memory_format=torch.channels_last)


def pictures(part: str, count: int | None = None) -> tuple[Any, Any]:
    """float32 [N, 1, 28, 28], laid out channels last, and their labels."""
    digits = common.digits(part, count)
    images = torch.from_numpy(digits.images.transpose(0, 3, 1, 2).copy())
    return images.contiguous(memory_format=torch.channels_last), torch.from_numpy(digits.labels)


class Training:
    """A model, its optimizer and how many batches they have behind them."""

    def __init__(self) -> None:
        self.model, self.batches = build(), 0
        self.optimizer = torch.optim.Adam(self.model.parameters(), common.ORIGINAL.learning_rate, fused=True)

    def epoch(self, images: Any, labels: Any, order: Any) -> None:
        for rows in order.split(common.ORIGINAL.batch_size):
            steps_down = self.batches // DECAY_BATCHES
            self.optimizer.param_groups[0]["lr"] = common.ORIGINAL.learning_rate * DECAY**steps_down
            self.optimizer.zero_grad(set_to_none=True)
            some = images[rows].contiguous(memory_format=torch.channels_last)
            torch.nn.functional.cross_entropy(self.model(some), labels[rows]).backward()
            self.optimizer.step()
            self.batches += 1


def measure(task: Namespace) -> dict[str, Any]:
    if torch is None:
        return {"missing": "torch is not installed"}
    torch.set_num_threads(usable_cores())
    torch.set_flush_denormal(True)
    torch.manual_seed(task.seed)
    count, epochs = common.digits_and_epochs(task)
    images, labels = pictures(common.TRAINING, count)
    training, seconds = Training(), []
    for epoch in range(1, epochs + 1):
        clock = common.Clock()
        order = np.random.default_rng((task.seed, epoch)).permutation(count)  # as in training.learner.epochs
        training.epoch(images, labels, torch.from_numpy(order))
        seconds.append(clock.read())
        common.say(f"epoch {epoch}: {seconds[-1]['wall']:.2f} s")
    training.model.eval()
    images, labels = pictures(common.TESTING)
    with torch.inference_mode():
        right = torch.cat([training.model(some).argmax(1) for some in images.split(500)]) == labels
    return {"digits": count, "epochs": seconds, "accuracy": float(right.float().mean())}
