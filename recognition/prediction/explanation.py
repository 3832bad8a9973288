"""Explain an answer by what would change it: a map of the evidence for a digit, and a small change to another digit.

The map is occlusion: Zeiler, Fergus: Visualizing and Understanding Convolutional Networks (ECCV 2014). Ink becomes
paper and, for strokes that are missing, paper becomes ink. The change is a counterfactual that is found greedily, as in
Martens, Provost: Explaining Data-Driven Document Classifications (MIS Quarterly, 2014).

Both only need the network's probabilities, so they work for every model. They say what this network's answer depends
on, not why a person would read the digit so, nor that the answer is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognition.errors import BlankDrawing
from recognition.imaging import Grid, preprocess
from recognition.imaging.preprocessing import FIELD
from recognition.prediction.calibration import EPSILON
from recognition.prediction.classifier import BATCH_SIZE, Classifier

PATCH, STRIDE = 4, 2  # pixels; of the sizes 1 to 7 these found the ink that matters best, in a third of stride 1's time
TOUCH = np.array([0.5, 1, 1, 0.5], np.float32)  # across a dot of a pen as wide as MNIST's
MAX_PATCHES = 20  # of a change, before single pixels are restored
RANKED_FOR = 4  # patches; then all patches are tried again, and not only those that helped most
MAX_ROUNDS = 3  # of restoring pixels

Floats = NDArray[np.float64]
Grids = NDArray[np.float32]  # [N, 28, 28]


def pen_dots() -> Grids:
    """Return a dot in each place of a field in which the patches lie."""
    corners = range(0, FIELD - PATCH + 1, STRIDE)
    dots = np.zeros((len(corners) ** 2, FIELD, FIELD), np.float32)
    for dot, (top, left) in zip(dots, ((top, left) for top in corners for left in corners), strict=True):
        dot[top : top + PATCH, left : left + PATCH] = np.outer(TOUCH, TOUCH)
    return dots


DOTS = pen_dots()
COVERED = DOTS > 0
PATCHES_OF_PIXEL = COVERED.sum(axis=0)


@dataclass(frozen=True)
class Change:
    """A picture that differs little and that the model predicts as another digit."""

    digit: int
    picture: Grid
    pixels: int  # how many differ


@dataclass(frozen=True)
class Explanation:
    """What speaks for and against a digit in a picture."""

    evidence: Floats  # [28, 28]: how far the digit's logit, less the mean of all ten, falls without this ink or paper
    change: Change | None  # None if none was found


@dataclass(frozen=True)
class Goal:
    """A prediction that a change is to reach."""

    model: Classifier
    digit: int
    is_other: bool  # any digit but this one

    def margins(self, probabilities: Floats) -> Floats:
        """Return for each row how far the goal is exceeded, in nats; negative while it is not reached."""
        own, rest = probabilities[:, self.digit], np.delete(probabilities, self.digit, axis=1).max(axis=1)
        lead: Floats = np.log(np.maximum(own, EPSILON)) - np.log(np.maximum(rest, EPSILON))
        return -lead if self.is_other else lead

    def margins_of(self, pictures: Sequence[Grid] | Grids) -> Floats:
        return self.margins(self.model.probabilities(pictures))

    def is_reached(self, picture: Grid) -> bool:
        """Whether the model predicts it, also after the picture is prepared once more, as one that is sent is."""
        with suppress(BlankDrawing):
            return bool(self.margins_of([picture, preprocess(to_levels(picture))]).min() > 0)
        return False


def explain(model: Classifier, picture: Grid, digit: int) -> Explanation:
    """Return what speaks for `digit` in a picture.

    The change is to `digit`, or to any other digit if the model predicts `digit` already.
    """
    picture = from_levels(to_levels(picture))  # as the API answers and takes it
    before, variants = probabilities_of_variants(model, picture)
    effects = centred_logit(before, digit) - centred_logit(variants, digit)
    of_ink, of_paper = (np.tensordot(part, COVERED, 1) / PATCHES_OF_PIXEL for part in np.split(effects, 2))
    goal = Goal(model, digit, is_other=int(before.argmax()) == digit)
    return Explanation(np.where(picture > 0, of_ink, of_paper), find_change(goal, picture, variants))


def probabilities_of_variants(model: Classifier, picture: Grid) -> tuple[Floats, Floats]:
    """Return the probabilities, [1, 10], of a picture, and those of `occlude` with each number, [2 * len(DOTS), 10]."""
    variants = occlude(picture, np.arange(2 * len(DOTS)))
    changed = np.flatnonzero((variants != picture).any(axis=(1, 2)))
    probabilities = model.probabilities(np.concatenate([picture[np.newaxis], variants[changed]]))
    of_variants = np.tile(probabilities[0], (len(variants), 1))
    of_variants[changed] = probabilities[1:]
    return probabilities[:1], of_variants


def to_levels(picture: Grid) -> NDArray[np.uint8]:
    return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def from_levels(levels: NDArray[np.uint8]) -> Grid:
    return levels.astype(np.float32) / np.float32(255)


def occlude(picture: Grid, numbers: NDArray[np.intp]) -> Grids:
    """Return the picture with one patch erased for each number or, from len(DOTS) on, with a dot in its place."""
    places, is_inked = numbers % len(DOTS), (numbers >= len(DOTS))[:, np.newaxis, np.newaxis]
    dots = from_levels(to_levels(DOTS[places]))
    occluded: Grids = np.where(is_inked, np.maximum(picture, dots), np.where(COVERED[places], np.float32(0), picture))
    return occluded


def centred_logit(probabilities: Floats, digit: int) -> Floats:
    """Return the logit of a digit less the mean of all ten, [N].

    Its log-odds would not do: where a change makes a digit of none, all digits but the predicted one become likelier.
    """
    logits = np.log(np.maximum(probabilities, EPSILON))
    centred: Floats = logits[:, digit] - logits.mean(axis=1)
    return centred


def find_change(goal: Goal, picture: Grid, variants: Floats) -> Change | None:
    """Apply the patch that helps most, again and again until the goal is reached, then restore what is not needed.

    Args:
        variants: probabilities of the picture's variants.
    """
    current, patches = picture, best_patches(goal, variants)
    for step in range(1, MAX_PATCHES + 1):
        options = occlude(current, patches)
        best = int(goal.margins_of(options).argmax())
        current, patches = options[best], np.delete(patches, best)
        if goal.is_reached(current):
            reduced = restore(goal, picture, current)
            digit = int(goal.model.probabilities([reduced]).argmax())
            return Change(digit, reduced, int((reduced != picture).sum()))
        if step % RANKED_FOR == 0:
            patches = best_patches(goal, probabilities_of_variants(goal.model, current)[1])
    return None


def best_patches(goal: Goal, variants: Floats) -> NDArray[np.intp]:
    """Return the numbers of the patches that alone help most."""
    return np.argsort(-goal.margins(variants))[:BATCH_SIZE]


def restore(goal: Goal, picture: Grid, changed: Grid) -> Grid:
    """Return the changed picture with as many pixels of the first one as the goal allows."""
    for _ in range(MAX_ROUNDS):
        pixels = np.flatnonzero(changed != picture)
        alone = [restored(changed, picture, pixels[k : k + 1]) for k in range(len(pixels))]
        order = pixels[np.argsort(-goal.margins_of(alone))]
        counts = np.unique(np.linspace(1, len(order), BATCH_SIZE, dtype=int))[::-1]
        options = [restored(changed, picture, order[:count]) for count in counts]
        margins = goal.margins_of(options)
        kept = (one for one, margin in zip(options, margins, strict=True) if margin > 0 and goal.is_reached(one))
        smaller = next(kept, None)
        if smaller is None:
            break
        changed = smaller
    return changed


def restored(changed: Grid, picture: Grid, pixels: NDArray[np.intp]) -> Grid:
    """Return the changed picture with the other one's levels at `pixels`, indices into the flat picture."""
    copy = changed.copy()
    copy.flat[pixels] = picture.flat[pixels]
    return copy
