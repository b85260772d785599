"""The printed page: what lies on the glass, why it cannot be read, and what one try makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pytest
from film_camera import Film

from contracts.checks import DOCUMENT_CHECKS, Check, CheckName, Verdict
from contracts.party import DocumentFormat, PageReading
from documents.mrz import ALPHABET, NO_MRZ, Mrz, compose_td1, compose_td3, parse_mrz
from documents.viz import Fragment
from hardware.ports import Frame
from hardware.simulators.camera import in_ultraviolet
from kiosk import document_page
from kiosk.document_page import (
    FrontScan,
    Page,
    PageScan,
    PageState,
    Steering,
    assess,
    compare_print,
    page_document,
    turns,
    with_check,
)
from kiosk.mrz.passporteye import PassportEyeReader
from kiosk.mrz.read import Look
from kiosk.mrz.reading import ZoneReading

TODAY = date(2026, 11, 21)
PERSON = {
    "issuer": "UTO",
    "surname": "Harada",
    "given_names": "Mei",
    "nationality": "UTO",
    "birth_date": date(1997, 9, 12),
    "sex": "F",
    "expiry_date": date(2032, 5, 19),
}
PASSPORT = compose_td3(number="K46281937", **PERSON)  # type: ignore[arg-type]  # as in PERSON
OTHER = compose_td3(number="L11111111", **PERSON)  # type: ignore[arg-type]  # as in PERSON
CARD = compose_td1(number="K46281937", **PERSON)  # type: ignore[arg-type]  # as in PERSON


@pytest.fixture(scope="module")
def second() -> Iterator[PassportEyeReader]:
    reader = PassportEyeReader()
    yield reader
    reader.close()


@pytest.mark.parametrize("shape", [(480, 640, 3), (1, 1, 3), (2, 4000, 3), (1200, 40, 3)])
def test_no_image_stops_the_second_reader(second: PassportEyeReader, shape: tuple[int, int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 255, shape, dtype=np.uint8)
    for lines in second.read(noise, TODAY) or ():
        assert parse_mrz(lines, TODAY, guarded_only=True).key is None


def test_a_second_reader_that_died_is_started_again(second: PassportEyeReader) -> None:
    blank = np.full((200, 300, 3), 255, dtype=np.uint8)
    second.read(blank, TODAY)
    second.close()
    assert second.read(blank, TODAY) == ()


# -- one frame ----------------------------------------------------------------------------------------------------


def glass() -> Frame:
    noise = np.random.default_rng(2).integers(0, 6, (480, 640, 3), dtype=np.uint8)
    return np.asarray(noise + np.uint8(18), np.uint8)


def paper(shift: int = 0, shade: int = 200) -> Frame:
    page = glass()
    page[60:420, 80 + shift : 560 + shift] = shade
    page[300:400:4, 100 + shift : 540 + shift : 3] = 20
    return page


def test_the_glass_is_told_from_a_page() -> None:
    assert assess(glass()).problem == "no_page"
    assert assess(paper()).problem is None
    assert assess(paper(), glass()).problem == "moving"
    assert assess(np.asarray(paper() // 5 + 2, np.uint8)).problem in ("too_dark", "blurred")


def test_a_page_that_was_not_read_says_so_in_every_check() -> None:
    document = page_document(NO_MRZ, TODAY, "not_reached", "too_dark")
    assert tuple(check.name for check in document.checks) == DOCUMENT_CHECKS
    read = document.checks[0]
    assert (read.name, read.verdict, read.reason) == (CheckName.MRZ_READ, Verdict.FAILED, "too_dark")
    assert all(check.verdict is not Verdict.PASSED for check in document.checks)


# -- words that do not flicker ------------------------------------------------------------------------------------


def test_a_problem_is_told_when_it_has_lasted_and_stays_until_it_could_be_read() -> None:
    steering = Steering(lasted_s=0.4, stays_s=1.5)
    assert steering.see("glare", 0.0) is None
    assert steering.see("glare", 0.3) is None
    assert steering.see("glare", 0.5) == "glare"
    assert steering.see(None, 0.6) == "glare"
    assert steering.see(None, 1.9) == "glare"
    assert steering.see(None, 2.1) is None


def test_what_comes_and_goes_from_frame_to_frame_is_never_told() -> None:
    steering = Steering(lasted_s=0.4, stays_s=1.5)
    told = [steering.see(("glare", "blurred")[frame % 2], frame * 0.08) for frame in range(100)]
    assert set(told) == {None}


def test_a_page_that_lies_still_is_told_of_within_200_milliseconds_and_a_moving_one_later() -> None:
    steering = Steering()
    assert steering.see("cut_off", 10.0) is None, "one look may be wrong"
    assert steering.see("cut_off", 10.2) == "cut_off"
    moving = Steering()
    assert moving.see("moving", 10.0) is moving.see("moving", 10.3) is None
    assert moving.see("cut_off", 10.4) is None
    assert moving.see("cut_off", 10.6) == "cut_off"


def test_a_page_that_was_taken_away_is_spoken_of_no_longer() -> None:
    steering = Steering(lasted_s=0.0, stays_s=1.5)
    assert steering.see("glare", 0.0) == "glare"
    steering.forget()
    assert steering.see(None, 0.1) is None


# -- one try ------------------------------------------------------------------------------------------------------


def sees(lines: tuple[str, ...], sure: float = 0.999, doubt: tuple[int, int, str] | None = None) -> Look:
    """A look at these lines; `doubt`: at line and column, as likely another character."""
    posteriors = []
    for row, line in enumerate(lines):
        rows = np.full((len(line), 37), (1 - sure) / 36, dtype=np.float32)
        rows[np.arange(len(line)), [ALPHABET.index(character) for character in line]] = sure
        if doubt is not None and doubt[0] == row:
            rows[doubt[1]] = 1e-6
            rows[doubt[1], ALPHABET.index(line[doubt[1]])] = rows[doubt[1], ALPHABET.index(doubt[2])] = 0.5
        posteriors.append(np.asarray(rows, np.float32))
    return Look(tuple(posteriors), tuple(np.zeros((4, 2)) for _ in lines), None)


NOTHING = Look((), (), "no_zone")


@dataclass
class Eyes:
    """Looks told one by one, the last for ever; `where` chooses by the frame instead."""

    looks: Sequence[Look] = (NOTHING,)
    where: Callable[[Frame], Look] | None = None
    count: int = 0

    def look(self, frame: Frame) -> Look:
        self.count += 1
        if self.where is not None:
            return self.where(frame)
        return self.looks[min(self.count, len(self.looks)) - 1]


@dataclass
class Second:
    candidates: tuple[tuple[str, ...], ...] = ()
    asked: int = 0

    def read(self, image: Frame, today: date, *, thorough: bool = False) -> tuple[tuple[str, ...], ...]:
        self.asked += 1
        return self.candidates


@dataclass
class Prints:
    """The print of a page, told."""

    texts: tuple[str, ...]
    reads: int = 0

    def read(self, frame: Frame, corners: Sequence[object] = (), mrz: Mrz | None = None) -> tuple[Fragment, ...]:
        self.reads += 1
        return tuple(
            Fragment(text, 0.99, (100.0, 40.0 * row, 400.0, 40.0 * row + 30))
            for row, text in enumerate(self.texts)
        )


@dataclass
class Reports:
    seen: list[PageState] = field(default_factory=list)

    def __call__(self, state: PageState) -> None:
        self.seen.append(state)

    @property
    def told(self) -> set[str | None]:
        return {state.problem for state in self.seen}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The times of a try, short: what is tested is what happens when they are over."""
    for name in ("TRY_S", "LEAST_TRY_S", "DOUBT_S", "TURN_S"):
        monkeypatch.setattr(document_page, name, 0.3)


def scan(film: Film, eyes: Eyes, second: Second, report: Reports | None = None) -> Page:
    page = PageScan(film, eyes, second).scan(lambda: TODAY, report or Reports(), lambda: False)
    assert page is not None
    return page


def test_a_certain_look_is_enough_and_brings_the_names() -> None:
    eyes, second = Eyes([sees(PASSPORT)]), Second()
    page = scan(Film([glass(), glass(), paper()]), eyes, second)
    assert page.legible
    assert (page.mrz.surname, page.mrz.nationality, page.mrz.sex) == ("HARADA", "UTO", "F")
    assert (second.asked, page.problem, len(page.corners)) == (0, None, 2)
    assert page.reading is not None
    assert page.reading.record == PageReading(engine="corridor", looks=1)


def test_several_looks_settle_what_one_could_not() -> None:
    doubtful, better = sees(PASSPORT, doubt=(0, 5, "W")), sees(PASSPORT)
    page = scan(Film([glass(), paper()]), Eyes([doubtful, better]), Second())
    assert page.mrz.surname == "HARADA"
    assert page.reading is not None
    assert page.reading.record.looks > 1
    assert page.reading.record.second_reader == "not_asked"


def test_the_second_reader_is_asked_once_and_only_in_doubt(quick: None) -> None:
    second = Second((PASSPORT,))
    page = scan(Film([paper()]), Eyes([sees(PASSPORT, doubt=(0, 5, "W"))]), second)
    assert page.legible
    assert (second.asked, page.mrz.surname) == (1, None)
    document = page_document(page.mrz, TODAY, "not_reached", page.problem, page.reading)
    assert (document.checks[0].verdict, document.checks[0].reason) == (Verdict.PASSED, "second_reader")
    assert document.reading is not None
    assert document.reading.second_reader == "agrees"


def test_doubt_that_stays_is_told_and_never_read_as_something(quick: None) -> None:
    second = Second()
    page = scan(Film([paper()]), Eyes([sees(PASSPORT, doubt=(0, 5, "W"))]), second)
    assert not page.legible
    assert page.problem == "ambiguous_name"
    assert second.asked == 1
    document = page_document(page.mrz, TODAY, "not_reached", page.problem, page.reading)
    assert (document.checks[0].verdict, document.checks[0].reason) == (Verdict.FAILED, "ambiguous_name")
    assert document.number is None


@pytest.mark.parametrize("problem", ["glare", "cut_off", "too_far", "no_zone", "several_documents"])
def test_what_keeps_a_page_from_being_read_is_told_while_it_lies_there(
    problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document_page, "TRY_S", 0.9)
    lines = sees(PASSPORT) if problem == "several_documents" else NOTHING
    report, second = Reports(), Second()
    page = scan(Film([paper()]), Eyes([Look(lines.posteriors, lines.corners, problem)]), second, report)
    assert page.problem == problem
    assert report.told == {None, problem}
    assert second.asked == (0 if problem in ("several_documents", "cut_off") else 1), "only a whole is asked about"


@pytest.mark.parametrize(("lamp", "told"), [(False, "no_zone"), (True, "glare")])
def test_other_print_is_no_photo_page_unless_light_hides_what_it_is(
    lamp: bool, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document_page, "TRY_S", 0.9)
    frame, report = paper(), Reports()
    if lamp:
        frame[200:300, 200:300] = 255
    assert scan(Film([frame]), Eyes([Look((), (), "other_print")]), Second(), report).problem == told
    assert report.told == {None, told}


def test_light_on_a_part_of_the_lines_is_told_with_the_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document_page, "TRY_S", 0.9)
    burnt = paper()
    burnt[290:410, 100:300] = 255
    corners = tuple(
        np.array([(90.0, top), (550.0, top), (550.0, top + 20), (90.0, top + 20)]) for top in (310, 350)
    )
    report = Reports()
    look = replace(sees(PASSPORT, doubt=(0, 5, "W")), corners=corners)
    page = scan(Film([burnt]), Eyes([look]), Second(), report)
    assert (page.legible, page.problem) == (False, "glare")
    assert {(state.problem, state.part) for state in report.seen} == {(None, None), ("glare", "start")}


def dazzled() -> Look:
    """A look at a passport, of which light hides two characters of the number and the surname."""
    look = sees(PASSPORT)
    ink = tuple(np.ones(len(line)) for line in PASSPORT)
    ink[0][7:9] = ink[1][4:6] = 0.1
    for rows, share in zip(look.posteriors, ink, strict=True):
        rows[share < 1] = 1 / 37
    return replace(look, ink=ink)


@pytest.mark.parametrize(
    ("candidates", "printed", "number"),
    [
        ((), ("HARADA", "K46281937"), "K46281937"),
        ((), ("HARADA", "K46291937"), None),  # against the check digit
        ((), (), None),
        ((OTHER,), ("HARADA", "K46281937"), None),  # the second reader differs
    ],
)
def test_what_light_hid_for_a_whole_try_is_put_back_from_the_print_for_the_chip_alone(
    quick: None, candidates: tuple[tuple[str, ...], ...], printed: tuple[str, ...], number: str | None
) -> None:
    text = Prints(printed)
    look = dazzled()
    page = PageScan(Film([paper()]), Eyes([look]), Second(candidates), text=text).scan(
        lambda: TODAY, Reports(), lambda: False
    )
    assert page is not None
    assert (page.mrz.number, page.mrz.surname) == (number, None)
    document = page_document(page.mrz, TODAY, "not_reached", page.problem, page.reading)
    read = document.checks[0]
    if number is None:
        assert (page.legible, read.verdict) == (False, Verdict.FAILED)
        return
    assert (page.legible, page.problem) == (True, None)
    assert (read.verdict, read.reason) == (Verdict.PASSED, "completed")
    assert document.reading is not None
    assert document.reading.second_reader == "silent"
    assert compare_print(text.read(paper()), page.mrz).verdict is Verdict.NOT_CHECKED, "it was taken from itself"


def test_print_is_asked_only_where_light_lies_and_when_the_try_is_over(quick: None) -> None:
    text = Prints(("HARADA", "K46281937"))
    for eyes in (Eyes([dazzled(), sees(PASSPORT)]), Eyes([sees(PASSPORT, doubt=(0, 5, "W"))])):
        PageScan(Film([paper()]), eyes, Second(), text=text).scan(lambda: TODAY, Reports(), lambda: False)
    assert text.reads == 0


def test_a_page_that_is_exchanged_is_not_mixed_with_the_one_before() -> None:
    """Two passports, one after the other without an empty glass between: looks of both are never added up."""
    doubtful = [sees(PASSPORT, doubt=(0, 5, "W"))] * 3
    frames = [paper(), paper(), paper(), paper(60), paper(-60), paper(0), paper(0)]
    page = scan(Film(frames), Eyes([*doubtful, sees(OTHER)]), Second())
    assert page.mrz.number == "L11111111"


def test_a_camera_that_fails_is_told() -> None:
    page = scan(Film([glass()], fails=True), Eyes(), Second())
    assert (page.problem, page.legible) == ("camera_failed", False)
    assert page_document(page.mrz, TODAY, "x1", page.problem, page.reading).checks[0].verdict is Verdict.ERROR


def test_a_scan_that_is_no_longer_wanted_ends() -> None:
    assert PageScan(Film([paper()]), Eyes(), Second()).scan(lambda: TODAY, Reports(), lambda: True) is None


def test_the_next_document_is_waited_for_until_the_glass_was_empty() -> None:
    eyes = Eyes([sees(PASSPORT)])
    film = Film([paper()] * 4 + [glass(), glass(), paper(30), paper(30)])
    page = PageScan(film, eyes, Second()).scan(lambda: TODAY, Reports(), lambda: False, fresh=True)
    assert page is not None
    assert page.legible
    assert eyes.count == 1


# -- the other side of a card -------------------------------------------------------------------------------------


def front() -> Frame:
    side = glass()
    side[60:420, 80:560] = 225
    side[90:330, 110:300] = 90
    side[120:320:9, 330:540] = 30
    return side


HONEST = (
    "Surname",
    "Harada",
    "Given names",
    "Mei",
    "Document No.",
    "K46281937",
    "Date of birth",
    "12 SEP 1997",
    "Date of expiry",
    "19 MAY 2032",
)


def back_of_card() -> Page:
    return Page(parse_mrz(CARD, TODAY), paper(), None, 0.5)


def turned(film: Film, prints: Prints, stopped: Callable[[], bool] = lambda: False) -> Check | None:
    def where(frame: Frame) -> Look:
        return sees(CARD) if bool((frame[304, 103] == 20).all()) else NOTHING

    found = FrontScan(film, Eyes(where=where), prints).scan(back_of_card(), Reports(), stopped)
    return None if found is None else found[0]


def test_a_card_is_read_when_it_was_turned_over_and_not_before() -> None:
    prints = Prints(HONEST)
    check = turned(Film([paper(), paper(), glass(), glass(), front(), front()]), prints)
    assert check == Check(name=CheckName.MRZ_VIZ, verdict=Verdict.PASSED, reason="ok")
    assert prints.reads == 1


def test_a_card_with_another_name_on_its_front_fails() -> None:
    check = turned(Film([glass(), front()]), Prints(("Surname", "Tanaka", *HONEST[2:])))
    assert check is not None
    assert (check.verdict, check.reason) == (Verdict.FAILED, "surname_differs")


def test_a_card_that_is_not_turned_over_stays_unchecked(quick: None) -> None:
    prints = Prints(HONEST)
    check = turned(Film([paper()]), prints)
    assert check is not None
    assert (check.verdict, check.reason) == (Verdict.NOT_CHECKED, "front_not_shown")
    assert prints.reads == 0


def test_a_camera_that_fails_meanwhile_is_told() -> None:
    check = turned(Film([glass()], fails=True), Prints(HONEST))
    assert check is not None
    assert check.verdict is Verdict.ERROR


def test_nobody_who_comes_back_means_no_answer() -> None:
    assert turned(Film([glass()]), Prints(HONEST), stopped=iter([False] * 5 + [True] * 9).__next__) is None


@pytest.mark.parametrize(
    ("document_format", "verdict", "expected"),
    [
        (DocumentFormat.TD1, Verdict.NOT_CHECKED, True),
        (DocumentFormat.TD1, Verdict.PASSED, True),
        (DocumentFormat.TD2, Verdict.PASSED, False),
        (DocumentFormat.TD2, Verdict.FAILED, False),
        (DocumentFormat.TD2, Verdict.NOT_CHECKED, True),
        (DocumentFormat.TD3, Verdict.NOT_CHECKED, False),
    ],
)
def test_which_documents_are_turned_over(
    document_format: DocumentFormat, verdict: Verdict, expected: bool
) -> None:
    check = Check(name=CheckName.MRZ_VIZ, verdict=verdict, reason="told")
    assert turns(Mrz(document_format), check) is expected


def test_names_that_the_zone_did_not_give_are_names_that_nobody_compared() -> None:
    unnamed = parse_mrz(PASSPORT, TODAY, guarded_only=True)
    fragments = Prints(HONEST).read(paper())
    check = document_page.compare_print(fragments, unnamed)
    assert check.verdict is Verdict.NOT_CHECKED
    assert document_page.compare_print(fragments, parse_mrz(PASSPORT, TODAY)).verdict is Verdict.PASSED


def test_an_answer_takes_the_place_of_the_one_before() -> None:
    document = page_document(parse_mrz(PASSPORT, TODAY), TODAY, "not_reached")
    passed = Check(name=CheckName.MRZ_VIZ, verdict=Verdict.PASSED, reason="ok")
    changed = with_check(document, passed)
    assert changed.checks[3] == passed
    assert [check.name for check in changed.checks] == list(DOCUMENT_CHECKS)


def test_a_reading_is_told_without_what_was_read() -> None:
    reading = ZoneReading(parse_mrz(PASSPORT, TODAY), "ok", PageReading(engine="corridor", looks=2))
    page = Page(reading.mrz, paper(), None, 0.1, (), reading)
    assert "HARADA" not in repr(page) + repr(reading) + reading.record.model_dump_json()


# -- infrared light -----------------------------------------------------------------------------------------------


def infrared(eyes: Eyes, *, fails: bool = False, lines: tuple[str, ...] = PASSPORT) -> tuple[Verdict, str]:
    camera = Film([] if fails else [paper()], fails=fails)
    check = document_page.check_infrared(camera, eyes, parse_mrz(lines, TODAY), TODAY)
    assert check.name is CheckName.MRZ_INFRARED
    return check.verdict, check.reason


def test_a_zone_that_says_the_same_in_infrared_light_passes() -> None:
    assert infrared(Eyes([NOTHING, sees(PASSPORT)])) == (Verdict.PASSED, "ok")
    doubtful_name = Eyes([sees(PASSPORT, doubt=(0, 5, "W"))])
    assert infrared(doubtful_name) == (Verdict.PASSED, "ok"), "number and dates are what is compared"


def test_ink_that_vanishes_in_infrared_light_fails() -> None:
    assert infrared(Eyes([NOTHING])) == (Verdict.FAILED, "zone_vanishes")


def test_a_zone_that_says_something_else_in_infrared_light_fails() -> None:
    assert infrared(Eyes([sees(OTHER)])) == (Verdict.FAILED, "zone_differs")


def test_a_lamp_or_camera_that_fails_accuses_nobody() -> None:
    assert infrared(Eyes(), fails=True) == (Verdict.ERROR, "camera_failed")
    assert infrared(Eyes([Look((), (), "too_dark")])) == (Verdict.NOT_CHECKED, "too_dark")
    check = document_page.check_infrared(Film([paper()]), Eyes(), NO_MRZ, TODAY)
    assert (check.verdict, check.reason) == (Verdict.NOT_CHECKED, "zone_not_read")


def test_infrared_light_helps_to_read_and_is_recorded() -> None:
    film = Film([paper()])
    looks = [sees(PASSPORT, doubt=(0, 5, "W")), sees(PASSPORT)]  # visible, then infrared
    page = PageScan(film, Eyes(looks), Second(), film).scan(lambda: TODAY, Reports(), lambda: False)
    assert page is not None
    assert page.mrz.surname == "HARADA"
    assert page.infrared is not None
    document = page_document(page.mrz, TODAY, "not_reached", None, page.reading, page.infrared)
    assert {check.name: check.verdict for check in document.checks}[CheckName.MRZ_INFRARED] is Verdict.PASSED


# -- ultraviolet light (what it says: test_kiosk_page_ultraviolet.py) ---------------------------------------------


def told_of_paper(film: Film, **light: Film) -> tuple[Verdict, str]:
    page = PageScan(film, Eyes([sees(PASSPORT)]), Second(), **light).scan(lambda: TODAY, Reports(), lambda: False)
    assert page is not None
    document = page_document(
        page.mrz, TODAY, "not_reached", page.problem, page.reading, page.infrared, page.ultraviolet
    )
    check = {check.name: check for check in document.checks}[CheckName.PAGE_ULTRAVIOLET]
    return check.verdict, check.reason


def test_the_paper_is_looked_at_where_the_kiosk_has_ultraviolet_light() -> None:
    page = paper(shade=235)
    film = Film([page])
    assert told_of_paper(film, ultraviolet=Film([in_ultraviolet(page)])) == (Verdict.PASSED, "ok")
    copier = Film([in_ultraviolet(page, brightened=True)])
    assert told_of_paper(film, ultraviolet=copier) == (Verdict.FAILED, "office_paper")
    assert told_of_paper(film) == (Verdict.NOT_PRESENT, "no_ultraviolet")


def test_without_the_page_other_light_was_there_and_said_nothing() -> None:
    """A document camera that fails leaves no NOT_PRESENT behind where the kiosk does have the light."""
    broken, other = Film([], fails=True), Film([paper()])
    assert told_of_paper(broken, ultraviolet=other) == (Verdict.NOT_CHECKED, "page_not_seen")
    page = PageScan(broken, Eyes(), Second(), other).scan(lambda: TODAY, Reports(), lambda: False)
    assert page is not None
    assert page.infrared is not None
    assert (page.infrared.verdict, page.infrared.reason) == (Verdict.NOT_CHECKED, "zone_not_read")
