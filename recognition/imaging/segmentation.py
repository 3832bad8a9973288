"""Find the digit in an image: its bounding box, and which connected components belong to it.

Levels are 0..255, boxes are (left, top, right, bottom) in pixels.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recognition.errors import BlankDrawing
from recognition.imaging.polarity import OVERVIEW_SIDE, Levels, Mask, Span, binarize, subtract_background, to_grey

MIN_PAGE_SHARE = 0.3  # the least share of an image that a sheet of paper on a desk takes
MIN_PAGE_FILL = 0.8  # the least share of its box; more than an ellipse, so a digit with closed loops is no sheet
MAX_BLOCKS = 56  # components are told apart on a grid of at most this many blocks a side
STRAY_MASS = 0.02  # of the main component's mass: a lighter component is a dot, however near
STRAY_MASS_FAR = 0.4  # added to that for every length of the main component in distance
NEAR = 0.1  # distance, in lengths of the main component, that adds nothing
STRAIGHT = 0.9  # of a side's length: more is an edge or a ruled line, less may be a stroke
MIN_DIGIT_SHARE = 0.003  # of the image's area: less is no digit beside what surrounds it

Box = tuple[float, float, float, float]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Ink:
    """The ink of one image: where it is, and how to extract it at any scale."""

    grey: Image.Image  # mode L
    is_dark: bool  # the ink is darker than the background
    background: int | Image.Image  # its level or, in uneven light, a coarse map of it
    box: Box
    mask: Image.Image | None  # coarse mask (L) of the components that count, if some do not

    def resample(self, longer_side: float) -> Levels:
        """Return the ink inside the box, its longer side scaled to about `longer_side`, with a margin of 4 pixels."""
        left, top, right, bottom = self.box
        scale = longer_side / max(right - left, bottom - top)
        margin = 4 / scale
        width, height = self.grey.size
        box = (max(left - margin, 0), max(top - margin, 0), min(right + margin, width), min(bottom + margin, height))
        size = (max(round((box[2] - box[0]) * scale), 1), max(round((box[3] - box[1]) * scale), 1))
        patch = np.asarray(self.grey.resize(size, Image.Resampling.BILINEAR, box=box))
        background = self._resample_map(self.background, box, size, Image.Resampling.BILINEAR)
        ink = subtract_background(patch, self.is_dark, background)
        if self.mask is not None:
            ink = np.minimum(ink, self._resample_map(self.mask, box, size, Image.Resampling.NEAREST))
        return ink

    def _resample_map(
        self, coarse: int | Image.Image, box: Box, size: tuple[int, int], resampling: Image.Resampling
    ) -> Levels | int:
        """Return the part of a coarse map that lies over `box`, at `size`; a level stands for an even map."""
        if isinstance(coarse, int):
            return coarse
        across, down = coarse.width / self.grey.width, coarse.height / self.grey.height
        part = (box[0] * across, box[1] * down, box[2] * across, box[3] * down)
        return np.asarray(coarse.resize(size, resampling, box=part))


def find_ink(image: Image.Image) -> Ink:
    """Find the ink in an image of mode L, LA, RGB or RGBA. Raises BlankDrawing if there is none."""
    grey = to_grey(image)
    while True:
        factor = -(-max(grey.size) // OVERVIEW_SIDE)
        inked, is_dark, background = binarize(grey.reduce(factor) if factor > 1 else grey)
        box, mask = locate_digit(inked)
        if is_sheet(inked, box):
            try:
                return find_ink(grey.crop(inside_of_sheet(box, factor)))
            except BlankDrawing:
                pass  # a blot, with nothing on it
        if factor == 1 or max(box[2] - box[0], box[3] - box[1]) >= OVERVIEW_SIDE // 5:
            break
        grey = grey.crop(with_surroundings(box, factor, grey.size))  # a small digit in a large image: look closer
    left, top, right, bottom = (side * factor for side in box)
    speck_size = min(max(0.02 * max(image.size), 3), 16)
    if max(right - left, bottom - top) < speck_size:
        raise BlankDrawing
    return Ink(grey, is_dark, background, (left, top, right, bottom), mask)


def is_sheet(inked: Mask, box: Span) -> bool:
    """Whether the found ink is the paper itself, on a desk or in a frame, with the digit as holes in it."""
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    if width * height < MIN_PAGE_SHARE * inked.size or min(width, height) < max(width, height) / 2:
        return False
    return int(np.count_nonzero(inked[top:bottom, left:right])) > MIN_PAGE_FILL * width * height


def inside_of_sheet(box: Span, factor: int) -> Span:
    """Return a sheet's box without its edge, in the pixels of the whole image."""
    edge = max((box[2] - box[0]) * 3 // 100, 2)
    left, top, right, bottom = box
    return (left + edge) * factor, (top + edge) * factor, (right - edge) * factor, (bottom - edge) * factor


def with_surroundings(box: Span, factor: int, size: tuple[int, int]) -> Span:
    """Return a box with enough background on all sides, in the pixels of the whole image of `size`."""
    room = max(box[2] - box[0], box[3] - box[1]) // 2 + 4
    left, top = max(box[0] - room, 0) * factor, max(box[1] - room, 0) * factor
    return left, top, min((box[2] + room) * factor, size[0]), min((box[3] + room) * factor, size[1])


def locate_digit(inked: Mask) -> tuple[Span, Image.Image | None]:
    """Return the digit's bounding box in an (H, W) mask and, if anything is left out, a coarse mask (L) of what counts.

    Raises BlankDrawing if nothing is inked.
    """
    rows, columns = inked_lines(inked)
    if not rows.any():
        raise BlankDrawing
    box = bounding_box(rows, columns)
    if rows[box[1] : box[3]].all() and columns[box[0] : box[2]].all() and not has_ruled_lines(inked, box):
        return box, None  # no gap in either direction: nothing lies apart
    step = -(-max(inked.shape) // MAX_BLOCKS)
    mass = block_mass(inked, step)
    labels = label_components(mass > 0)
    rest = np.isin(labels, find_surroundings(labels, mass, inked.size), invert=True)
    keep = rest & ~np.isin(labels, find_strays(labels * rest, mass * rest))
    if keep.all():
        return box, None
    height, width = inked.shape
    fine = np.repeat(np.repeat(keep, step, axis=0), step, axis=1)[:height, :width]
    return bounding_box(*inked_lines(inked & fine)), Image.fromarray(fine.astype(np.uint8) * 255)


def inked_lines(inked: Mask) -> tuple[Mask, Mask]:
    """Return which rows and which columns hold ink."""
    return np.asarray(inked.any(axis=1)), np.asarray(inked.any(axis=0))


def bounding_box(rows: Mask, columns: Mask) -> Span:
    """Return the box of the rows and columns that hold ink."""
    down, across = np.flatnonzero(rows), np.flatnonzero(columns)
    return int(across[0]), int(down[0]), int(across[-1]) + 1, int(down[-1]) + 1


def block_mass(inked: Mask, step: int) -> Labels:
    """Return the number of inked pixels in each block of `step` by `step`."""
    height, width = inked.shape
    padded = np.pad(inked, ((0, -height % step), (0, -width % step)))
    return padded.reshape(padded.shape[0] // step, step, -1, step).sum(axis=(1, 3))


def label_components(grid: Mask) -> Labels:
    """Number the 8-connected components of a small grid from 1; 0 is background.

    Runs of each row are joined with the runs they touch in the row above (union-find), as in Wu, Otoo and Suzuki,
    "Optimizing two-pass connected-component labeling algorithms", 2009.
    """
    parent = [0]

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    labels = np.zeros(grid.shape, dtype=np.int64)
    above: list[tuple[int, int, int]] = []
    for y, row in enumerate(grid):
        edges = np.flatnonzero(np.diff(row, prepend=False, append=False)).tolist()
        here = []
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            touching = [node for left, right, node in above if left <= end and start <= right]
            node = len(parent)
            parent.append(node)
            for other in touching:
                parent[root(other)] = root(node)
            labels[y, start:end] = node
            here.append((start, end, node))
        above = here
    return np.array([root(node) for node in range(len(parent))])[labels]


def has_ruled_lines(inked: Mask, box: Span) -> bool:
    """Whether ink runs along a side of the image, or the box starts and ends with a level line, as a frame does."""
    left, top, right, bottom = box
    if left == 0 or top == 0 or bottom == inked.shape[0] or right == inked.shape[1]:
        sides = inked[0], inked[-1], inked[:, 0], inked[:, -1]
        if max(float(side.mean()) for side in sides) > STRAIGHT:
            return True
    first, last = inked[top : top + 3, left:right], inked[max(bottom - 3, top) : bottom, left:right]
    return bool(first.any(axis=0).mean() > STRAIGHT and last.any(axis=0).mean() > STRAIGHT)


def find_surroundings(labels: Labels, mass: Labels, area: int) -> list[int]:
    """Return the labels of a desk's edge, a line or a frame around the digit; none if no whole digit would be left."""
    sides = labels[0], labels[-1], labels[:, 0], labels[:, -1]
    found = {int(node) for side in sides for node in set(side[side > 0]) if (side == node).mean() > STRAIGHT}
    found |= {int(node) for node in np.unique(labels[labels > 0]) if is_frame(labels == node)}
    found = {node for node in found if mass[labels == node].sum() < area / 2}  # more is a sheet
    left = np.isin(labels, [0, *found], invert=True)
    touches_border = left[0].any() or left[-1].any() or left[:, 0].any() or left[:, -1].any()
    if not found or touches_border or mass[left].sum() < MIN_DIGIT_SHARE * area:
        return []
    return sorted(found)


def is_frame(component: Mask) -> bool:
    """Whether a component runs along all four sides of its own box in straight lines and leaves the inside free."""
    left, top, right, bottom = bounding_box(*inked_lines(component))
    own = component[top:bottom, left:right]
    if min(own.shape) < 8 or own.mean() > 0.5:
        return False
    bands = own[:2].any(axis=0), own[-2:].any(axis=0), own[:, :2].any(axis=1), own[:, -2:].any(axis=1)
    return min(float(band.mean()) for band in bands) > STRAIGHT


def find_strays(labels: Labels, mass: Labels) -> list[int]:
    """Return the labels of the components that do not belong to the digit: too light for their distance from it."""
    weights = np.bincount(labels.ravel(), weights=mass.ravel())
    weights[0] = 0
    order = [int(node) for node in np.argsort(-weights, kind="stable") if weights[node] > 0]
    boxes = {node: bounding_box(*inked_lines(labels == node)) for node in order}
    digit, heaviest = boxes[order[0]], weights[order[0]]
    length = max(digit[2] - digit[0], digit[3] - digit[1])
    strays = []
    for node in order[1:]:
        left, top, right, bottom = boxes[node]
        gap = max(left - digit[2], digit[0] - right, top - digit[3], digit[1] - bottom, 0)
        if weights[node] < heaviest * (STRAY_MASS + STRAY_MASS_FAR * max(gap / length - NEAR, 0)):
            strays.append(node)
            continue
        digit = (min(digit[0], left), min(digit[1], top), max(digit[2], right), max(digit[3], bottom))
    return strays
