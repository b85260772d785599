"""Pictures of bag tags."""

from __future__ import annotations

import cv2
import numpy as np
import zxingcpp

from hardware.ports import Frame

PLATE = "0125123456"


def tag_image(plate: str, angle: float = 0.0, module: int = 3) -> Frame:
    """A bag tag on a belt: the bars of `plate`, turned by `angle` degrees, with the blur of a camera."""
    code = np.array(zxingcpp.create_barcode(plate, zxingcpp.BarcodeFormat.ITF).to_image(scale=module))
    paper = np.tile(code[code.shape[0] // 2], (130, 1))
    paper = cv2.copyMakeBorder(paper, 30, 60, 20, 20, cv2.BORDER_CONSTANT, value=255)
    height, width = paper.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1)
    turn[:, 2] += (320 - width / 2, 320 - height / 2)
    scene = np.full((640, 640), 60, np.uint8)
    cv2.warpAffine(paper, turn, (640, 640), dst=scene, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_TRANSPARENT)
    return np.asarray(cv2.cvtColor(cv2.GaussianBlur(scene, (0, 0), 0.6), cv2.COLOR_GRAY2BGR), np.uint8)
