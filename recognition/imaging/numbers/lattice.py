"""The segments of a line of digits, as the edges of a lattice.

The line is cut into pieces, in more places than it has digits. A segment is one piece or several neighbours, and every
way from node 0 to the last node along segments is a reading of the line (over-segmentation: LeCun et al.,
"Gradient-based learning applied to document recognition", 1998, section IV).
"""

from dataclasses import dataclass

from PIL import Image

from recognition.imaging.candidates import Candidate
from recognition.imaging.preprocessing import Grid


@dataclass(frozen=True)
class Segment:
    """Ink between two nodes of the lattice that may be one digit."""

    digit: Grid  # float32 (28, 28), ink 1.0 on 0.0
    place: tuple[int, int, int, int]  # left, top, width and height in the image's pixels
    ink: Image.Image  # mode L, of the size of the place or coarser; 255 where the segment's ink is
    first: int  # the node at its left
    last: int  # the node at its right
    penalty: float = 0.0
    feats: object = None

    def box(self) -> tuple[int, int, int, int]:
        """Return (left, top, width, height) of the segment in the image's pixels."""
        return self.place

    def mask(self, size: tuple[int, int]) -> Image.Image:
        """Return a mask (L) of an image of `size`: 255 where the segment's ink is."""
        left, top, width, height = self.place
        whole = Image.new("L", size)
        whole.paste(self.ink.resize((max(width, 1), max(height, 1)), Image.Resampling.NEAREST), (left, top))
        return whole


@dataclass(frozen=True)
class NumberDrawing:
    """A picture of a line of digits that is ready for the network."""

    segments: list[Segment]
    nodes: int  # nodes of the lattice, numbered from left to right
    candidates: list[Candidate]  # the readings of the picture as one digit; empty if it is certainly not one

    def grids(self) -> list[Grid]:
        """Return what the network is to score: the candidates, then the segments."""
        return [candidate.digit for candidate in self.candidates] + [segment.digit for segment in self.segments]
