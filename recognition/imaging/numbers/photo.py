"""Find the ink of a line of digits in a photo: uneven light, grain, ruled paper, frames."""

from recognition.imaging import paper
from recognition.imaging.lines import erase, find_lines
from recognition.imaging.scaling import Levels, reduce

WORKING_SIDE = 480  # pixels of the longer side: a line of five digits has the height that `paper` is made for
DARK_BORDER = 0.6  # share of the border; with more dark, the ink is light, as on a board
EDGE = 3  # pixels of the disc by which the mask grows, to keep the paler edges of strokes


def ink_of_photo(grey: Levels, *, everywhere: bool) -> Levels | None:
    """Return the ink on the paper without ruled lines and frames, 255 in the middle of a stroke, at a smaller size.

    Return None if there is no paper or no ink. With `everywhere`, the whole image is paper.
    """
    factor = -(-max(grey.shape) // (2 * WORKING_SIDE))
    levels = paper.remove_specks(reduce(grey, factor) if factor > 1 else grey)
    small, _ = paper.to_working_size(levels, WORKING_SIDE, enlargement=1.0)
    is_board = paper.dark_share(paper.border_of(small), small) > DARK_BORDER
    found = paper.map_ink(255 - small if is_board else small, everywhere=everywhere)
    if found is None:
        return None
    printed = [line for line in find_lines(found.mask, found.paper) if line.is_print()]
    mask = erase(found.mask, printed)
    if not mask.any():
        return None
    return found.extract(mask, mask, EDGE)
