"""One try of the face page: good pictures, movements of the head that the kiosk asks for, and the comparison.

Whether a living face was there, and whether the pictures came from the kiosk's own camera, is for
`kiosk.faces.pad`: it draws the movements, follows them and gives the check. Here is the order of things, the time
and what the page shows. Time is that of the frames (`CapturedFrame.at`): a traveller on a busy machine has no less
of it to move in.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from contracts.checks import Check, CheckName, Verdict
from contracts.party import FaceDecision, FaceResult
from hardware.ports import Camera, CapturedFrame, DeviceError, Frame
from kiosk.face import DOUBT_COSINE, Face, FaceMatcher, Template, cosine
from kiosk.faces.embed import average
from kiosk.faces.pad.guard import PresentationGuard, attack_check
from kiosk.faces.pad.motion import Attitude, attitude
from kiosk.faces.subject import several_people

ConditionName = Literal["light", "face", "distance"]

CAPTURE_S = 12.0
PERFECT_S = 4.0  # how long a picture without any fault is waited for, before one without a grave one will do
# A head that moves more than this between two frames is not pictured: from what is pictured the movements are
# measured. In the terms of `motion.Attitude`.
STILL_TURN, STILL_NOD = 0.03, 0.03
FRAMES = 3  # that are averaged
EMBED_S = 1.5  # for all of them


@dataclass(frozen=True)
class Seen:
    """What the page shows while the kiosk looks: conditions and what the body is asked to do."""

    prompt: Literal["look", "turn_left", "turn_right", "nod"]
    conditions: tuple[tuple[ConditionName, bool], ...] = ()
    problem: str | None = None
    fraction: float = 0.0
    moved: bool = False  # somebody is there and does something


@dataclass(frozen=True, repr=False)
class Look:
    """The outcome of a try. `frame` is the picture that was compared, for the evidence bundle."""

    result: FaceResult
    frame: Frame | None
    problem: str | None
    capture_s: float = 0.0
    challenge_s: float = 0.0
    match_s: float = 0.0


@dataclass(repr=False)
class _Captured:
    """The good frames of a try: templates with their weights, and the best picture with its face."""

    frame: Frame
    face: Face
    templates: list[Template] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    capture_s: float = 0.0
    embed_s: float = 0.0
    until: float = 0.0  # when its last frame arrived
    still: bool = True  # the head rested in all of them

    def add(self, frame: Frame, face: Face, template: Template, weight: float) -> None:
        if not self.weights or weight > max(self.weights):
            self.frame, self.face = frame, face
        self.templates.append(template)
        self.weights.append(weight)

    def wipe(self) -> None:
        for template in self.templates:
            template.wipe()
        self.templates.clear()


class FaceCapture:
    """Looks through one camera with one matcher; `guard` knows the camera and tells attacks."""

    def __init__(self, camera: Camera, matcher: FaceMatcher, guard: PresentationGuard) -> None:
        self._camera = camera
        self._matcher = matcher
        self._guard = guard
        self._sequence = -1
        self._made: list[Template] = []  # every template of the try, so that none outlives it

    def look(
        self,
        reference: Template,
        tries: int,
        report: Callable[[Seen], None],
        stopped: Callable[[], bool],
        *,
        printed: bool = False,
    ) -> Look | None:
        """One try; None when it was stopped. While nobody is there it waits. Never raises for a device.

        `printed`: the reference is the portrait on the page, not the chip's. Nobody signed that one: a match with
        it tells the officer, and does not pass.
        """
        try:
            return self._look(reference, tries, report, stopped, printed=printed)
        except DeviceError as error:
            reason = str(error.code).lower()
            return Look(_result(FaceDecision.NOT_CAPTURED, tries, reason, Verdict.ERROR), None, "camera_failed")
        finally:
            for template in self._made:
                template.wipe()
            self._made.clear()
            self._guard.watch.forget()

    def _look(
        self,
        reference: Template,
        tries: int,
        report: Callable[[Seen], None],
        stopped: Callable[[], bool],
        *,
        printed: bool,
    ) -> Look | None:
        self._guard.watch.begin()
        captured = self._capture(report, stopped)
        if captured is None:
            return None
        if isinstance(captured, str):
            return Look(_result(FaceDecision.NOT_CAPTURED, tries, captured), None, captured)
        live = self._kept(average(captured.templates, captured.weights))
        return self._judge(captured, live, reference, tries, report, stopped, printed=printed)

    def _judge(
        self,
        captured: _Captured,
        live: Template,
        reference: Template,
        tries: int,
        report: Callable[[Seen], None],
        stopped: Callable[[], bool],
        *,
        printed: bool,
    ) -> Look | None:
        begun = time.monotonic()
        compared = self._matcher.compare(reference, live, printed=printed)
        match_s = captured.embed_s + time.monotonic() - begun

        begun = time.monotonic()
        attack = self._challenge(captured, live, report, stopped)
        if attack is None:
            return None
        challenge_s = time.monotonic() - begun

        match = Check(name=CheckName.FACE_MATCH, verdict=Verdict.FAILED, reason=compared.reason)
        if compared.decision is FaceDecision.MATCH:
            match = (
                Check(name=CheckName.FACE_MATCH, verdict=Verdict.NOT_PRESENT, reason="printed_portrait")
                if printed
                else Check(name=CheckName.FACE_MATCH, verdict=Verdict.PASSED, reason=compared.reason)
            )
        result = FaceResult(
            decision=compared.decision,
            score=round(compared.cosine, 4),
            second_distance=None if compared.distance is None else round(compared.distance, 4),
            false_match_rate=compared.false_match_rate,
            tries=tries,
            models=self._matcher.models,
            checks=(
                match,
                Check(name=CheckName.FACE_QUALITY, verdict=Verdict.PASSED, reason="ok"),
                attack,
            ),
        )
        problem = None
        if compared.decision is not FaceDecision.MATCH:
            problem = "not_matched"
        elif attack.verdict is not Verdict.PASSED:
            problem = attack.reason
        return Look(result, captured.frame, problem, captured.capture_s, challenge_s, match_s)

    def _capture(self, report: Callable[[Seen], None], stopped: Callable[[], bool]) -> _Captured | str | None:
        """Good frames of one face, or what stood against them until the time was over; None when stopped.

        The first good frame is not used: whoever arrives is still moving in it.
        """
        first_seen: float | None = None
        held = 0
        captured: _Captured | None = None
        before: Attitude | None = None
        while not stopped():
            seen = self._next()
            image, now = seen.image, seen.at
            faces = self._matcher.find(image)
            quality = self._matcher.assess(image, faces)
            if faces and first_seen is None:
                first_seen = now
            patient = first_seen is not None and now - first_seen > PERFECT_S
            held_now = attitude(faces[0].landmarks) if faces else None
            still, before = _still(before, held_now), held_now
            problem = quality.problem or (None if still else "not_still")
            good = problem is None or (patient and not (quality.problem and quality.grave))
            held = held + 1 if good else 0
            if captured is not None and not good:
                captured.wipe()
                captured = None
            report(
                Seen(
                    "look",
                    (("light", quality.light), ("face", quality.face), ("distance", quality.distance)),
                    None if good else problem,
                    fraction=min(0.4, 0.1 * held),
                    moved=bool(faces),
                )
            )
            if held >= 2 and first_seen is not None:
                captured = captured or _Captured(image, faces[0], capture_s=now - first_seen)
                begun = time.monotonic()
                template = self._kept(self._matcher.template(image, faces[0]))
                if captured.templates and cosine(captured.templates[0], template) < DOUBT_COSINE:
                    captured.wipe()  # somebody else stepped in: begin again
                    captured, held = None, 0
                    continue
                captured.add(image, faces[0], template, max(quality.weight, 0.05))
                captured.until = now
                captured.still = captured.still and still
                captured.embed_s += time.monotonic() - begun
                if len(captured.templates) == FRAMES:
                    return captured
            if first_seen is not None and now - first_seen > CAPTURE_S and held < 2:
                return problem or "not_still"
            if captured is not None and captured.embed_s > EMBED_S:
                return captured  # a slow machine: what there is will do
        return None

    def _challenge(
        self, captured: _Captured, live: Template, report: Callable[[Seen], None], stopped: Callable[[], bool]
    ) -> Check | None:
        """The check of a challenge, or None when it was stopped."""
        face = captured.face.landmarks
        trial = self._guard.begin(captured.frame, face, captured.until, still=captured.still)
        known = -1  # the movement during which the face was last compared with the pictured one
        while not stopped():
            challenge = trial.challenge
            report(Seen(challenge.move, moved=True, fraction=0.4 + 0.5 * challenge.share))
            seen = self._next()
            image, now = seen.image, seen.at
            faces = self._matcher.find(image)
            if several_people(faces):
                return attack_check(Verdict.FAILED, "two_faces")
            if not faces:
                check = trial.expired(now)
            else:
                check = trial.follow(image, faces[0].landmarks, now)
                if challenge.under_way and challenge.number > known:
                    # Who moves must be who was pictured: nobody steps in between.
                    known = challenge.number
                    moving = self._kept(self._matcher.template(image, faces[0], second=False))
                    if cosine(live, moving) < DOUBT_COSINE:
                        return attack_check(Verdict.FAILED, "face_changed")
            if check is not None:
                return check
        return None

    def _kept(self, template: Template) -> Template:
        """The template, noted for the end of the try."""
        self._made.append(template)
        return template

    def _next(self) -> CapturedFrame:
        captured = self._camera.latest(seconds=2.0, after=self._sequence)
        self._sequence = captured.sequence
        self._guard.watch.see(captured)
        return captured


def _still(before: Attitude | None, now: Attitude | None) -> bool:
    """Whether the head rests. Where one of two frames shows none, nothing says that it moved."""
    if before is None or now is None:
        return True
    return abs(now.turn - before.turn) < STILL_TURN and abs(now.nod - before.nod) < STILL_NOD


def not_compared(reason: str, tries: int = 0, verdict: Verdict = Verdict.NOT_CHECKED) -> FaceResult:
    """The face result of a journey in which no comparison could be made."""
    return _result(FaceDecision.NOT_CAPTURED, tries, reason, verdict)


def _result(decision: FaceDecision, tries: int, reason: str, verdict: Verdict = Verdict.FAILED) -> FaceResult:
    """No comparison: the quality check says why (FAILED or ERROR), the two others were not made."""
    left_out = Verdict.ERROR if verdict is Verdict.ERROR else Verdict.NOT_CHECKED
    return FaceResult(
        decision=decision,
        tries=tries,
        checks=(
            Check(name=CheckName.FACE_MATCH, verdict=left_out, reason=reason),
            Check(name=CheckName.FACE_QUALITY, verdict=verdict, reason=reason),
            Check(name=CheckName.PRESENTATION_ATTACK, verdict=left_out, reason=reason),
        ),
    )
