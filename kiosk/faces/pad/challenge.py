"""The challenge: two movements of the head, drawn at random, asked for one after the other and timed by the kiosk.

Each is followed only when the face moves as asked, in time, from a straight look, and as a head does: a plane
that is turned as far shows the movement too, and is told by what a homography explains of it
(`kiosk.faces.pad.motion`). Nobody must: an officer is the other way, and the page says so.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hardware.ports import Frame
from kiosk.faces.pad.crops import Landmarks
from kiosk.faces.pad.evidence import Evidence
from kiosk.faces.pad.motion import Attitude, Movement, attitude

Move = Literal["turn_left", "turn_right", "nod"]
MOVES: tuple[Move, ...] = ("turn_left", "turn_right", "nod")

ASKED = 2
MOVE_S = 6.0  # for each movement
# How far a face must move: the nose beside the eyes, in eye distances, or between eyes and mouth, as a share. With
# some bent faces the detector puts the mouth where the nose hides the nod: then the middle of the face shows it,
# which sinks 0.24 to 0.29 eye distances beside the rim in the specimens' nods, whoever nods.
TURN, NOD, SUNK = 0.11, 0.045, 0.13
# What a homography must leave of it, in eye distances. Heads of the specimens leave 0.035 to 0.1; screens and
# prints, flat or curled and turned by up to 50 degrees, about 0.02 at most (docs/benchmarks.md).
NOT_FLAT = 0.027
# Straight again: as at the beginning, or at rest near it. Who was pictured while still moving, or comes to rest a
# little beside where he began, is measured from where he rests. Rest is what hardly changes between two frames.
STRAIGHT_TURN, STRAIGHT_NOD = 0.06, 0.04
NEAR_TURN, NEAR_NOD = 0.1, 0.08
REST_TURN, REST_NOD = 0.015, 0.015

Outcome = Literal["challenge_followed", "challenge_not_followed", "flat_movement", "turned_other_way"]


def draw_moves(moves: Sequence[Move] = MOVES) -> tuple[Move, ...]:
    """Two different movements in an order that nobody can foresee."""
    left = list(moves)
    return tuple(left.pop(secrets.randbelow(len(left))) for _ in range(min(ASKED, len(left))))


@dataclass
class _Progress:
    begun: float
    settled: bool  # a straight look was seen since the movement was asked for
    reached: bool = False  # it moved far enough
    share: float = 0.0


class Challenge:
    """One challenge, from the straight look on. `follow` is given every frame in which a face is found."""

    def __init__(
        self,
        moves: Sequence[Move],
        evidence: Evidence,
        image: Frame,
        landmarks: Landmarks,
        now: float,
        *,
        still: bool = True,
    ) -> None:
        """`image` is the straight look, with its face's `landmarks`; `still`: the head rested in it."""
        self._moves = tuple(moves)
        self._evidence = evidence
        self._index = 0
        self._straight = self._last = attitude(landmarks)
        self._progress = _Progress(now, settled=still)
        evidence.start(image, landmarks)

    @property
    def move(self) -> Move:
        """What is asked for now."""
        return self._moves[min(self._index, len(self._moves) - 1)]

    @property
    def share(self) -> float:
        """How much of the whole challenge is done, 0 to 1."""
        return min(1.0, (self._index + self._progress.share) / len(self._moves))

    @property
    def under_way(self) -> bool:
        """Whether the movement that is asked for has gone half its way, or was the last one."""
        return self._progress.share >= 0.5 or self._index == len(self._moves)

    @property
    def number(self) -> int:
        """How many movements were followed so far."""
        return self._index

    def expired(self, now: float) -> Outcome | None:
        """What it comes to when nothing more happens, or None while there is time."""
        if now - self._progress.begun <= MOVE_S:
            return None
        return "flat_movement" if self._progress.reached else "challenge_not_followed"

    def follow(self, image: Frame, landmarks: Landmarks, now: float) -> Outcome | None:
        """Take one frame; the outcome when the challenge is over."""
        held = attitude(landmarks)
        turned, nodded = held.turn - self._straight.turn, held.nod - self._straight.nod
        straight = abs(turned) < STRAIGHT_TURN and abs(nodded) < STRAIGHT_NOD
        rests = abs(turned) < NEAR_TURN and abs(nodded) < NEAR_NOD and _at_rest(self._last, held)
        self._last = held
        progress = self._progress
        if (straight or rests) and (not progress.settled or self._evidence.thinned):
            progress.settled = True
            if rests:
                self._straight = held
            # Followed from here: what was lost on the way is found again.
            self._evidence.start(image, landmarks)
            return self.expired(now)
        movement = self._evidence.follow(image, landmarks)
        if not progress.settled:
            return self.expired(now)
        amount, other = self._amount(turned, nodded, movement)
        progress.share = max(progress.share, min(1.0, amount))
        if other:
            return "turned_other_way"
        if amount >= 1:
            progress.reached = True
            if not _flat(movement):
                return self._next(now)
        return self.expired(now)

    def _amount(self, turned: float, nodded: float, movement: Movement) -> tuple[float, bool]:
        """How far it moved the way it was asked, 1 being enough, and whether it went clearly the other way."""
        if self.move == "nod":
            return max(nodded / NOD, (movement.sunk or 0.0) / SUNK), False
        # The camera's picture is not mirrored: a head that turns to its own left moves to the picture's right.
        way = turned if self.move == "turn_left" else -turned
        return way / TURN, way <= -TURN

    def _next(self, now: float) -> Outcome | None:
        self._index += 1
        if self._index == len(self._moves):
            self._progress.share = 0.0
            return "challenge_followed"
        self._progress = _Progress(now, settled=False)
        return None


def _at_rest(before: Attitude, now: Attitude) -> bool:
    return abs(now.turn - before.turn) < REST_TURN and abs(now.nod - before.nod) < REST_NOD


def _flat(movement: Movement) -> bool:
    """Whether a plane explains the movement; where too little could be followed, nobody can say that none does."""
    return movement.bend is None or movement.bend < NOT_FLAT
