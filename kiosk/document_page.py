"""The printed page: is one lying there, why can it not be read, and what do its zone and its print say.

Each frame gets one look. Looks of a page that lies still are added up until the zone is certain; when they do not
suffice, the second reader is asked once a try. What keeps the page from being read is told as it is seen, so that
the screen can say what to do about it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Protocol

import numpy as np
import numpy.typing as npt

from contracts.checks import DOCUMENT_CHECKS, Check, CheckName, Verdict
from contracts.party import DocumentFormat, PageReading, TravelDocument
from documents.mrz import NO_MRZ, Mrz, parse_mrz
from documents.mrz.settle import Settled, settle
from documents.viz import Fragment, compare_viz
from hardware.ports import Camera, CapturedFrame, DeviceError, Frame
from kiosk.mrz.completed import completed, is_dazzled
from kiosk.mrz.looks import Posteriors, fuse
from kiosk.mrz.read import Look
from kiosk.mrz.reading import ZoneReading, as_far_as_seen, completed_opinion, first_opinion, second_opinion
from kiosk.page_obstacle import Part, find_obstacle
from kiosk.page_ultraviolet import check_ultraviolet
from kiosk.reduce import smaller

# Measured on a frame reduced to 640 and 160 pixels across: an empty glass is even and dark, a page is neither.
_ACROSS, _SMALL = 640, 160
PAGE_CONTRAST = 14.0  # standard deviation of grey levels
PAGE_LIGHT = 45.0  # median grey level of the lighter half
SHARP = 25.0  # variance of the Laplacian at 640 pixels across
STILL = 6.0  # mean change of grey levels between two frames
TRY_S = 9.0  # a page that nobody puts right
LEAST_TRY_S = 3.0  # a page that lies well and cannot be read; less would be over before anybody has looked
DOUBT_S = 2.0  # after so long without certainty the second reader is asked,
LOOKS = 4  # and after so many looks that found a zone and were not certain together
MOST_LOOKS = 8  # the newest that are fused
OTHER_SIDE = 4.0  # mean change of grey levels between the two sides of a card, at least
INFRARED_LOOKS = 3
TURN_S = 15.0  # a card that lies there and is not turned over
FRONT_LOOKS = 2  # how often the print of a card's front is read before the answer stands

# The second reader would take what it sees of these for the whole: one of the documents, or a passport's first 36
# characters for a card's line.
NOT_WHOLE = ("moving", "several_documents", "cut_off")
_UNREAD = (None, "no_zone", "blurred", "other_print")  # says less than what is seen of the frame itself
VISAS = (DocumentFormat.MRV_A, DocumentFormat.MRV_B)
Corners = tuple[npt.NDArray[np.float64], ...]


class ZoneReader(Protocol):
    """`kiosk.mrz.read.MrzReader`, as far as it is used here."""

    def look(self, frame: Frame) -> Look: ...


class SecondReader(Protocol):
    """`kiosk.mrz.passporteye.PassportEyeReader`, as far as it is used here."""

    def read(self, image: Frame, today: date, *, thorough: bool = False) -> tuple[tuple[str, ...], ...] | None: ...


class PrintReader(Protocol):
    """`kiosk.viz.VizReader`, as far as it is used here."""

    def read(
        self, frame: Frame, corners: Sequence[npt.NDArray[np.float64]] = (), mrz: Mrz | None = None
    ) -> tuple[Fragment, ...]: ...


@dataclass(frozen=True)
class PageState:
    """What the camera sees. `problem` None: a page that can be read. `part`: of the lines, that it hides."""

    present: bool
    problem: str | None
    part: Part | None = None


@dataclass(frozen=True, repr=False)
class Page:
    """The outcome of a look at a page. `corners` are the zone's lines in `frame`."""

    mrz: Mrz
    frame: Frame | None
    problem: (
        str | None
    )  # why it could not be read: a reason of `PageState`, `Look` or `ZoneReading`, camera_failed
    seconds: float
    corners: Corners = ()
    reading: ZoneReading | None = None
    infrared: Check | None = None  # `mrz_infrared`; None where the kiosk has no such light
    ultraviolet: Check | None = None  # `page_ultraviolet`; likewise

    @property
    def legible(self) -> bool:
        return self.mrz.key is not None


@dataclass
class Steering:
    """Words that do not flicker: a problem is told when it has lasted, and stays until it could be read.

    Laying a page down takes a while, in which it moves: that is told later than what a page that lies still shows.
    """

    lasted_s: float = 0.15
    moving_s: float = 0.4
    stays_s: float = 1.5
    _seen: str | None = None
    _since: float = 0.0
    _told: str | None = None
    _told_at: float = field(default=-1e9)

    def see(self, problem: str | None, at: float) -> str | None:
        """The problem to tell at the moment `at` (monotonic seconds), when `problem` is what is seen."""
        if problem != self._seen:
            self._seen, self._since = problem, at
        reading = self._told is not None and at - self._told_at < self.stays_s
        lasted = self.moving_s if problem == "moving" else self.lasted_s
        if problem != self._told and not reading and at - self._since >= lasted:
            self._told, self._told_at = problem, at
        return self._told

    def forget(self) -> None:
        """The page was taken away."""
        self._seen = self._told = None


def assess(frame: Frame, before: Frame | None = None) -> PageState:
    """Judge one frame; `before` is the frame before it, to see whether the page lies still."""
    import cv2

    grey = _grey(frame)
    small = smaller(grey, _SMALL)
    if float(small.std()) < PAGE_CONTRAST:
        return PageState(False, "no_page")
    if before is not None and before.shape == frame.shape and _change(small, _small(before)) > STILL:
        return PageState(True, "moving")
    if float(np.percentile(small, 75)) < PAGE_LIGHT:
        return PageState(True, "too_dark")
    if float(cv2.Laplacian(grey, cv2.CV_32F).var()) < SHARP:
        return PageState(True, "blurred")
    return PageState(True, None)


def _small(frame: Frame) -> Frame:
    return smaller(_grey(frame), _SMALL)


def _grey(frame: Frame) -> Frame:
    """The frame in grey, about 640 pixels across."""
    import cv2

    return smaller(np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), dtype=np.uint8), _ACROSS)


def _change(small: Frame, other: Frame) -> float:
    """The mean change of grey levels between two reduced frames; frames of another shape differ in everything."""
    if small.shape != other.shape:
        return 255.0
    return float(np.abs(small.astype(np.int16) - other.astype(np.int16)).mean())


class PageScan:
    """Looks through one camera with the readers of the zone."""

    def __init__(
        self,
        camera: Camera,
        reader: ZoneReader,
        second: SecondReader,
        infrared: Camera | None = None,
        ultraviolet: Camera | None = None,
        text: PrintReader | None = None,
    ) -> None:
        """`infrared`, `ultraviolet`: cameras that see the same glass in such light, where there are any.

        `text` completes a zone from which light that nobody moved away has taken characters.
        """
        self._text = text
        self._infrared = infrared
        self._ultraviolet = ultraviolet
        self._camera = camera
        self._reader = reader
        self._second = second
        self._sequence = -1

    def scan(
        self,
        today: Callable[[], date],
        report: Callable[[PageState], None],
        stopped: Callable[[], bool],
        *,
        fresh: bool = False,
    ) -> Page | None:
        """One try; None when it was stopped. While no page lies there it waits. Never raises for a device.

        `fresh`: wait until the glass is empty first, or the last document would be read twice.
        """
        try:
            while fresh and not stopped():
                state = assess(self._next().image)
                report(state)
                fresh = state.present
            page = self._scan(today, report, stopped)
        except DeviceError:
            page = Page(NO_MRZ, None, "camera_failed", 0.0)
        return None if page is None else self._in_other_light(page, today())

    def _in_other_light(self, page: Page, today: date) -> Page:
        if self._infrared is not None:
            page = replace(page, infrared=check_infrared(self._infrared, self._reader, page.mrz, today))
        if self._ultraviolet is not None:
            page = replace(page, ultraviolet=check_ultraviolet(self._ultraviolet, page.frame))
        return page

    def _next(self) -> CapturedFrame:
        captured = self._camera.latest(seconds=2.0, after=self._sequence)
        self._sequence = captured.sequence
        return captured

    def _scan(
        self, today: Callable[[], date], report: Callable[[PageState], None], stopped: Callable[[], bool]
    ) -> Page | None:
        steering = Steering()
        before: Frame | None = None
        placed = 0.0
        trial = _Trial(self._reader)
        parts: dict[str | None, Part | None] = {}
        while not stopped():
            captured = self._next()
            frame = captured.image
            state = assess(frame, before)
            before = frame
            if not state.present:
                trial, placed = _Trial(self._reader), 0.0
                steering.forget()
                report(PageState(False, None))
                continue
            placed = placed or captured.at
            if state.problem == "moving":
                trial.forget()  # what lies there next may be another document
                problem: str | None = "moving"
            else:
                problem = trial.look(frame, state.problem, today())
                parts[problem] = trial.part
                if self._infrared is not None and not trial.certain:
                    trial.look_in_infrared(self._infrared, today())
                if trial.certain:
                    return trial.page(trial.opinion(), None, time.monotonic() - placed, frame)
            now = time.monotonic()
            told = steering.see(problem, now)
            report(PageState(True, told, parts.get(told)))
            spent = now - placed
            over = spent > (TRY_S if problem else LEAST_TRY_S)
            if problem not in NOT_WHOLE and trial.in_doubt(spent, over):
                opinion = trial.ask(self._second, frame, today())
                if opinion.mrz.key is not None:
                    return trial.page(opinion, None, time.monotonic() - placed, frame)
            if over:
                completed = trial.completed_by(self._text, today())
                opinion, problem = (trial.opinion(), problem) if completed is None else (completed, None)
                return trial.page(opinion, problem, time.monotonic() - placed, frame)
        return None


def check_infrared(camera: Camera, reader: ZoneReader, mrz: Mrz, today: date) -> Check:
    """`mrz_infrared`: the zone must be readable in near-infrared light too, and say the same.

    9303-3 asks for ink that is read in the B900 band (ISO 1831). Never raises for a device.
    """

    def answer(verdict: Verdict, reason: str) -> Check:
        return Check(name=CheckName.MRZ_INFRARED, verdict=verdict, reason=reason)

    if mrz.key is None:
        return answer(Verdict.NOT_CHECKED, "zone_not_read")
    seen: list[Posteriors] = []
    problem: str | None = None
    sequence = -1
    try:
        for _ in range(INFRARED_LOOKS):
            captured = camera.latest(seconds=1.0, after=sequence)
            sequence = captured.sequence
            look = as_far_as_seen(reader.look(captured.image), captured.image)
            problem = look.problem
            seen += [look.posteriors] if look.posteriors and problem != "cut_off" else []
            settled = settle(fuse(seen), today)
            if settled.lines and parse_mrz(settled.lines, today, guarded_only=True).key == mrz.key:
                return answer(Verdict.PASSED, "ok")
    except DeviceError:
        return answer(Verdict.ERROR, "camera_failed")
    if seen:
        return answer(Verdict.FAILED if settled.accepted else Verdict.NOT_CHECKED, "zone_differs")
    if problem in _UNREAD:
        return answer(Verdict.FAILED, "zone_vanishes")
    return answer(Verdict.NOT_CHECKED, problem)


class _Trial:
    """What was seen of one page in one try."""

    def __init__(self, reader: ZoneReader) -> None:
        self._reader = reader
        self._looks: list[Posteriors] = []
        self._second: ZoneReading | None = None
        self._frame: Frame | None = None
        self._corners: Corners = ()
        self._dazzled: Look | None = None  # the last one, where light hides a part of its lines
        self.count = 0
        self.settled: Settled | None = None
        self.part: Part | None = None  # of the lines, that what was told of the last look hides

    def forget(self) -> None:
        """The looks so far may be of another document."""
        self._looks.clear()
        self.settled = self._dazzled = None

    def look(self, frame: Frame, problem: str | None, today: date) -> str | None:
        """One more look; what keeps the page from being read, None where nothing does. `problem`: of the frame."""
        look = as_far_as_seen(self._reader.look(frame), frame)
        self.count += 1
        if look.posteriors and look.problem is None:
            self._looks = [*self._looks, look.posteriors][-MOST_LOOKS:]
            self._frame, self._corners = frame, look.corners
            self._dazzled = look if is_dazzled(look) else None
            self.settled = settle(fuse(self._looks), today)
        obstacle = find_obstacle(frame, look) if self._may_be_hidden(look) else None
        self.part = None if obstacle is None else obstacle.part
        if obstacle is not None:
            return obstacle.problem
        if problem and look.problem in _UNREAD:
            return problem
        return "no_zone" if look.problem == "other_print" else look.problem

    def _may_be_hidden(self, look: Look) -> bool:
        """Lines that are not certain, or something that cannot be read where lines should be."""
        return look.problem in ("blurred", "other_print") or (look.problem is None and not self.certain)

    @property
    def certain(self) -> bool:
        return self.settled is not None and self.settled.accepted

    def look_in_infrared(self, camera: Camera, today: date) -> None:
        """One more look at the same page, in light that shows the zone's ink and little else."""
        try:
            frame = camera.latest(seconds=1.0).image
        except DeviceError:
            return  # told by the check of its own
        look = as_far_as_seen(self._reader.look(frame), frame)
        if look.posteriors and look.problem is None:
            self._looks = [*self._looks, look.posteriors][-MOST_LOOKS:]
            self.settled = settle(fuse(self._looks), today)

    def in_doubt(self, spent: float, over: bool) -> bool:
        """It is time to ask the second reader, which is asked once."""
        return self._second is None and (over or len(self._looks) >= LOOKS or spent > DOUBT_S)

    def ask(self, second: SecondReader, frame: Frame, today: date) -> ZoneReading:
        best = frame if self._frame is None else self._frame
        candidates = second.read(best, today, thorough=bool(self._looks))
        self._second = second_opinion(self.settled, candidates, today, self.count)
        self._frame = best
        return self._second

    def completed_by(self, text: PrintReader | None, today: date) -> ZoneReading | None:
        """What the page's print makes of a zone that stayed in doubt under a reflection, if that is enough."""
        asked = "not_asked" if self._second is None else self._second.record.second_reader
        if text is None or self._frame is None or self._dazzled is None or asked == "differs":
            return None
        if self.opinion().mrz.key is not None:
            return None
        fragments = text.read(self._frame, self._corners)
        return completed_opinion(completed(self._dazzled, fragments, today), today, self.count, asked)

    def opinion(self) -> ZoneReading:
        """What can be said now, certain or not."""
        if self._second is not None and not self.certain:
            return self._second
        if self.settled is not None:
            return first_opinion(self.settled, self.count)
        return ZoneReading(NO_MRZ, "no_zone", PageReading(engine="corridor", looks=self.count))

    def page(self, opinion: ZoneReading, problem: str | None, seconds: float, frame: Frame) -> Page:
        if opinion.mrz.key is None:
            problem = problem or opinion.reason
        kept = self._frame if self._frame is not None else frame
        return Page(opinion.mrz, kept, problem, seconds, self._corners, opinion)


class FrontScan:
    """Waits until a card was turned over, and reads the print of its other side."""

    def __init__(self, camera: Camera, reader: ZoneReader, text: PrintReader) -> None:
        self._camera = camera
        self._reader = reader
        self._text = text
        self._sequence = -1

    def scan(
        self, back: Page, report: Callable[[PageState], None], stopped: Callable[[], bool]
    ) -> tuple[Check, Frame | None, float] | None:
        """`mrz_viz` of the card whose zone `back` is, the frame it comes from, and the machine's seconds.

        None when it was stopped. While no card lies there it waits. Never raises for a device.
        """
        try:
            return self._scan(back, report, stopped)
        except DeviceError:
            return _viz(Verdict.ERROR, "camera_failed"), None, 0.0

    def _scan(
        self, back: Page, report: Callable[[PageState], None], stopped: Callable[[], bool]
    ) -> tuple[Check, Frame | None, float] | None:
        steering = Steering()
        zone_side = None if back.frame is None else _small(back.frame)
        before: Frame | None = None
        lying = 0.0
        fragments: list[Fragment] = []
        readings, spent = 0, 0.0
        while not stopped():
            captured = self._camera.latest(seconds=2.0, after=self._sequence)
            self._sequence, frame = captured.sequence, captured.image
            state = assess(frame, before)
            before = frame
            now = time.monotonic()
            if not state.present:
                lying = 0.0
                steering.forget()
                report(PageState(False, None))
                continue
            lying = lying or now
            problem = state.problem
            if problem is None and self._is_zone_side(frame, zone_side):
                problem = "zone_side"
            report(PageState(True, steering.see(problem, now)))
            if problem is None:
                fragments += self._text.read(frame, (), back.mrz)
                readings, spent = readings + 1, spent + time.monotonic() - now
                check = compare_print(fragments, back.mrz)
                if check.verdict is Verdict.PASSED or readings >= FRONT_LOOKS:
                    return check, frame, spent
            if now - lying > TURN_S:
                return _viz(Verdict.NOT_CHECKED, "front_not_shown"), None, spent
        return None

    def _is_zone_side(self, frame: Frame, zone_side: Frame | None) -> bool:
        if zone_side is not None and _change(_small(frame), zone_side) < OTHER_SIDE:
            return True
        return bool(self._reader.look(frame).posteriors)


def compare_print(fragments: Sequence[Fragment], mrz: Mrz) -> Check:
    """`mrz_viz`: the print beside the zone. A zone whose names were not read leaves the names uncompared."""
    check = compare_viz(fragments, mrz).check
    if check.verdict is Verdict.PASSED and mrz.surname is None and mrz.given_names is None:
        return _viz(Verdict.NOT_CHECKED, "names_not_read")
    return check


def turns(mrz: Mrz, check: Check) -> bool:
    """The document has to be turned over: a card that does not show its names beside its zone."""
    if mrz.format is DocumentFormat.TD1:
        return True
    return mrz.format is DocumentFormat.TD2 and check.verdict is Verdict.NOT_CHECKED


def _viz(verdict: Verdict, reason: str) -> Check:
    return Check(name=CheckName.MRZ_VIZ, verdict=verdict, reason=reason)


def page_document(
    mrz: Mrz,
    today: date,
    chip_reason: str,
    problem: str | None = None,
    reading: ZoneReading | None = None,
    infrared: Check | None = None,
    ultraviolet: Check | None = None,
) -> TravelDocument:
    """The document as the page alone shows it: the optical checks, and every other check NOT_CHECKED.

    `problem` is what kept the camera from reading, when no zone was found at all.
    """
    checks = {check.name: check for check in mrz.checks(today)}
    if mrz is NO_MRZ and problem is not None:
        verdict = Verdict.ERROR if problem == "camera_failed" else Verdict.FAILED
        checks[CheckName.MRZ_READ] = Check(name=CheckName.MRZ_READ, verdict=verdict, reason=problem)
    elif reading is not None and checks[CheckName.MRZ_READ].verdict is Verdict.PASSED:
        checks[CheckName.MRZ_READ] = Check(name=CheckName.MRZ_READ, verdict=Verdict.PASSED, reason=reading.reason)
    checks[CheckName.MRZ_VIZ] = _viz(Verdict.NOT_CHECKED, "not_reached")
    checks[CheckName.MRZ_INFRARED] = infrared or Check(
        name=CheckName.MRZ_INFRARED, verdict=Verdict.NOT_PRESENT, reason="no_infrared"
    )
    checks[CheckName.PAGE_ULTRAVIOLET] = ultraviolet or Check(
        name=CheckName.PAGE_ULTRAVIOLET, verdict=Verdict.NOT_PRESENT, reason="no_ultraviolet"
    )
    checks[CheckName.PAGE_PORTRAIT] = Check(
        name=CheckName.PAGE_PORTRAIT, verdict=Verdict.NOT_CHECKED, reason="not_reached"
    )
    for name in DOCUMENT_CHECKS:
        checks.setdefault(name, Check(name=name, verdict=Verdict.NOT_CHECKED, reason=chip_reason))
    return mrz.document.model_copy(
        update={
            "checks": tuple(checks[name] for name in DOCUMENT_CHECKS),
            "reading": None if reading is None else reading.record,
        }
    )


def with_check(document: TravelDocument, check: Check) -> TravelDocument:
    """The document with one check's answer put in its place."""
    checks = tuple(check if each.name is check.name else each for each in document.checks)
    return document.model_copy(update={"checks": checks})
