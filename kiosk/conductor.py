"""Runs the journey: takes events, runs effects on the devices, and shows the view.

One lock guards the state; `advance` is quick and pure, so events are handled where they arrive. Device work runs
on one thread, in order, and is told to stop when it is no longer wanted. Sending runs on another, so that a slow
central never blocks the screen. Nothing personal outlives `Wipe`, and nothing personal is logged.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from contracts.api import DeviceHealth, DeviceState, Heartbeat, KioskConfiguration
from contracts.checks import Check, CheckName, Verdict
from contracts.errors import ErrorCode, place_of
from contracts.evidence import EvidenceKind
from contracts.face_measurement import FaceModels
from contracts.party import DocumentFormat, FaceDecision, TravelDocument
from contracts.transaction import Provenance, TransactionRecord
from declarations.eligibility import NotEligible, eligibility
from declarations.money import Rates
from declarations.packs import RulePack
from documents.mrz import NO_MRZ
from documents.trust import TrustStore
from hardware import registry
from hardware.ports import Camera, DeviceError, DeviceSet, LightSignal, ReceiptDocument, Speaker
from kiosk import chip, journey
from kiosk.actions import ACTIONS, FieldError, Form
from kiosk.assessor import CROSSES_BY
from kiosk.baggage import BagPhase, scan_bag
from kiosk.central_client import CentralClient, CentralError
from kiosk.central_key import CentralKey
from kiosk.config import KioskConfig
from kiosk.delivery import Delivery
from kiosk.document_page import (
    VISAS,
    FrontScan,
    Page,
    PageScan,
    PageState,
    ZoneReader,
    compare_print,
    page_document,
    turns,
    with_check,
)
from kiosk.evidence import Pictures, SealedEvidence, seal
from kiosk.face import FaceMatcher, Template
from kiosk.face_capture import FaceCapture, Seen, not_compared
from kiosk.faces.pad.guard import PresentationGuard
from kiosk.faces.pad.installed import InstalledCamera
from kiosk.law import Law, LawKeeper
from kiosk.messages import Catalogue, direction
from kiosk.mrz.passporteye import PassportEyeReader
from kiosk.page_portrait import check_front, check_portrait
from kiosk.presenter import Live, Presenter
from kiosk.record import SOFTWARE, build_record, least_record
from kiosk.trust import TrustKeeper
from kiosk.view import Message, Screen, View
from kiosk.viz import VizReader

_LOG = logging.getLogger(__name__)
TICK_S = 0.5
PRINT_S = 20.0  # for the comparison with the print, counted from when everything else is done
ESSENTIAL = ("chip_reader", "document_camera", "face_camera", "outbox")
_LIGHTS: dict[Screen, LightSignal] = {
    Screen.WELCOME: "idle",
    Screen.OFFICER: "attention",
    Screen.OUT_OF_SERVICE: "off",
}


@dataclass(frozen=True)
class Refusal:
    """Why a touch was not taken: `fits` False, it is not offered on this screen; else the field."""

    fits: bool
    place: str | None = None
    message: str = "error.not_now"


@dataclass(frozen=True)
class Parts:
    """What a conductor works with; `kiosk.create_app` puts it together."""

    config: KioskConfig
    devices: DeviceSet
    pack: RulePack
    rates: Rates | None
    trust: TrustStore
    chip_worker: chip.Worker
    mrz_reader: ZoneReader
    second_reader: PassportEyeReader
    viz_reader: VizReader
    load_matcher: Callable[[], FaceMatcher]
    models: Mapping[str, str]
    faces: FaceModels
    client: CentralClient
    delivery: Delivery
    catalogue: Catalogue


@dataclass
class _Session:
    """What devices gave for the party in front of the kiosk; replaced by an empty one at `Wipe`."""

    pictures: Pictures
    pages: dict[str, Page]
    documents: dict[str, TravelDocument]
    prints: dict[str, Future[Check]]
    portraits: dict[str, bytes | None]
    anchors: set[str]
    seconds: dict[str, float]
    bags: int = 0

    @classmethod
    def empty(cls) -> _Session:
        return cls(Pictures(), {}, {}, {}, {}, set(), defaultdict(float))


class Conductor:
    """One kiosk at work."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        config = parts.config
        limits = journey.Limits(
            idle_s=config.timeouts.idle_s, warning_s=config.timeouts.warning_s, result_s=config.timeouts.result_s
        )
        self._state = journey.State(limits=limits, language=config.languages[0])
        self._live = Live()
        self._session = _Session.empty()
        self._revision = 1
        self._changed = threading.Condition(threading.RLock())
        self._matcher: FaceMatcher | None = None
        self._guard: PresentationGuard | None = None
        # The print is read while the chip is: by a process, waited for on a thread of its own.
        self._print_readings = ThreadPoolExecutor(1, thread_name_prefix="print")
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._warmed = threading.Event()
        self._configuration: KioskConfiguration | None = None
        self._central_key = CentralKey(config.data_dir, config.central_key)
        self._trust = TrustKeeper(
            config.data_dir,
            config.site_id,
            parts.trust,
            self._central_key,
            parts.client.fetch_trust,
            production=config.profile == "production",
        )
        self._laws = LawKeeper(
            config.data_dir,
            config.site_id,
            Law(parts.pack, parts.pack.content_hash, parts.rates),
            self._central_key,
            parts.client.fetch_law,
            production=config.profile == "production",
        )
        self._keep_to(self._laws.at(self._now()))
        self._central_doubted = False
        self._beat = threading.Event()
        self._threads = [
            threading.Thread(target=self._run_jobs, name="devices", daemon=True),
            threading.Thread(target=self._tick, name="clock", daemon=True),
            threading.Thread(target=self._heartbeats, name="heartbeat", daemon=True),
        ]

    def start(self) -> None:
        """Warm the models and workers, deliver what waits, begin to serve."""
        self._parts.delivery.start()
        self._parts.second_reader.start()
        self._parts.viz_reader.start()
        self.handle(journey.ServiceStopped(self._now()))  # until the models are loaded nobody is invited
        self._jobs.put(self._warm)
        for thread in self._threads:
            thread.start()
        self._light()

    def close(self) -> None:
        self._closing.set()
        self._beat.set()
        self._jobs.put(None)
        with self._changed:
            self._state = replace(self._state, work=self._state.work + 1)
            self._changed.notify_all()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(10)
        self._parts.delivery.close()
        self._parts.second_reader.close()
        self._parts.viz_reader.close()
        self._print_readings.shutdown(wait=False, cancel_futures=True)
        close_worker = getattr(self._parts.chip_worker, "close", None)
        if close_worker is not None:
            close_worker()
        self._parts.devices.close()

    # -- what the web application asks ------------------------------------------------------------------------

    def _now(self) -> datetime:
        """The moment in the site's own zone: ages, expiry and rules turn at the site's midnight."""
        return datetime.now(self._parts.config.zone)

    def view(self) -> View:
        with self._changed:
            return self._presenter.view(self._state, self._live, self._revision, self._now())

    @property
    def step_seconds(self) -> dict[str, float]:
        """Machine seconds of the present journey, by step."""
        with self._changed:
            return {name: round(value, 3) for name, value in self._session.seconds.items()}

    @property
    def revision(self) -> int:
        return self._revision

    def wait_for_change(self, revision: int, seconds: float) -> int:
        """The revision, as soon as it is another than `revision` or the time is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._revision != revision or self._closing.is_set(), seconds)
            return self._revision

    @property
    def speaker(self) -> Speaker:
        return self._parts.devices.speaker

    @property
    def outbox_waiting(self) -> int:
        """Records that central has not answered yet."""
        return self._parts.delivery.waiting

    @property
    def starting(self) -> bool:
        """Models and workers are still being loaded."""
        return self._threads[0].is_alive() and not self._warmed.is_set()

    @property
    def closing(self) -> bool:
        return self._closing.is_set()

    def act(self, name: str, fields: Mapping[str, Sequence[str]]) -> Refusal | None:
        """Take a traveller's touch. None when it was taken."""
        with self._changed:
            if name not in ACTIONS or name not in journey.actions(self._state):
                return Refusal(fits=False)
            form = Form(fields, self._now(), str(uuid.uuid4()), self._languages, self._state)
            try:
                event = ACTIONS[name](form)
            except FieldError as error:
                self._show(form_error=error.message)
                return Refusal(fits=True, place=error.place, message=error.message)
            self._live = replace(self._live, form_error=None)
            if isinstance(event, journey.Answer):
                event = replace(event, asks=self._presenter.asks(self._state, event))
            elif isinstance(event, journey.Withdrawn):
                event = replace(event, free=self._presenter.is_free(self._state, event.at))
            self.handle(event)
            return None

    def preview(self, kind: Literal["face", "document"]) -> Iterator[bytes]:
        """Small JPEG pictures of a camera while its step is on; ends with the step."""
        import cv2

        screen, camera = self._preview_of(kind)
        sequence = -1
        while self._state.screen is screen and not self.closing:
            try:
                captured = camera.latest(seconds=1.0, after=sequence)
            except DeviceError:
                return
            sequence = captured.sequence
            height, width = captured.image.shape[:2]
            scale = 480 / max(height, width)
            small = cv2.resize(captured.image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            if kind == "face":
                small = cv2.flip(small, 1)  # as in a mirror
            ok, encoded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 70])
            if ok:
                yield encoded.tobytes()
            self._closing.wait(0.08)

    def _preview_of(self, kind: Literal["face", "document"]) -> tuple[Screen, Camera]:
        if kind == "face":
            return Screen.FACE, self._parts.devices.face_camera
        return Screen.DOCUMENT, self._parts.devices.document_camera

    @property
    def _languages(self) -> tuple[str, ...]:
        return self._parts.catalogue.languages

    # -- events and effects -----------------------------------------------------------------------------------

    def handle(self, event: journey.Event) -> None:
        """Advance the journey and start what follows."""
        with self._changed:
            before = self._state
            self._state, effects = journey.advance(before, event)
            if self._state.record_id is not None and self._state.record_id != before.record_id:
                self._keep_to(self._laws.at(event.at))  # until this session ends, whatever central says meanwhile
            if self._state.screen is not before.screen or self._state.hint != before.hint:
                self._live = replace(
                    Live(), form_error=self._live.form_error, receipt_failed=self._live.receipt_failed
                )
            for effect in effects:
                self._run(effect)
            if self._state != before or effects:
                self._announce()
            if self._state.screen is not before.screen:
                self._light()
                self._beat.set()

    def _run(self, effect: journey.Effect) -> None:
        if isinstance(effect, journey.ReadPage):
            self._jobs.put(lambda: self._read_page(effect))
        elif isinstance(effect, journey.ReadChip):
            self._jobs.put(lambda: self._read_chip(effect))
        elif isinstance(effect, journey.ReadFront):
            self._jobs.put(lambda: self._read_front(effect))
        elif isinstance(effect, journey.CompareFace):
            self._jobs.put(lambda: self._compare_face(effect))
        elif isinstance(effect, journey.ScanBag):
            self._jobs.put(lambda: self._scan_bag(effect))
        elif isinstance(effect, journey.SendRecord):
            state = self._state
            threading.Thread(target=self._send, args=(effect, state), name="sending", daemon=True).start()
        elif isinstance(effect, journey.PrintReceipt):
            state = self._state
            self._jobs.put(lambda: self._print(state))
        elif isinstance(effect, journey.Wipe):
            self._session.pictures.wipe()
            self._session = _Session.empty()
            self._live = Live()
        # StopWork needs nothing here: work that is no longer wanted sees it by its number.

    def _keep_to(self, law: Law) -> None:
        self._law = law
        self._presenter = Presenter(self._parts.config, law.pack, law.rates)

    def _announce(self) -> None:
        self._revision += 1
        self._changed.notify_all()

    def _show(self, **changes: object) -> None:
        """Change what the screen shows of the devices, if it really changes."""
        with self._changed:
            live = replace(self._live, **changes)  # type: ignore[arg-type]  # fields of Live
            if live != self._live:
                self._live = live
                self._announce()

    def _unwanted(self, work: int) -> Callable[[], bool]:
        return lambda: self._state.work != work or self._closing.is_set()

    def _spent(self, step: str, seconds: float, *, machine: bool = True) -> None:
        self._session.seconds[step] += seconds
        if machine:
            self._session.seconds["total"] += seconds

    # -- device work (on the devices' thread) -----------------------------------------------------------------

    def _run_jobs(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception as error:
                # What failed is told by kind and place: a message could quote what was being read.
                _LOG.error("a step failed: %s", place_of(error))
                self._give_up()

    def _give_up(self) -> None:
        """A step died of our own mistake: the traveller is brought to an officer, with a record."""
        with self._changed:
            if self._state.screen in journey.IN_JOURNEY:
                self.handle(journey.StepFailed(self._now()))

    def _warm(self) -> None:
        self._parts.second_reader.wait_until_ready()
        self._parts.viz_reader.wait_until_ready()
        self._faces()
        installed = InstalledCamera(self._parts.config.data_dir)
        self._guarding().learn(self._parts.devices.face_camera, installed)
        start_worker = getattr(self._parts.chip_worker, "start", None)
        if start_worker is not None:
            start_worker()
        self._warmed.set()
        self._beat.set()

    def _read_page(self, effect: journey.ReadPage) -> None:
        person, unwanted = effect.person_id, self._unwanted(effect.work)
        if unwanted():
            return
        seen_at = 0.0
        self._show(glass_cleared=False)

        def report(page: PageState) -> None:
            nonlocal seen_at
            self._show(
                page_present=page.present,
                page_problem=page.problem,
                page_part=page.part,
                glass_cleared=self._live.glass_cleared or not page.present,
            )
            if page.present and time.monotonic() - seen_at > 2:
                seen_at = time.monotonic()
                self.handle(journey.Moved(self._now()))

        parts = self._parts
        devices = parts.devices
        scan = PageScan(
            devices.document_camera,
            parts.mrz_reader,
            parts.second_reader,
            devices.infrared_camera,
            devices.ultraviolet_camera,
            parts.viz_reader,
        )
        page = scan.scan(lambda: self._now().date(), report, unwanted, fresh=effect.fresh)
        if page is None or unwanted():
            return
        printed = self._print_readings.submit(self._read_print, page)
        document = page_document(
            page.mrz,
            self._now().date(),
            "not_reached",
            page.problem,
            page.reading,
            page.infrared,
            page.ultraviolet,
        )
        document = with_check(document, check_portrait(self._faces(), page.frame, page.corners, page.mrz))
        if page.mrz.format in VISAS:  # a visa has no chip during which its print could be read
            document = with_check(document, self._awaited(printed))
        with self._changed:
            if unwanted():
                return
            self._spent("page", page.seconds)
            session = self._session
            if page.mrz.document.format not in journey.VISAS:
                session.pictures.forget(person)
            if page.frame is not None:
                session.pictures.keep_frame(person, EvidenceKind.DATA_PAGE, page.frame)
            session.pages[person], session.documents[person], session.prints[person] = page, document, printed
            self.handle(journey.PageRead(self._now(), effect.work, document, page.legible, page.problem))

    def _read_print(self, page: Page) -> Check:
        """`mrz_viz` of the side of a document on which its zone is."""
        if page.frame is None or not page.legible:
            return Check(name=CheckName.MRZ_VIZ, verdict=Verdict.NOT_CHECKED, reason="zone_not_read")
        if page.mrz.format is DocumentFormat.TD1:
            return Check(name=CheckName.MRZ_VIZ, verdict=Verdict.NOT_CHECKED, reason="front_not_shown")
        return compare_print(self._parts.viz_reader.read(page.frame, page.corners, page.mrz), page.mrz)

    def _awaited(self, printed: Future[Check]) -> Check:
        """The comparison with the print, which takes a second: nobody waits for one that hangs."""
        try:
            return printed.result(PRINT_S)
        except (TimeoutError, CancelledError):
            printed.cancel()
            return Check(name=CheckName.MRZ_VIZ, verdict=Verdict.NOT_CHECKED, reason="not_readable")

    def _read_front(self, effect: journey.ReadFront) -> None:
        person, unwanted = effect.person_id, self._unwanted(effect.work)
        page = self._session.pages.get(person)
        if unwanted() or page is None:
            return
        moved_at = 0.0

        def report(state: PageState) -> None:
            nonlocal moved_at
            if unwanted():
                return
            self._show(page_present=state.present, page_problem=state.problem)
            if state.present and time.monotonic() - moved_at > 2:
                moved_at = time.monotonic()
                self.handle(journey.Moved(self._now()))

        parts = self._parts
        scan = FrontScan(parts.devices.document_camera, parts.mrz_reader, parts.viz_reader)
        found = scan.scan(page, report, unwanted)
        if found is None:
            return
        check, frame, seconds = found
        portrait = None if frame is None else check_front(self._faces(), frame, page.corners, page.mrz)
        with self._changed:
            if unwanted():
                return
            session = self._session
            self._spent("front", seconds)
            if frame is not None:
                session.pictures.keep_frame(person, EvidenceKind.DATA_PAGE, frame, side=2)
            document = with_check(session.documents[person], check)
            verdicts = {each.name: each.verdict for each in document.checks}
            if portrait is not None and verdicts[CheckName.PAGE_PORTRAIT] is not Verdict.PASSED:
                document = with_check(document, portrait)
            session.documents[person] = document
            self.handle(journey.FrontRead(self._now(), effect.work, document))

    def _read_chip(self, effect: journey.ReadChip) -> None:
        person, unwanted = effect.person_id, self._unwanted(effect.work)
        if unwanted():
            return
        begun = time.monotonic()
        self._show(chip_fraction=0.0)
        held = self._session.pages.get(person)
        page = NO_MRZ if held is None else held.mrz
        printed = self._session.prints.get(person)
        now = self._now()
        reading = self._parts.chip_worker.read(
            self._parts.config.devices.chip_reader,
            page.key,
            self._trust.store,
            now,
            page,
            lambda phase, share: None if unwanted() else self._show(chip_fraction=round(share, 2)),
        )
        chip_s = time.monotonic() - begun
        comparison = self._awaited(printed) if printed is not None else None
        with self._changed:
            if unwanted():
                return
            session = self._session
            self._spent("chip", chip_s)
            self._spent("print", time.monotonic() - begun - chip_s)  # what it took longer than the chip
            document = chip.join(session.documents[person], reading)
            if comparison is not None:
                document = with_check(document, comparison)
            session.documents[person] = document
            session.portraits[person] = reading.portrait
            if reading.portrait is not None:
                session.pictures.keep_portrait(person, reading.portrait)
            if reading.trust_anchor is not None:
                session.anchors.add(reading.trust_anchor)
            is_open = chip.opened(reading)
            refused: str | None = None
            minor = self._law.is_minor(document.birth_date, now.date(), self._parts.config.direction, CROSSES_BY)
            if is_open:
                answer = eligibility(
                    document,
                    document.birth_date,
                    now.date(),
                    self._law.pack,
                    accompanied=self._state.current > 0,
                )
                refused = answer.code.lower() if isinstance(answer, NotEligible) else None
                if refused is None and minor is None:
                    refused = "declarant_unknown"
            self.handle(
                journey.ChipRead(
                    self._now(),
                    effect.work,
                    document,
                    is_open,
                    refused,
                    None if is_open else chip.why_not(reading),
                    turn=comparison is not None and turns(page, comparison),
                    minor=bool(minor),
                )
            )

    def _compare_face(self, effect: journey.CompareFace) -> None:
        person, unwanted = effect.person_id, self._unwanted(effect.work)
        if unwanted():
            return
        matcher = self._faces()
        reference, printed = self._reference(person)
        if reference is None:
            reason = "no_portrait" if self._session.portraits.get(person) is None else "portrait_without_face"
            face = not_compared(reason, effect.attempt)
            self.handle(journey.FaceCompared(self._now(), effect.work, face, hopeless=True, hint=reason))
            return
        moved_at = 0.0

        def report(seen: Seen) -> None:
            nonlocal moved_at
            if unwanted():
                return
            self._show(seen=replace(seen, fraction=round(seen.fraction, 1)))
            if seen.moved and time.monotonic() - moved_at > 2:
                moved_at = time.monotonic()
                self.handle(journey.Moved(self._now()))

        try:
            look = FaceCapture(self._parts.devices.face_camera, matcher, self._guarding()).look(
                reference, effect.attempt, report, unwanted, printed=printed
            )
        finally:
            reference.wipe()
        if look is None:
            return
        with self._changed:
            if unwanted():
                return
            self._spent("face_capture", look.capture_s)
            self._spent("challenge", look.challenge_s, machine=False)  # the traveller's own time
            self._spent("face_match", look.match_s)
            if look.frame is not None:
                self._session.pictures.keep_frame(person, EvidenceKind.LIVE_FACE, look.frame)
            # A match with the print goes to an officer as it is: no further try makes more of it.
            hopeless = printed and look.result.decision is FaceDecision.MATCH
            self.handle(
                journey.FaceCompared(self._now(), effect.work, look.result, hopeless=hopeless, hint=look.problem)
            )

    def _faces(self) -> FaceMatcher:
        """Loaded when the kiosk warms up; for the devices' thread alone."""
        if self._matcher is None:
            self._matcher = self._parts.load_matcher()
        return self._matcher

    def _guarding(self) -> PresentationGuard:
        if self._guard is None:
            self._guard = PresentationGuard(self._parts.config.challenge_moves)
        return self._guard

    def _reference(self, person: str) -> tuple[Template | None, bool]:
        """Whom the live face is compared with, and whether it is the page's print: where the chip has no face."""
        portrait, page = self._session.portraits.get(person), self._session.pages.get(person)
        if page is None:
            return self._faces().reference(portrait, None, ())
        return self._faces().reference(portrait, page.frame, page.corners)

    def _scan_bag(self, effect: journey.ScanBag) -> None:
        unwanted = self._unwanted(effect.work)
        if unwanted():
            return
        moved_at = 0.0

        def report(phase: BagPhase, kilograms: float | None) -> None:
            nonlocal moved_at
            if unwanted():
                return
            self._show(bag=phase, weight_kg=kilograms)
            if phase != "waiting" and time.monotonic() - moved_at > 2:
                moved_at = time.monotonic()
                self.handle(journey.Moved(self._now()))

        devices = self._parts.devices
        scanned = scan_bag(devices.scale, devices.tag_scanner, report, unwanted, another=self._session.bags > 0)
        if scanned is None:
            return
        with self._changed:
            if unwanted():
                return
            self._session.bags += 1
            self._spent("weigh", scanned.weigh_s)
            self._spent("tag", scanned.tag_s)
            self.handle(journey.BagScanned(self._now(), effect.work, scanned.bag))

    def _print(self, state: journey.State) -> None:
        decision = state.decision
        if decision is None:
            return
        text = self._parts.catalogue.text
        values = {"desk": decision.desk or "", "count": str(decision.wait_minutes or 0)}
        title, end = ("result.green.title", "result.receipt.exit")
        if not state.cleared:
            title, end = ("result.desk.title", "result.receipt.desk")
            if decision.desk is None:
                title, end = ("result.anydesk.title", "result.receipt.desks")
        receipt = ReceiptDocument(
            title=text(Message(title, values), state.language).replace("**", ""),
            number=decision.receipt_number,
            lines=(text(Message(end, values), state.language).replace("**", ""),),
            token=decision.receipt,
            language=state.language,
            right_to_left=direction(state.language) == "rtl",
        )
        try:
            self._parts.devices.printer.print_receipt(receipt)
        except DeviceError as error:
            _LOG.warning("no receipt printed: %s", error.code)
            self._show(receipt_failed=True)
            self.handle(journey.ReceiptPrinted(self._now(), printed=False))
            return
        self._show(receipt_failed=False)
        self.handle(journey.ReceiptPrinted(self._now(), printed=True))

    # -- sending (on a thread of its own) ---------------------------------------------------------------------

    def _send(self, effect: journey.SendRecord, state: journey.State) -> None:
        decision = None
        try:
            with self._changed:
                session = self._session
                try:
                    record_id, body, sealed = self._sealed_record(session, state)
                finally:
                    session.pictures.wipe()  # from here on only central can see them
                    session.portraits.clear()
            begun = time.monotonic()
            decision = self._parts.delivery.send(record_id, body, sealed)
            with self._changed:
                if self._session is session:
                    self._spent("send", time.monotonic() - begun)
        except Exception as error:
            _LOG.error("sending failed: %s", place_of(error))
        if decision is None:
            self.handle(journey.Unanswered(self._now(), effect.work))
        else:
            self.handle(journey.Answered(self._now(), effect.work, decision))

    def _sealed_record(self, session: _Session, state: journey.State) -> tuple[str, bytes, SealedEvidence | None]:
        """Number, bytes and evidence of the record. Whatever fails, an answered journey leaves one (rule 7)."""
        try:
            sealed = self._seal(session, state)
            record = build_record(
                state,
                self._parts.config,
                rule_pack=self._law.pack.label,
                provenance=self._provenance(session),
                evidence=sealed.reference if sealed else None,
                seconds=session.seconds,
                completed_at=self._now(),
            )
            body = record.model_dump_json().encode()
            TransactionRecord.model_validate_json(body)  # what central would refuse for good is seen here
            return record.record_id, body, sealed
        except Exception as error:
            _LOG.error("the record could not be made, an officer gets what is valid: %s", place_of(error))
        least = least_record(state, self._parts.config, completed_at=self._now())
        return least.record_id, least.model_dump_json().encode(), None

    def _seal(self, session: _Session, state: journey.State) -> SealedEvidence | None:
        configuration = self._configuration
        if configuration is None or not session.pictures or state.record_id is None:
            return None
        try:
            return seal(
                session.pictures.named(),
                public_key=configuration.evidence_public_key,
                key_id=configuration.evidence_key_id,
                site_id=self._parts.config.site_id,
                record_id=state.record_id,
            )
        except Exception as error:  # the record is worth more than its pictures
            _LOG.error("no evidence could be sealed: %s", place_of(error))
            return None

    def _provenance(self, session: _Session) -> Provenance:
        config = self._parts.config
        return Provenance(
            profile=config.profile,
            software=SOFTWARE,
            drivers=registry.provenance(self._parts.devices),
            trust_anchors=tuple(sorted(session.anchors)),
            models=dict(self._parts.models),
            radio_profile=config.radio_profile,
            rule_pack_sha256=self._law.sha256,
        )

    # -- clock and heartbeat ----------------------------------------------------------------------------------

    def _tick(self) -> None:
        while not self._closing.wait(TICK_S):
            with self._changed:
                self.handle(journey.Ticked(self._now()))
                if self._state.warned_at is not None or self._state.screen is Screen.RESULT:
                    self._announce()

    def _heartbeats(self) -> None:
        while not self._closing.is_set():
            try:
                self._heartbeat()
            except Exception as error:
                _LOG.error("heartbeat failed: %s", place_of(error))
            self._beat.wait(self._parts.config.timeouts.heartbeat_s)
            self._beat.clear()

    def _heartbeat(self) -> None:
        now = self._now()
        devices = self._parts.devices
        health = (
            *registry.health(devices, now),
            self._parts.delivery.health(now),
            self._central_health(now),
            self._trust.health(now),
            self._laws.health(now),
        )
        stopped = [one.device for one in health if one.device in ESSENTIAL and one.state is DeviceState.STOPPED]
        state: Literal["working", "in_use", "watch", "stopped"] = "working"
        if self._state.screen not in (Screen.WELCOME, Screen.OUT_OF_SERVICE):
            state = "in_use"
        elif stopped:
            state = "stopped"
        elif any(one.state is not DeviceState.WORKING for one in health):
            state = "watch"
        suspended = False
        try:
            said = self._parts.client.send_heartbeat(
                Heartbeat(
                    site_id=self._parts.config.site_id,
                    kiosk_id=self._parts.config.kiosk_id,
                    sent_at=now,
                    state=state,
                    software=SOFTWARE,
                    devices=health,
                    drivers=registry.provenance(devices),
                    outbox_waiting=self._parts.delivery.waiting,
                    faces=self._parts.faces,
                )
            )
            self._central_doubted = not self._central_key.accepts(said, self._now())
            if self._central_doubted:
                _LOG.error("an answer is not signed by the central that this kiosk knows; it is not believed")
            else:
                self._configuration, suspended = said, said.suspended
                self._trust.follow(said)
                self._laws.follow(said)
        except CentralError as error:
            suspended = error.code in (ErrorCode.KIOSK_SUSPENDED, ErrorCode.KIOSK_UNKNOWN)
            if not suspended:
                _LOG.info("heartbeat not delivered: %s", error.code)
        event: journey.Event = journey.ServiceResumed(now)
        if stopped or suspended or not self._warmed.is_set():
            event = journey.ServiceStopped(now)
        self.handle(event)

    def _central_health(self, now: datetime) -> DeviceHealth:
        if not self._central_doubted:
            return DeviceHealth(device="central_key", state=DeviceState.WORKING, checked_at=now)
        return DeviceHealth(
            device="central_key",
            state=DeviceState.WATCH,
            error=ErrorCode.SIGNATURE_INVALID,
            detail="Central answers under another key than this kiosk knows; no pictures are sealed for it.",
            checked_at=now,
        )

    def _light(self) -> None:
        signal = _LIGHTS.get(self._state.screen, "busy")
        if self._state.screen is Screen.RESULT:
            signal = "proceed" if self._state.cleared else "desk"
        try:
            self._parts.devices.light.show(signal)
        except DeviceError as error:
            _LOG.info("the light does not answer: %s", error.code)
