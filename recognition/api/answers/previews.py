"""What `?preview=1` adds to an answer: the network's input, and what was taken for the digit."""

from io import BytesIO
from typing import Any

from PIL import Image

from recognition.api.parsing.drawings import Drawing
from recognition.imaging import Candidate, Segment, encode_png, png_data_url

MASK_SIDE = 200  # pixels; the longer side of a mask is at most this
MIN_MASK_LEVEL = 64  # of 255; where less of a reduced pixel is ink, thin strokes would vanish


def preview(drawing: Drawing[Any], candidate: Candidate | Segment) -> dict[str, Any]:
    """Return the 28x28 image that the network saw, and where in the picture its digit was found."""
    return {
        "preview": png_data_url(encode_png(candidate.digit)),
        "segmentation": {
            "box": drawing.box(candidate),
            "mask": png_data_url(encode_mask(candidate.mask(drawing.size))),
        },
    }


def encode_mask(mask: Image.Image) -> bytes:
    """Encode a mask of the whole picture as a small grey PNG."""
    factor = -(-max(mask.size) // MASK_SIDE)
    if factor > 1:
        mask = mask.reduce(factor).point([min(255 * level // MIN_MASK_LEVEL, 255) for level in range(256)])
    buffer = BytesIO()
    mask.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
