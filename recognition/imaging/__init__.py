"""Turn an encoded picture into the 28x28 array that a network trained on MNIST expects. Plain Python: no Django.

decoding (bytes to image) -> polarity (ink or background) -> segmentation (where the digit is) -> preprocessing; all of
it for every candidate, where something else than the digit may be in the picture.
"""

from recognition.imaging.candidates import Candidate, Doubt, find_candidates, preprocess
from recognition.imaging.decoding import EncodedImage
from recognition.imaging.numbers import NumberDrawing, Segment, find_number
from recognition.imaging.preprocessing import Grid, encode_png, png_data_url
from recognition.imaging.scaling import Pixels

__all__ = [
    "Candidate",
    "Doubt",
    "EncodedImage",
    "Grid",
    "NumberDrawing",
    "Pixels",
    "Segment",
    "encode_png",
    "find_candidates",
    "find_number",
    "png_data_url",
    "prepare",
    "preprocess",
]


def prepare(data: bytes) -> Grid:
    """Return an encoded picture as float32 (28, 28), ink 1.0 on 0.0.

    Raises EmptyImage, UnsupportedImage, CorruptImage, ImageTooLarge, ImageTooSmall and BlankDrawing.
    """
    return preprocess(EncodedImage(data).decode())
