"""Champion against challenger: what both models predicted for the same pictures, and whether the challenger is worse.

Exact McNemar test: Dietterich: Approximate Statistical Tests for Comparing Supervised Classification Learning
Algorithms (Neural Computation, 1998), with the binomial distribution in place of its approximation.
"""

from math import comb
from typing import Literal, TypedDict

SetName = Literal["mnist_test", "held_out", "no_digits"]
Outcome = Literal["better", "equal", "worse"]
SIGNIFICANT = 0.05  # the p below which a difference is taken for real
SMALLEST_P = 0.001  # in words
MAX_MORE_ERRORS = 0.10  # on MNIST's test digits, as a share of the champion's errors
MAX_MISREAD, MIN_HELD_OUT = 0.15, 20  # share of the held-out corrections above that of MNIST's; if there are enough
TITLES: dict[SetName, str] = {
    "mnist_test": "MNIST's test digits",
    "held_out": "the held-out corrections",
    "no_digits": "the pictures of no digit",
}


class ExamplePicture(TypedDict, total=False):
    """One of these: an index into MNIST's test set, a correction's ID, or a PNG data URL."""

    index: int
    correction: int
    picture: str


class Example(ExamplePicture):
    """A picture that one model predicted correctly and the other did not. Label 10 is no digit."""

    label: int
    champion: int
    champion_confidence: float
    challenger: int
    challenger_confidence: float


class SetResult(TypedDict):
    """The counts of one set of pictures, and examples of the two kinds in which the models differ.

    A digit is right if the model predicts its label; a picture of no digit, if the model calls it uncertain.
    """

    name: SetName
    count: int
    both_right: int
    fixed: int  # only the challenger is right
    broken: int  # only the champion is right
    both_wrong: int
    p: float  # exact McNemar, two-sided
    fixed_examples: list[Example]
    broken_examples: list[Example]


def mcnemar(fixed: int, broken: int) -> float:
    """Return the two-sided p of the exact McNemar test: how likely so uneven a split is if both models are equal."""
    pairs = fixed + broken
    tail = sum(comb(pairs, k) for k in range(min(fixed, broken) + 1))
    return min(1.0, 2 * tail / 2**pairs)


def outcome(one: SetResult) -> Outcome:
    """Return whether the challenger is significantly better or worse on a set, or neither."""
    if one["p"] >= SIGNIFICANT:
        return "equal"
    return "better" if one["fixed"] > one["broken"] else "worse"


def error_share(one: SetResult) -> float:
    """Return the share of a set that the challenger gets wrong."""
    return (one["broken"] + one["both_wrong"]) / max(one["count"], 1)


def objections(results: list[SetResult]) -> list[str]:
    """Return, in words, why the challenger must not replace the champion; nothing if it may.

    It must not be significantly worse on any set, nor misread more than 10 % more of MNIST's test digits, which a test
    of significance alone would let through a little at a time. If it has learned the corrections and still misreads
    many of those that are held out, these carry wrong labels, and so do those that it has learned.
    """
    found = []
    usual = sum(error_share(one) for one in results if one["name"] == "mnist_test")
    for one in results:
        title = TITLES[one["name"]]
        if outcome(one) == "worse":
            p = f"p = {one['p']:.2g}" if one["p"] >= SMALLEST_P else f"p < {SMALLEST_P}"
            found.append(f"It is significantly worse on {title} ({p}).")
        before, after = one["fixed"] + one["both_wrong"], one["broken"] + one["both_wrong"]
        if one["name"] == "mnist_test" and after > before * (1 + MAX_MORE_ERRORS):
            found.append(f"It misreads {after} of {title}, the model in service {before}.")
        is_judging = one["name"] == "held_out" and one["count"] >= MIN_HELD_OUT
        if is_judging and error_share(one) > usual + MAX_MISREAD:
            found.append(
                f"It misreads {after} of {one['count']} held-out corrections. Review them: labels may be wrong."
            )
    return found
