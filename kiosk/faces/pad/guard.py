"""What a kiosk keeps for telling presentation and injection attacks: the network, the watch over its camera."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from contracts.checks import Check, CheckName, Verdict
from hardware.ports import Camera, DeviceError, Frame
from kiosk.faces.pad.challenge import MOVES, Challenge, Move, Outcome, draw_moves
from kiosk.faces.pad.crops import Landmarks
from kiosk.faces.pad.evidence import LOOKS, Evidence, load_fusion
from kiosk.faces.pad.installed import InstalledCamera
from kiosk.faces.pad.network import RecaptureNetwork
from kiosk.faces.pad.stream import StreamWatch

_LOG = logging.getLogger(__name__)
_LOOK_EVERY = 2  # frames of the challenge that the network looks at, until it has seen enough


class PresentationGuard:
    """One for each kiosk, for as long as it runs. Not safe for several threads at once."""

    def __init__(self, moves: Sequence[Move] = MOVES) -> None:
        """`moves`: what travellers may be asked for. Raises WeightsError."""
        self._moves = tuple(moves)
        self._network = RecaptureNetwork()
        self._fusion = load_fusion()
        self.watch = StreamWatch()

    def learn(self, camera: Camera, installed: InstalledCamera | None = None) -> None:
        """Get to know the camera while nobody stands there: about a second. If it fails it stays unknown.

        `installed`: which camera belongs here, noted when the first one is learnt. Simulators are not noted.
        """
        expected = installed.read() if installed is not None and not camera.simulated else None
        sequence = -1
        try:
            while not self.watch.learnt:
                frame = camera.latest(seconds=2.0, after=sequence)
                sequence = frame.sequence
                self.watch.learn(frame)
        except DeviceError:
            pass
        learnt = self.watch.known
        if expected is not None:
            if learnt is not None and learnt != expected:
                _LOG.warning("the face camera is not the installed one: every traveller goes to an officer")
            self.watch.expect(expected)
        elif installed is not None and learnt is not None and not camera.simulated:
            try:
                installed.note(learnt)
            except OSError as error:
                _LOG.warning("the face camera cannot be noted: %s", error.strerror)

    def begin(self, image: Frame, landmarks: Landmarks, now: float, *, still: bool = True) -> Trial:
        """Begin to challenge whoever looks straight into the camera in this frame; `still`: the head rested."""
        evidence = Evidence(self._network)
        evidence.look(image, landmarks)
        moves = draw_moves(self._moves)
        return Trial(self, evidence, Challenge(moves, evidence, image, landmarks, now, still=still))

    def judge(self, evidence: Evidence, outcome: Outcome) -> Check:
        """The check after a challenge: what was followed, what the frames show, and whose frames they are."""
        found = self.watch.finding()
        if found is not None:  # said first: what another camera shows is no evidence of anything
            return attack_check(Verdict.FAILED, found)
        if outcome != "challenge_followed":
            return attack_check(Verdict.FAILED, outcome)
        if self._fusion.score(evidence.values()) >= self._fusion.threshold:
            return attack_check(Verdict.FAILED, "recapture")
        return attack_check(Verdict.PASSED, outcome)


class Trial:
    """One challenge of one traveller."""

    def __init__(self, guard: PresentationGuard, evidence: Evidence, challenge: Challenge) -> None:
        self._guard = guard
        self._evidence = evidence
        self._frames = 0
        self.challenge = challenge

    def follow(self, image: Frame, landmarks: Landmarks, now: float) -> Check | None:
        """Take one frame; the check when the trial is over."""
        self._frames += 1
        if self._frames % _LOOK_EVERY == 0 and self._evidence.looks < LOOKS:
            self._evidence.look(image, landmarks)
        outcome = self.challenge.follow(image, landmarks, now)
        return None if outcome is None else self._guard.judge(self._evidence, outcome)

    def expired(self, now: float) -> Check | None:
        """The check when the time is over, whether or not a face was found."""
        outcome = self.challenge.expired(now)
        return None if outcome is None else self._guard.judge(self._evidence, outcome)


def attack_check(verdict: Verdict, reason: str) -> Check:
    return Check(name=CheckName.PRESENTATION_ATTACK, verdict=verdict, reason=reason)
