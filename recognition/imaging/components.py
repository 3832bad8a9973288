"""Number the connected components of a mask."""

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.imaging.polarity import Mask
from recognition.imaging.scaling import Levels


def number_components(mask: Mask | Levels, connectivity: int = 8) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the number of every pixel's connected component, 0 for none, and OpenCV's statistics of each number."""
    # The same numbers as by OpenCV's default algorithm, in a third of its time.
    _, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(
        mask.view(np.uint8), connectivity, cv2.CV_32S, cv2.CCL_BBDT
    )
    return np.asarray(labels, np.int32), np.asarray(stats, np.int32)
