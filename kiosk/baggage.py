"""The bag step: weight and tag of one bag. Waits while nothing stands on the scale."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from contracts.checks import Check, CheckName, Verdict
from contracts.errors import ErrorCode
from contracts.party import Bag
from hardware.ports import BagTagScanner, DeviceError, Scale

EMPTY_KG = 0.3  # a scale that shows less carries nothing
WEIGH_S = 3.0
TAG_S = 6.0
PATIENCE = 4  # failed weighings in a row before the scale is given up

BagPhase = Literal["waiting", "weighing", "tag", "done"]


@dataclass(frozen=True)
class BagScan:
    bag: Bag
    weigh_s: float
    tag_s: float


def scan_bag(
    scale: Scale,
    scanner: BagTagScanner,
    report: Callable[[BagPhase, float | None], None],
    stopped: Callable[[], bool],
    *,
    another: bool = False,
) -> BagScan | None:
    """Weigh the bag and read its tag; None when it was stopped. A device that fails is a check with its reason.

    `another`: a bag was weighed before; it has to leave the scale first, or it would be weighed twice.
    """
    if another and not _cleared(scale, report, stopped):
        return None
    weighed = _weigh(scale, report, stopped)
    if weighed is None:
        return None
    kilograms, weight_check, weigh_s = weighed
    report("tag", kilograms)
    begun = time.monotonic()
    tag, tag_check = _tag(scanner)
    tag_s = time.monotonic() - begun
    if stopped():
        return None
    report("done", kilograms)
    return BagScan(Bag(tag=tag, weight_kg=kilograms, checks=(tag_check, weight_check)), weigh_s, tag_s)


def _cleared(scale: Scale, report: Callable[[BagPhase, float | None], None], stopped: Callable[[], bool]) -> bool:
    report("done", None)
    while not stopped():
        try:
            if scale.weigh(WEIGH_S).kilograms < EMPTY_KG:
                return True
        except DeviceError:
            return True  # the weighing that follows says what is wrong with the scale
        time.sleep(0.15)
    return False


def _weigh(
    scale: Scale, report: Callable[[BagPhase, float | None], None], stopped: Callable[[], bool]
) -> tuple[float | None, Check, float] | None:
    failures = 0
    report("waiting", None)
    while not stopped():
        begun = time.monotonic()
        try:
            weight = scale.weigh(WEIGH_S)
        except DeviceError as error:
            failures += 1
            if error.code is ErrorCode.SCALE_OVERLOAD:
                return _no_weight(Verdict.ERROR, error.code, begun)
            if failures >= PATIENCE or error.code is ErrorCode.DEVICE_MISSING:
                return _no_weight(Verdict.ERROR, error.code, begun)
            report("weighing", None)
            time.sleep(0.2)
            continue
        failures = 0
        if weight.kilograms < EMPTY_KG or not weight.stable:
            report("waiting" if weight.kilograms < EMPTY_KG else "weighing", None)
            time.sleep(0.15)
            continue
        check = Check(name=CheckName.BAG_WEIGHT, verdict=Verdict.PASSED, reason="ok")
        return round(min(weight.kilograms, 500.0), 3), check, time.monotonic() - begun
    return None


def _no_weight(verdict: Verdict, code: ErrorCode, begun: float) -> tuple[None, Check, float]:
    check = Check(name=CheckName.BAG_WEIGHT, verdict=verdict, reason=code.value.lower())
    return None, check, time.monotonic() - begun


def _tag(scanner: BagTagScanner) -> tuple[str | None, Check]:
    try:
        reading = scanner.read_tag(TAG_S)
    except DeviceError as error:
        return None, Check(name=CheckName.BAG_TAG, verdict=Verdict.ERROR, reason=error.code.value.lower())
    if reading is None:
        return None, Check(name=CheckName.BAG_TAG, verdict=Verdict.FAILED, reason="not_read")
    return reading.licence_plate, Check(name=CheckName.BAG_TAG, verdict=Verdict.PASSED, reason="ok")
