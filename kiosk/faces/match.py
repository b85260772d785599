"""Compares a live face with a portrait: who is found is embedded twice, fused, and judged by a policy.

The answer is match, doubt or mismatch, with the rate at which different people score so high. Only a match can
lead to green; whatever is not one goes to an officer after further tries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from contracts.party import FaceDecision
from hardware.ports import Frame
from kiosk.faces.detect import Face, FaceDetector, Points
from kiosk.faces.embed import Embedder, Template
from kiosk.faces.fusion import Calibration, Policy
from kiosk.faces.picture import decode_picture
from kiosk.faces.pinned import verify_outputs
from kiosk.faces.quality import Quality, assess
from kiosk.faces.states import FaceStates, verify_network
from kiosk.faces.subject import several_people, subject_first
from kiosk.faces.weights import verify_weights
from kiosk.viz import upright

# EES asks for a false match rate of 0.05 % (Implementing Decision 2019/329, annex). These are rates of photographs
# in the wild; of a studio's pictures, which resemble each other, several times as many match. At this point those
# are below 0.05 % too (docs/faces.md has what that costs in false rejections).
MATCH_RATE = 0.00002
DOUBT_RATE = 0.01
# A printed portrait is held by nobody's signature, and its print is worn and screened.
PRINTED_MATCH_RATE = 0.000005
# Whether the face of two frames of one film is still the same: SFace alone, one crop each.
SAME_FILM_COSINE = 0.36


@dataclass(frozen=True)
class Comparison:
    """`score` is log10 of the likelihood ratio; `false_match_rate` is that of different people at this score."""

    decision: FaceDecision
    score: float
    false_match_rate: float | None
    reason: str
    cosine: float  # SFace
    distance: float | None  # dlib, Euclidean


class FaceMatcher:
    """Holds the loaded models. Not safe for several threads at once: the conductor gives it one."""

    def __init__(
        self,
        models_dir: Path,
        *,
        match_rate: float = MATCH_RATE,
        doubt_rate: float = DOUBT_RATE,
        printed_match_rate: float = PRINTED_MATCH_RATE,
    ) -> None:
        """Raises WeightsError for files that are not the ones we know, or whose output is not."""
        self.models = verify_weights(models_dir) | verify_network()
        self.calibration = Calibration.load()
        self._detector = FaceDetector(models_dir)
        self._embedder = Embedder(models_dir)
        verify_outputs(self._detector, self._embedder)
        self._states = FaceStates()
        self._policy = self.calibration.policy("fused", match_rate, doubt_rate)
        self._printed = self.calibration.policy("fused", min(match_rate, printed_match_rate), doubt_rate)

    def find(self, image: Frame) -> tuple[Face, ...]:
        """The faces of a frame, the one it is about first."""
        return subject_first(self._detector.find(image), image.shape[1], image.shape[0])

    def assess(self, image: Frame, faces: tuple[Face, ...]) -> Quality:
        """How good a frame is, with everything that can be judged."""
        return assess(image, faces, self._states)

    def template(self, image: Frame, face: Face, *, second: bool = True) -> Template:
        """Both embeddings of a face; the second is None where it is not wanted."""
        return self._embedder.template(image, self._detector.refined(image, face), second=second)

    def portrait(self, picture: bytes) -> Template | None:
        """The template of a chip portrait (JPEG or JPEG 2000), or None where it does not show one face."""
        image = self.decode(picture)
        return None if image is None else self.printed_portrait(image)

    def reference(
        self, held: bytes | None, page: Frame | None, lines: Sequence[Points]
    ) -> tuple[Template | None, bool]:
        """Whom a live face is compared with: the chip's portrait, or where that shows nobody the printed one.

        `held` is what the chip gave, `lines` are those of the zone on the page, as `kiosk.mrz` finds them. The
        second value: whether it is the printed one.
        """
        template = None if held is None else self.portrait(held)
        if template is not None or page is None or not len(lines):
            return template, False
        template = self.printed_portrait(upright(page, lines)[0])
        return template, template is not None

    def printed_portrait(self, image: Frame) -> Template | None:
        """The template of a picture of a portrait; None where it does not show one face."""
        upright, faces = self._detector.find_patiently(image)
        faces = subject_first(faces, upright.shape[1], upright.shape[0])
        return None if not faces or several_people(faces) else self.template(upright, faces[0])

    def decode(self, picture: bytes) -> Frame | None:
        """BGR pixels of a portrait, or None for bytes that are no picture. Never raises."""
        return decode_picture(picture)

    def compare(self, reference: Template, live: Template, *, printed: bool = False) -> Comparison:
        """`printed`: the reference is the portrait on the page, which a match must resemble more."""
        similar = cosine(reference, live)
        if reference.second is None or live.second is None:
            decision = FaceDecision.DOUBT if similar >= SAME_FILM_COSINE else FaceDecision.MISMATCH
            return Comparison(decision, float("-inf"), None, "no_second_opinion", similar, None)
        other = float(np.clip(np.dot(reference.second, live.second), -1, 1))
        first, second = (reference.first[None], live.first[None]), (reference.second[None], live.second[None])
        score = float(self.calibration.fuse(first, second)[0])
        policy: Policy = self._printed if printed else self._policy
        decision = policy.decide(score)
        reasons = {
            FaceDecision.MATCH: "ok",
            FaceDecision.DOUBT: "uncertain",
            FaceDecision.MISMATCH: "other_person",
        }
        rate = self.calibration.scales["fused"].rate(score)
        return Comparison(decision, score, rate, reasons[decision], similar, (max(0.0, 2 - 2 * other)) ** 0.5)


def cosine(one: Template, other: Template) -> float:
    """Cosine of the first embeddings, -1 to 1."""
    return max(-1.0, min(1.0, float(np.dot(one.first, other.first))))
