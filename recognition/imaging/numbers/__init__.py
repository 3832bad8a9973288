"""Cut a line of digits into segments that the network scores. Plain Python: no Django."""

from recognition.imaging.numbers.lattice import NumberDrawing, Segment, Shape
from recognition.imaging.numbers.line import find_number

__all__ = ["NumberDrawing", "Segment", "Shape", "find_number"]
