"""Metrics of the way from a drawing to its answer."""

from prometheus_client import Counter, Histogram

_stages = Histogram(
    "digits_drawing_stage_seconds",
    "Seconds that a drawing spent in one stage: decode (bytes to picture), prepare (picture to 28x28), network.",
    ["stage"],
    buckets=(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25),
)
decode, prepare, network = (_stages.labels(stage) for stage in ("decode", "prepare", "network"))
confidence = Histogram(
    "digits_drawing_confidence_ratio",
    "Probability, 0 to 1, that the network gave to the digit it answered.",
    buckets=(0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999, 1.0),
)
_predictions = Counter(
    "digits_predictions",
    "Digits answered, alone or in a number, by the predicted digit and by uncertain: true or false.",
    ["digit", "uncertain"],
)
predictions = {
    (digit, uncertain): _predictions.labels(digit, str(uncertain).lower())
    for digit in range(10)
    for uncertain in (False, True)
}
_number_length = Histogram(
    "digits_number_length",
    "Digits of each number answered, by uncertain: true or false.",
    ["uncertain"],
    buckets=(1, 2, 3, 4, 5, 6, 8, 10, 15, 20),
)
number_length = {uncertain: _number_length.labels(str(uncertain).lower()) for uncertain in (False, True)}
corrections = Counter(
    "digits_corrections",
    "Corrections received, by source and by their state; `repeated` ones exist already.",
    ["source", "result"],
)
