"""A frame made smaller, for whatever is judged of a page as a whole."""

from __future__ import annotations

import numpy as np

from hardware.ports import Frame


def smaller(image: Frame, width: int) -> Frame:
    """The image reduced to about `width`, by whole numbers, which is several times quicker than the exact way."""
    import cv2

    times = max(1, round(image.shape[1] / width))
    height, across = image.shape[0] // times, image.shape[1] // times
    if min(height, across) < 1:
        return image
    part = image[: height * times, : across * times]
    return np.asarray(cv2.resize(part, (across, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)
