"""The ways of training that `benchmarks.training` compares, one at a time: ``python -m benchmarks.support.ways WAY``.

`flask`: as the Flask application did it (float64 arrays, Keras' `fit`, ReLU before the pooling, a callback on every
batch), without oneDNN. `flask-onednn`: the same with oneDNN, which TensorFlow switches on by itself, but only for
processors with AVX512_VNNI and newer ones. `pytorch`: the same training in PyTorch, tuned. `product`: web server,
worker, Redis and training process, with a WebSocket and an event stream watching; with TRAINING_SPARE_SECONDS=0 no
spare waits for the run. `floor`: the layers' multiplications at the rate of one big matrix product, a bound for direct
convolutions. The last line is a measurement as JSON.
"""

import argparse
import json
import math
import os
import tempfile
import threading
import time
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.support.common import ROOT, cpu_seconds
from training.learner import dataset
from training.learner.presets import DECAY, DECAY_BATCHES, PRESETS

ORIGINAL = PRESETS["original"]
Task = argparse.Namespace
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "2", "CUDA_VISIBLE_DEVICES": "-1", "KERAS_BACKEND": "tensorflow"}


def digits(part: str, count: int | None = None) -> dataset.Digits:
    return dataset.load(ROOT / "training" / "data" / "mnist", part)[slice(count)]


def clocks() -> tuple[float, float]:
    """Wall and CPU seconds."""
    return time.perf_counter(), time.process_time()


def between(times: list[tuple[float, float]]) -> list[dict[str, float]]:
    """What passed in each epoch; `times` holds the clocks at the start and at the end of every one."""
    pairs = zip(times[::2], times[1::2], strict=True)
    return [{"wall": end[0] - began[0], "cpu": end[1] - began[1]} for began, end in pairs]


def flask(task: Task, onednn: bool = False) -> dict[str, Any]:
    os.environ |= QUIET | {"TF_ENABLE_ONEDNN_OPTS": str(int(onednn))}
    import keras
    from keras import layers

    from training.learner import network

    keras.utils.set_random_seed(task.seed)
    training, test = digits("train", task.digits), digits("t10k")
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            *(layers.Conv2D(32, 5, activation="relu"), layers.MaxPooling2D(2)),
            *(layers.Conv2D(64, 5, activation="relu"), layers.MaxPooling2D(2)),
            *(layers.Flatten(), layers.Dense(128, activation="relu")),
            *(layers.Dropout(ORIGINAL.dropout), layers.Dense(10, activation="softmax")),
        ]
    )
    optimizer = keras.optimizers.Adam(network.staircase(ORIGINAL.learning_rate))
    model.compile(optimizer=optimizer, loss="categorical_crossentropy", metrics=["accuracy"])
    times: list[tuple[float, float]] = []
    watch = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: times.append(clocks()),
        on_train_batch_end=lambda batch, logs: None,
        on_epoch_end=lambda epoch, logs: times.append(clocks()),
    )
    images, targets = training.images.astype(np.float64), np.eye(10)[training.labels]
    sizes = {"batch_size": ORIGINAL.batch_size, "epochs": task.epochs}
    model.fit(images, targets, **sizes, verbose=0, callbacks=[watch])
    right = model.predict(test.images, batch_size=500, verbose=0).argmax(axis=1) == test.labels
    return {"epochs": between(times), "accuracy": float(right.mean())}


def pytorch(task: Task) -> dict[str, Any]:
    """As fast as PyTorch does it here: channels last, ReLU after the pooling, all digits in memory, sums read late.

    Slower, measured: channels first, Adam with `fused`, `torch.compile`.
    """
    import torch
    from torch import nn

    torch.manual_seed(task.seed)
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    training, test = (
        (torch.from_numpy(one.images).permute(0, 3, 1, 2), torch.from_numpy(one.labels))
        for one in (digits("train", task.digits), digits("t10k"))
    )
    model = pytorch_network().to(memory_format=torch.channels_last)
    objective = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), ORIGINAL.learning_rate)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, DECAY_BATCHES, DECAY)
    times = []
    for _ in range(task.epochs):
        times.append(clocks())
        loss_sum, correct = torch.zeros(()), torch.zeros((), dtype=torch.int64)
        for rows in torch.randperm(task.digits).split(ORIGINAL.batch_size):
            labels = training[1][rows]
            answers = model(training[0][rows])
            loss = objective(answers, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            loss_sum += loss.detach() * len(rows)
            correct += (answers.detach().argmax(dim=1) == labels).sum()
        times.append(clocks())
    model.eval()
    with torch.inference_mode():
        right = torch.cat([model(part) for part in test[0].split(500)]).argmax(dim=1) == test[1]
    return {"epochs": between(times), "accuracy": float(right.float().mean())}


def pytorch_network() -> Any:
    from torch import nn

    return nn.Sequential(
        *(nn.Conv2d(1, 32, 5), nn.MaxPool2d(2), nn.ReLU()),
        *(nn.Conv2d(32, 64, 5), nn.MaxPool2d(2), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(1024, 128), nn.ReLU(), nn.Dropout(ORIGINAL.dropout), nn.Linear(128, 10)),
    )


def floor(task: Task) -> dict[str, Any]:
    """Forward, the gradient of the weights, and that of the input, which the first layer does not need."""
    from training.learner.child import TENSORFLOW_ENVIRONMENT

    os.environ |= TENSORFLOW_ENVIRONMENT
    import tensorflow as tf

    from training.learner import network

    work = [
        math.prod(layer.output.shape[1:-1]) * math.prod(layer.kernel.shape)
        for layer in network.build(ORIGINAL).layers
        if hasattr(layer, "kernel")
    ]
    operations, side, best = 2 * (3 * sum(work) - work[0]), 2048, math.inf
    left, right = (tf.random.uniform((side, side)) for _ in range(2))
    for _ in range(20):
        began = time.perf_counter()
        tf.linalg.matmul(left, right).numpy()
        best = min(best, time.perf_counter() - began)
    rate = 2 * side**3 / best
    return {"epochs": [{"wall": operations * task.digits / rate}], "gflop_per_second": rate / 1e9}


def product(task: Task) -> dict[str, Any]:
    import psutil
    from websockets.sync.client import connect

    from tests.support.stack import eventually, running, streamed

    with tempfile.TemporaryDirectory(prefix="digits-bench-") as folder, running(Path(folder)) as stack:
        eventually(lambda: " ready." in stack.log("worker"), 60, "the worker")
        if os.environ.get("TRAINING_SPARE_SECONDS") != "0":
            eventually(lambda: has_imported_tensorflow(stack.spare()), 60, "the spare training process")
        serving = [psutil.Process(process.pid) for process in stack.processes.values()]
        events: list[tuple[float, dict[str, Any], dict[str, float]]] = []
        with connect(stack.ws_url) as socket:
            requested = time.time()
            asked = {"preset": task.preset, "samples": task.digits, "epochs": task.epochs, "seed": task.seed}
            number = stack.train(**{name: value for name, value in asked.items() if value is not None})
            threading.Thread(target=lambda: list(streamed(stack.url)), daemon=True).start()
            for frame in socket:
                event, used = json.loads(frame), {}
                if event["type"] == "epoch" or event.get("phase") == "fitting":
                    child = stack.training_child()
                    family = [child, *child.children(recursive=True)]
                    used = {name: sum(map(cpu_seconds, some)) for name, some in (("cpu", family), ("serving", serving))}
                events.append((time.time(), event, used))
                if event["type"] in {"completed", "interrupted", "error"}:
                    break
        run = stack.ended(number)
    assert run["status"] == "completed", run["error"]
    samples = [used for _, _, used in events if used]
    batches = [at for at, event, _ in events if event["type"] == "batch"]
    epochs = [
        {"wall": epoch["seconds"], **{name: after[name] - before[name] for name in after}}
        for epoch, (before, after) in zip(run["epochs"], pairwise(samples), strict=True)
    ]
    start = next(event["time"] for _, event, _ in events if event["type"] == "batch") - requested
    gaps = [after - before for before, after in pairwise(batches)]
    return {
        "epochs": epochs, "accuracy": run["test_accuracy"], "request_to_end": events[-1][0] - requested,
        "request_to_first_batch": start, "median_gap": sorted(gaps)[len(gaps) // 2],
    }  # fmt: skip


def has_imported_tensorflow(spare: Any) -> bool:
    """Whether a spare training process waits for its run."""
    before = cpu_seconds(spare)
    time.sleep(0.5)
    waits = cpu_seconds(spare) - before < 0.02
    return waits and "tensorflow" in Path(f"/proc/{spare.pid}/maps").read_text()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("--digits", type=int, help="to train on; the preset's by default")
    parser.add_argument("--epochs", type=int, help="the preset's by default")
    parser.add_argument("--preset", default="original", help="of the product")
    parser.add_argument("--seed", type=int, default=0)
    task = parser.parse_args()
    if task.way != "product":
        task.digits, task.epochs = task.digits or ORIGINAL.samples, task.epochs or ORIGINAL.epochs
    found = WAYS[task.way](task)
    print(json.dumps({"digits": task.digits or PRESETS[task.preset].samples, **found}), flush=True)


WAYS = {
    "flask": flask,
    "flask-onednn": partial(flask, onednn=True),
    "pytorch": pytorch,
    "product": product,
    "floor": floor,
}
if __name__ == "__main__":
    main()
