"""What tests run in a process of TensorFlow's own, and what a learner reports. Imports no Django, for that process."""

import threading
from dataclasses import replace
from typing import Any

import numpy as np

from training.learner.child import Learner
from training.learner.config import Base, Config, LearnerError
from training.learner.presets import PRESETS

DIGITS, OTHERS = 40, 24
Reports = list[dict[str, Any]]


def reports_of(learner: Learner, config: Config, last_epoch: int = 0) -> Reports:
    """Train to the end, which is a result, or stop after one of the epochs."""
    reports, stop = Reports(), threading.Event()

    def send(report: Any) -> None:
        reports.append(report)
        if report["type"] == "epoch" and report["epoch"] == last_epoch:
            stop.set()

    if result := learner(config, send, stop):
        send(result)
    return reports


def keras_reports(config: Config) -> Reports:
    from training.learner import trainer

    return reports_of(trainer.fit, config)


def refusals(config: Config) -> list[str]:
    """Codes of the errors for a loss that becomes NaN, and for an exported file whose answers are not the network's."""
    from training.learner import export, network, trainer

    codes = []
    try:
        trainer.fit(config, lambda report: None, threading.Event())
    except LearnerError as error:
        codes.append(error.code)
    model, digits = network.build(PRESETS["original"]), np.random.default_rng(0).random((4, 28, 28, 1), np.float32)
    try:
        export.export(model, config.model_file, digits, np.roll(model(digits).numpy(), 1, axis=1))
    except LearnerError as error:
        codes.append(error.code)
    return codes


def base_refusals(base: Base) -> list[str]:
    """Codes of the errors for a base model's Keras file that is torn, and for one with the weights of another model."""
    from training.learner import export, fine_tuning, network

    assert len(fine_tuning.load_weights(base)) == 8
    whole, codes = base.keras_file.read_bytes(), []
    export.save_weights(network.build(PRESETS["adapt"]), base.keras_file)
    for content in (base.keras_file.read_bytes(), whole[: len(whole) // 2], b""):
        base.keras_file.write_bytes(content)
        try:
            fine_tuning.load_weights(base)
        except LearnerError as error:
            codes.append(error.code)
    return codes


def measured(preset_name: str) -> dict[str, Any]:
    """Take one step on digits and pictures of no digit. With TensorFlow, so in a process of its own."""
    import keras
    import tensorflow as tf

    from training.learner import dataset, loop, measures, network

    preset = replace(PRESETS[preset_name], dropout=0.0)  # so that the step meets the answers that can be asked for
    keras.utils.set_random_seed(1)
    model = network.build(preset)
    model.layers[-1].bias.assign(np.eye(10, dtype=np.float32)[0])  # it answers 0, the argmax of uniform targets
    model.compile(optimizer=keras.optimizers.SGD(1.0))  # a step subtracts the gradient
    rng = np.random.default_rng(1)
    pictures = rng.random((DIGITS + OTHERS, 28, 28, 1), np.float32)
    labels = np.concatenate([np.arange(DIGITS) % 10, np.full(OTHERS, dataset.NO_DIGIT)])
    predict = network.compile_predict(model)
    answers = predict(pictures)
    held_back = dataset.Digits(pictures[:DIGITS], labels[:DIGITS])
    validated = measures.validate(predict, held_back)
    targets, before = dataset.TARGETS[labels], model.get_weights()
    with tf.GradientTape() as tape:
        loss = network.objective(preset)(targets, model(pictures, training=True))
    gradients = [gradient.numpy() for gradient in tape.gradient(loss, model.trainable_variables)]
    means = loop.means_of(network.compile_step(model, preset)(pictures, targets) * [len(labels), 1, 1, 1], len(labels))
    steps = [old - new for old, new in zip(before, model.get_weights(), strict=True)]
    found = {"answers": answers, "labels": labels, "means": means, "smoothing": preset.label_smoothing, **validated}
    return found | {"gradients": gradients, "steps": steps}


def weights_by_adam() -> list[Any]:
    """Weights after three steps on the same gradients, by the product's Adam and by Keras' own."""
    import keras
    import tensorflow as tf

    from training.learner import optimizers

    gradients, found = np.random.default_rng(1).normal(size=(3, 4)).astype(np.float32), []
    for optimizer in (optimizers.FusedAdam(0.1, beta_2=0.9), keras.optimizers.Adam(0.1, beta_2=0.9)):
        weights = keras.Variable(np.ones(4, np.float32))
        for gradient in gradients:
            optimizer.apply([tf.constant(gradient)], [weights])
        found.append(weights.numpy())
    return found


def step_by_muon(gradient: Any) -> Any:
    """What the first step at the rate 1 takes from a kernel before the output layer's."""
    import keras
    import tensorflow as tf

    from training.learner import optimizers

    weights = [keras.Variable(np.zeros(shape, np.float32)) for shape in (gradient.shape, (8, 10))]
    optimizers.Muon(1.0).apply([tf.constant(gradient), tf.ones((8, 10))], weights)
    np.testing.assert_allclose(weights[1].numpy(), -1, rtol=1e-3)  # the output layer's, by Adam
    return -weights[0].numpy()


def predictions_of(counts: list[int]) -> list[tuple[Any, Any]]:
    """For each number of pictures, what `compile_predict` answers and what the model does one by one."""
    from training.learner import network
    from training.learner.presets import PRESETS

    model = network.build(PRESETS["original"])
    predict = network.compile_predict(model)
    pictures = np.random.default_rng(1).random((max(counts), 28, 28, 1)).astype(np.float32)
    whole = np.asarray(model(pictures, training=False))
    return [(predict(pictures[:count]), whole[:count]) for count in counts]
