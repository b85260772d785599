"""`corridor kiosk faces`: does the measurements of face comparison that administrators order at central.

A process of its own, under the name and key of a kiosk. It asks for work, fetches one picture after the other into
memory, compares, and sends figures. Nothing is written to a disk: pictures are forgotten one by one, templates are
overwritten at the end. `--pictures` names the folder of a site's own set, for lists that come without pictures.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from contracts.errors import ErrorCode, place_of
from contracts.face_measurement import (
    FaceFigures,
    FaceModels,
    FaceOrder,
    FaceOutcome,
    FaceProblem,
    FaceProgress,
    FaceWorker,
)
from hardware.ports import Frame
from kiosk.central_client import CentralClient, CentralError
from kiosk.config import FaceRates
from kiosk.faces.described import describe
from kiosk.faces.engines import ENGINES, Engine
from kiosk.faces.evaluate import GENUINE, IMPOSTOR, UNKNOWN, Item, Pairs, Stage, all_pairs, evaluate
from kiosk.faces.fusion import Calibration
from kiosk.faces.picture import decode_picture, read_picture
from kiosk.faces.states import verify_network
from kiosk.faces.weights import WeightsError, verify_weights

_LOG = logging.getLogger(__name__)
PAUSE_S = 5.0  # between two questions for work
_TELL_S = 1.0
_TRIES = 5  # for one picture, while central is not reached
_PASSING = (ErrorCode.CENTRAL_UNREACHABLE, ErrorCode.CENTRAL_SLOW, ErrorCode.INTERNAL)


class Stopped(Exception):
    """Central wants no more of this measurement."""


class FaceWork:
    """Asks for measurements and does them, one at a time. `close` ends it from another thread.

    Raises WeightsError for models that are not the ones we know.
    """

    def __init__(
        self, client: CentralClient, site_id: str, models_dir: Path, rates: FaceRates, folder: Path | None = None
    ) -> None:
        self.models = describe(verify_weights(models_dir) | verify_network(), rates)
        self._client = client
        self._site_id = site_id
        self._models_dir = models_dir
        self._folder = folder
        self._closing = threading.Event()

    def close(self) -> None:
        self._closing.set()

    def run(self, *, once: bool = False) -> None:
        """Work until closed; with `once`, until there is nothing to do."""
        while not self._closing.is_set():
            if not self.step() and (once or self._closing.wait(PAUSE_S)):
                return

    def step(self) -> bool:
        """Do the oldest measurement that is ordered here; False when there is none or central is not reached."""
        asked = FaceWorker(
            site_id=self._site_id, kiosk_id=self._client.kiosk_id, has_folder=self._folder is not None
        )
        try:
            order = self._client.fetch_face_work(asked)
            if order is None:
                return False
            _LOG.info("measurement %d: %d pictures", order.number, len(order.pictures))
            outcome = self._outcome(order)
            self._client.send_face_outcome(order.number, outcome)
        except Stopped:
            _LOG.info("measurement stopped")
        except CentralError as error:
            _LOG.warning("no measurement: %s", error.code)
            return False
        else:
            _LOG.info("measurement %d: %s", order.number, outcome.problem or "done")
        return True

    def _outcome(self, order: FaceOrder) -> FaceOutcome:
        engine: Engine | None = None
        try:
            engine = ENGINES[order.engine](self._models_dir)
            return FaceOutcome(attempt=order.attempt, figures=self._figures(order, engine))
        except (Stopped, CentralError):
            raise
        except WeightsError:
            return FaceOutcome(attempt=order.attempt, problem=FaceProblem.WEIGHTS)
        except _NothingSeen:
            return FaceOutcome(attempt=order.attempt, problem=FaceProblem.NO_PICTURE)
        except Exception as error:  # kind and place: a text could quote a picture's name
            _LOG.error("a measurement failed: %s", place_of(error))
            return FaceOutcome(attempt=order.attempt, problem=FaceProblem.FAILED)
        finally:
            if engine is not None:
                wipe(engine)

    def _figures(self, order: FaceOrder, engine: Engine) -> FaceFigures:
        items = [
            Item(str(place), Path(), _text(picture.identity), _text(picture.group))
            for place, picture in enumerate(order.pictures)
        ]
        seen = 0

        def look(item: Item) -> Frame | None:
            nonlocal seen
            image = self._picture(order, int(item.name))
            seen += image is not None
            return image

        result = evaluate(
            items,
            all_pairs(items) if order.pairs is None else _pairs(order, items),
            engine,
            threshold=Calibration.load().scales[order.engine].score(order.match_rate or self.models.match_rate),
            look=look,
            progress=_Teller(self._client, order, self._closing),
        )
        if not seen:
            raise _NothingSeen
        return figures(result, self.models)

    def _picture(self, order: FaceOrder, place: int) -> Frame | None:
        path = order.pictures[place].path
        if path is None:
            return decode_picture(self._fetched(order.number, place))
        if self._folder is None:
            return None
        inside = (self._folder / path).resolve()
        return read_picture(inside) if inside.is_relative_to(self._folder.resolve()) else None

    def _fetched(self, number: int, place: int) -> bytes:
        for left in range(_TRIES - 1, -1, -1):
            try:
                return self._client.fetch_face_picture(number, place)
            except CentralError as error:
                if error.code is ErrorCode.NOT_FOUND:
                    raise Stopped from None
                if error.code not in _PASSING or not left or self._closing.wait(1.0):
                    raise
        raise AssertionError("the last try returns or raises")


class _NothingSeen(Exception):
    """Not one of the pictures could be read."""


class _Teller:
    """Tells central how far a measurement is, about once a second; raises Stopped when it shall end."""

    def __init__(self, client: CentralClient, order: FaceOrder, closing: threading.Event) -> None:
        self._client, self._order, self._closing = client, order, closing
        self._told = float("-inf")

    def __call__(self, stage: Stage, done: int, total: int) -> None:
        if self._closing.is_set():
            raise Stopped
        now = time.monotonic()
        if now - self._told < _TELL_S and done != total:
            return
        self._told = now
        said = FaceProgress(attempt=self._order.attempt, stage=stage, done=done, total=total)
        try:
            go_on = self._client.send_face_progress(self._order.number, said)
        except CentralError as error:
            if error.code in _PASSING:
                return  # the next word will do
            raise
        if not go_on:
            raise Stopped


def figures(result: Mapping[str, Any], models: FaceModels) -> FaceFigures:
    """What `evaluate` counted, as it may travel: numbers only. Groups are the numbers that the items had."""
    named = {name: result[name] for name in FaceFigures.model_fields if name in result}
    groups = [
        {"group": int(name), **group}
        for name, group in sorted(result["by_group"].items(), key=lambda pair: int(pair[0]))
    ]
    return FaceFigures.model_validate(named | {"by_group": groups, "models": models})


def wipe(engine: Engine) -> None:
    """Overwrite every vector that an engine holds."""
    for held in vars(engine).values():
        if isinstance(held, np.ndarray) and held.flags.writeable:
            held.fill(0)


def _pairs(order: FaceOrder, items: Sequence[Item]) -> Pairs:
    listed = order.pairs or ()
    said = {True: GENUINE, False: IMPOSTOR}

    def same(left: int, right: int) -> int:
        one, other = items[left].identity, items[right].identity
        return UNKNOWN if not one or not other else GENUINE if one == other else IMPOSTOR

    return Pairs(
        np.array([pair.left for pair in listed], dtype=np.int32),
        np.array([pair.right for pair in listed], dtype=np.int32),
        np.array(
            [same(pair.left, pair.right) if pair.same is None else said[pair.same] for pair in listed],
            dtype=np.int8,
        ),
    )


def _text(number: int | None) -> str:
    return "" if number is None else str(number)
