"""Comparisons of two models as results of a run."""

from recognition.comparison import Example, SetName, SetResult, mcnemar


def compared(name: SetName, fixed: int, broken: int, both_right: int = 9900, both_wrong: int = 40) -> SetResult:
    """Return one set's result, with an example of each kind: MNIST's first digit, or a correction with ID 1."""
    picture: Example = {
        **({"correction": 1} if name == "held_out" else {"index": 0}),  # type: ignore[typeddict-item]
        "label": 7,
        "champion": 1,
        "champion_confidence": 0.6,
        "challenger": 7,
        "challenger_confidence": 0.9,
    }
    return {
        "name": name,
        "count": both_right + fixed + broken + both_wrong,
        "both_right": both_right,
        "fixed": fixed,
        "broken": broken,
        "both_wrong": both_wrong,
        "p": mcnemar(fixed, broken),
        "fixed_examples": [picture][:fixed],
        "broken_examples": [picture][:broken],
    }


BETTER = [compared("mnist_test", 9, 8), compared("held_out", 30, 2, 100, 5), compared("no_digits", 3, 3, 900, 94)]
WORSE = [compared("mnist_test", 2, 60), compared("held_out", 20, 1, 100, 5), compared("no_digits", 3, 3, 900, 94)]
