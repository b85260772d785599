"""Measuring face comparison: what an administrator orders of a kiosk's software, and the figures that come back.

Central carries no face models. It hands a set of pictures, one by one, to the station that the order names; that
station compares them in memory and answers in numbers. No picture, template, name or text of the set's own comes
back: identities and groups are numbers here, and only central knows what the groups are called.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from contracts.base import Contract, Fraction, Identifier, Sha256Hex, ShortText
from contracts.fairness import Difference

MOST_PICTURES = 20_000
MOST_PAIRS = 500_000
MOST_GROUPS = 60
LARGEST_PICTURE = 20_000_000  # bytes

Place = Annotated[int, Field(ge=0, lt=MOST_PICTURES)]
Count = Annotated[int, Field(ge=0)]
Interval = tuple[Fraction, Fraction] | None
FaceEngine = Literal["fused", "sface", "dlib"]


class FaceModels(Contract):
    """What a kiosk compares faces with, and the false match rates from which on it says match and doubt."""

    models: Annotated[dict[Identifier, Sha256Hex], Field(max_length=20)]
    calibration: Identifier
    calibration_sha256: Sha256Hex
    match_rate: Annotated[float, Field(gt=0, le=0.05)]
    doubt_rate: Annotated[float, Field(gt=0, le=0.5)]
    printed_match_rate: Annotated[float, Field(gt=0, le=0.05)]


class FaceWorker(Contract):
    """A station asks for work."""

    site_id: Identifier
    kiosk_id: Identifier
    has_folder: bool = False  # it was told where a site's own pictures lie


class FacePicture(Contract):
    """One picture of a set. Who it shows and of which group is a number, or None where nobody says."""

    identity: Count | None = None
    group: Annotated[int, Field(ge=0, lt=MOST_GROUPS)] | None = None
    path: Annotated[str, Field(max_length=500)] | None = None  # in the station's folder; None: central sends it


class FacePair(Contract):
    left: Place
    right: Place
    same: bool | None = None


class FaceOrder(Contract):
    """One measurement. Without `pairs`, every two pictures are compared."""

    number: Annotated[int, Field(ge=1)]
    attempt: Annotated[int, Field(ge=1)]  # whoever takes the order again ends the attempt before
    engine: FaceEngine
    match_rate: Annotated[float, Field(gt=0, le=0.05)] | None = None  # None: as the station is configured
    pictures: Annotated[tuple[FacePicture, ...], Field(min_length=1, max_length=MOST_PICTURES)]
    pairs: Annotated[tuple[FacePair, ...], Field(max_length=MOST_PAIRS)] | None = None


class FaceWork(Contract):
    """What there is to do for the station that asked."""

    order: FaceOrder | None = None


class FaceProgress(Contract):
    attempt: Annotated[int, Field(ge=1)]
    stage: Literal["pictures", "pairs"]
    done: Count
    total: Count


class FaceGoOn(Contract):
    """False: the measurement was stopped, or another attempt has begun."""

    go_on: bool


class FaceProblem(StrEnum):
    """Why a measurement has no figures."""

    NO_FOLDER = "no_folder"  # the list names pictures, and the station knows no folder
    NO_PICTURE = "no_picture"  # none of the pictures could be read
    WEIGHTS = "weights"  # the station's models are not the ones we know
    FAILED = "failed"


class FaceGroupFigures(Contract):
    """The rates of one group: of its pictures, and of the pairs within it."""

    group: Annotated[int, Field(ge=0, lt=MOST_GROUPS)]
    images: Count
    failure_to_detect: Count
    failure_to_detect_ci: Interval
    genuine: Count
    fnmr: Fraction | None
    fnmr_ci: Interval
    impostor: Count
    fmr: Fraction | None
    fmr_ci: Interval
    differences: dict[Literal["failure_to_detect", "fnmr", "fmr"], Difference]


class FaceFigures(Contract):
    """The figures of a measurement, as `corridor evaluate faces` prints them."""

    engine: FaceEngine
    images: Count
    failure_to_detect: Count
    pairs: Count
    genuine: Count
    impostor: Count
    eer: Fraction | None
    tar_at_fmr: Annotated[dict[ShortText, Fraction | None], Field(max_length=8)]
    tar_ci: Annotated[dict[ShortText, Interval], Field(max_length=8)]
    threshold: float
    fmr: Fraction | None
    fmr_ci: Interval
    fnmr: Fraction | None
    fnmr_ci: Interval
    by_group: Annotated[tuple[FaceGroupFigures, ...], Field(max_length=MOST_GROUPS)]
    det: Annotated[tuple[tuple[Fraction, Fraction], ...], Field(max_length=100)]  # FMR, FNMR
    ms_per_image_median: Annotated[float, Field(ge=0)] | None
    seconds: Annotated[float, Field(ge=0)]
    models: FaceModels


class FaceOutcome(Contract):
    """How an attempt ended: with figures or with a problem."""

    attempt: Annotated[int, Field(ge=1)]
    figures: FaceFigures | None = None
    problem: FaceProblem | None = None
