"""Posteriors settled into a zone: what is accepted is right, what is in doubt is named, and nothing raises."""

from __future__ import annotations

import random
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mrz_recognition import doubted, printed, recognised

from contracts.checks import CheckName, Verdict
from contracts.party import DocumentFormat
from documents.mrz import ALPHABET, compose_td1, compose_td3, parse_mrz
from documents.mrz.generate import generate
from documents.mrz.settle import CERTAIN_CHARACTER, settle

TODAY = date(2026, 11, 21)
FORMATS = [format for format in DocumentFormat if format is not DocumentFormat.UNKNOWN]
ANNA = {
    "issuer": "UTO",
    "surname": "Eriksson",
    "given_names": "Anna Maria",
    "nationality": "UTO",
    "birth_date": date(1974, 8, 12),
    "sex": "F",
    "expiry_date": date(2032, 4, 15),
}
TD3 = compose_td3(**ANNA, number="L898902C3", personal_number="ZE184226B")  # type: ignore[arg-type]


@pytest.mark.parametrize("format", FORMATS)
def test_what_is_plainly_printed_is_read(format: DocumentFormat) -> None:
    source = random.Random(f"plain {format}")
    for _ in range(60):
        zone = generate(source, format)
        settled = settle(printed(zone.lines), TODAY)
        assert (settled.accepted, settled.reason, settled.lines) == (True, "ok", zone.lines)
        assert settled.mrz.number == zone.number
        assert settled.repairs == ()


@pytest.mark.parametrize(
    ("line", "column", "shares", "read"),
    [
        (1, 1, {"B": 0.7, "8": 0.3}, "B"),  # the number, told by its check digit
        (1, 13, {"T": 0.8, "7": 0.2}, "T"),  # a date has no letters
        (1, 9, {"G": 0.6, "6": 0.4}, "G"),  # nor has a check digit
        (0, 8, {"1": 0.8, "I": 0.1, "L": 0.1}, None),  # a name has no digits, but I and L have the same right
        (0, 30, {"K": 0.9, "<": 0.1}, "K"),  # behind a name there are fillers
        (0, 2, {"O": 0.6, "U": 0.4}, "O"),  # OTO is no country
        (1, 20, {"E": 0.6, "F": 0.4}, "E"),
        (1, 43, {"G": 0.9, "6": 0.1}, "G"),
    ],
)
def test_a_misread_character_is_repaired_and_named(
    line: int, column: int, shares: dict[str, float], read: str | None
) -> None:
    settled = settle(doubted(printed(TD3), line, column, shares), TODAY)
    if read is None:
        assert (settled.accepted, settled.reason) == (False, "ambiguous_name")
        return
    assert (settled.reason, settled.lines) == ("ok", TD3)
    (repair,) = settled.repairs
    assert (repair.line, repair.column, repair.read, repair.repaired) == (line, column, read, TD3[line][column])
    assert settled.confidence[line][column] == pytest.approx(shares[TD3[line][column]], abs=1e-3)
    assert settled.mrz.certainty("sex") is not None


@pytest.mark.parametrize(
    ("line", "column", "shares", "reason"),
    [
        # No check digit tells these from each other: 9 = J = T, 8 = I = S, 2 = C = M = W, 0 = U = K = <
        (1, 2, {"9": 0.9, "J": 0.1}, "ambiguous_number"),
        (1, 1, {"8": 0.9, "S": 0.1}, "ambiguous_number"),
        (1, 7, {"C": 0.95, "W": 0.05}, "ambiguous_number"),
        (1, 29, {"E": 0.9, "O": 0.1}, "ambiguous_optional"),
        (1, 37, {"<": 0.9, "K": 0.1}, "ambiguous_optional"),
        (0, 5, {"E": 0.9, "F": 0.1}, "ambiguous_name"),
        (0, 21, {"A": 0.9, "<": 0.1}, "ambiguous_name"),
        (0, 1, {"<": 0.9, "D": 0.1}, "ambiguous_document_code"),
        (1, 20, {"F": 0.9, "M": 0.1}, "ambiguous_sex"),
    ],
)
def test_what_no_rule_decides_is_ambiguous(line: int, column: int, shares: dict[str, float], reason: str) -> None:
    settled = settle(doubted(printed(TD3), line, column, shares), TODAY)
    assert (settled.accepted, settled.reason) == (False, reason)
    assert settled.lines == TD3  # still the best reading
    assert settled.mrz.key is None


def test_two_countries_are_ambiguous() -> None:
    lines = compose_td3(**{**ANNA, "nationality": "AUS"}, number="L898902C3")  # type: ignore[arg-type]
    settled = settle(doubted(printed(lines), 1, 12, {"S": 0.9, "T": 0.1}), TODAY)
    assert (settled.accepted, settled.reason) == (False, "ambiguous_nationality")


def test_a_repair_that_the_image_does_not_show_is_refused() -> None:
    wrong = (
        TD3[1][:3] + "7" + TD3[1][4:]
    )  # the check digits ask for an 8 there, and nothing on the page looks like one
    posteriors = doubted(printed((TD3[0], wrong)), 1, 3, {"7": 0.97, "1": 0.03})
    settled = settle(posteriors, TODAY)
    assert (settled.accepted, settled.reason) == (False, "unsupported_number")


def test_a_certain_specimen_that_breaks_the_rules_is_read_and_said_to() -> None:
    wrong = (TD3[0], TD3[1][:3] + "7" + TD3[1][4:])
    settled = settle(printed(wrong, 0.99999), TODAY)
    assert (settled.accepted, settled.reason, settled.lines) == (True, "non_conforming", wrong)
    checks = {check.name: check for check in settled.mrz.checks(TODAY)}
    assert checks[CheckName.MRZ_CHECK_DIGITS].verdict is Verdict.FAILED
    assert checks[CheckName.MRZ_CHECK_DIGITS].reason == "check_digit_number"
    # One character anywhere that is less than certain, and it is no longer believed.
    doubtful = doubted(printed(wrong, 0.99999), 0, 7, {"I": CERTAIN_CHARACTER - 0.005, "T": 0.015})
    assert not settle(doubtful, TODAY).accepted


def test_a_letter_in_a_date_is_a_misread_digit_however_sure_the_recogniser_is() -> None:
    wrong = (TD3[0], TD3[1][:27].replace("3204", "32O4") + TD3[1][27:])
    settled = settle(printed(wrong, 0.99999), TODAY)
    assert (settled.accepted, settled.reason, settled.lines) == (False, "unsupported_expiry_date", TD3)


def test_impossible_dates_are_read_and_said_to_be_so() -> None:
    lines = compose_td1(**{**ANNA, "birth_date": "740230"}, number="D23145890")  # type: ignore[arg-type]
    settled = settle(printed(lines), TODAY)
    assert (settled.accepted, settled.reason) == (True, "non_conforming")
    assert settled.mrz.verdict("birth_date").reason == "impossible_date"
    doubtful = doubted(printed(lines), 0, 9, {"4": 0.9, "A": 0.1})
    assert settle(doubtful, TODAY).reason == "unsupported_birth_date"


def test_any_text_of_the_right_length_is_not_a_zone() -> None:
    lines = ("THEQUICKBROWNFOXJUMPSOVERTHELAZYDOGANDRUNS", "PACKMYBOXWITHFIVEDOZENLIQUORJUGSQUICKLYNOW")
    settled = settle(printed([line.ljust(44, "X") for line in lines], 0.99999), TODAY)
    assert (settled.accepted, settled.reason) == (False, "no_zone")


def test_a_zone_cut_at_the_wrong_place_is_not_a_zone() -> None:
    """Its first eight columns are missing: two certain lines of 36, whose number and birth hold by chance."""
    lines = ("IZEN<<JANE".ljust(36, "<"), "97AUS8406077F1903212<17331334P<<<<08")
    assert parse_mrz(lines, TODAY).verdict("number").passed
    settled = settle(printed(lines, 0.99999), TODAY)
    assert (settled.accepted, settled.reason) == (False, "no_zone")


def test_residence_permits_with_a_digit_in_their_code_are_read() -> None:
    lines = compose_td1(**ANNA, number="000001067", document_code="C1", optional="SRC0000000773")  # type: ignore[arg-type]
    settled = settle(printed(lines), TODAY)
    assert (settled.accepted, settled.lines, settled.mrz.document_code) == (True, lines, "C1")


@pytest.mark.parametrize("noise", [0.03, 0.06, 0.1])
def test_what_is_accepted_is_right(noise: float) -> None:
    """Names have no check digit, so what is accepted may be wrong as often as its certainty says, and no more."""
    source = random.Random(noise)
    accepted = wrong = wrong_guarded = 0
    expected = 0.0
    for seed in range(150):
        zone = generate(source)
        settled = settle(recognised(zone.lines, seed, noise), TODAY)
        if settled.accepted:
            accepted += 1
            expected += 1 - settled.certainty
            wrong += settled.lines != zone.lines
            key = parse_mrz(zone.lines, TODAY)
            wrong_guarded += (settled.mrz.number, settled.mrz.birth, settled.mrz.expiry) != (
                key.number,
                key.birth,
                key.expiry,
            )
    assert accepted > {0.03: 140, 0.06: 75, 0.1: 10}[noise]
    assert wrong_guarded == 0
    assert wrong <= expected + 2


def test_repairs_make_the_difference() -> None:
    """Of zones whose likeliest characters are not the text, some are read all the same, and none wrongly."""
    source = random.Random(7)
    repaired = 0
    for seed in range(150):
        zone = generate(source, DocumentFormat.TD3)
        posteriors = recognised(zone.lines, seed, 0.06)
        likeliest = tuple("".join(ALPHABET[best] for best in line.argmax(1)) for line in posteriors)
        settled = settle(posteriors, TODAY)
        if likeliest != zone.lines and settled.accepted:
            repaired += 1
            assert settled.lines == zone.lines
            assert len(settled.repairs) == sum(
                a != b
                for one, other in zip(likeliest, zone.lines, strict=True)
                for a, b in zip(one, other, strict=True)
            )
    assert repaired >= 5


def test_what_is_given_to_every_character_alike_is_no_doubt() -> None:
    """Forty characters of 0.9964, the rest spread evenly, as a recogniser trained to be careful gives them."""
    settled = settle(printed(TD3, 1 - 36e-4), TODAY)
    assert (settled.accepted, settled.reason) == (True, "ok")
    assert settled.certainty > 0.99
    # The same share on one look-alike in each place is doubt.
    posteriors = printed(TD3, 1 - 36e-4)
    for column in range(5, 23):
        posteriors = doubted(posteriors, 0, column, {TD3[0][column]: 1 - 36e-4, "Q": 36e-4})
    assert settle(posteriors, TODAY).reason == "ambiguous_name"


def test_nothing_personal_in_the_representation() -> None:
    assert "ERIKSSON" not in repr(settle(printed(TD3), TODAY))


# ------------------------------------------------------------------------------------------------- fuzzing

_SHAPES = st.sampled_from([(2, 44), (2, 36), (3, 30), (1, 44), (2, 43), (3, 36), (0, 44), (4, 30)])
_VALUES = st.one_of(
    st.floats(0, 1, width=32), st.floats(width=32), st.sampled_from([0.0, 1.0, float("nan"), float("inf"), -1.0])
)


@settings(max_examples=40, deadline=None)
@given(
    _SHAPES,
    st.sampled_from([37, 37, 37, 36, 0]),
    st.integers(0, 2**32 - 1),
    st.lists(st.tuples(st.integers(0), st.integers(0), _VALUES), max_size=4),
)
def test_any_arrays_are_answered(
    shape: tuple[int, int], columns: int, seed: int, spoilt: list[tuple[int, int, float]]
) -> None:
    """Right and wrong shapes, with single values or whole rows that are no probabilities."""
    source = np.random.default_rng(seed)
    posteriors = source.dirichlet(np.full(max(columns, 1), 0.05), shape).astype(np.float32)[:, :, :columns]
    for row, column, value in spoilt:
        if posteriors.size:
            flat = posteriors.reshape(-1, columns)
            flat[row % len(flat), column % columns if column % 2 else slice(None)] = value
    settled = settle(tuple(posteriors), TODAY)
    assert settled.accepted == (settled.reason in ("ok", "non_conforming"))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([(2, 44), (2, 36), (3, 30)]), st.floats(0.01, 40))
def test_random_posteriors_are_never_a_document(seed: int, shape: tuple[int, int], sharpness: float) -> None:
    """From uniform to one character of 1.0 in each place: noise may be as sure of itself as it likes."""
    logits = np.random.default_rng(seed).normal(0, sharpness, (*shape, 37))
    odds = np.exp(logits - logits.max(axis=2, keepdims=True))
    settled = settle(tuple(odds / odds.sum(axis=2, keepdims=True)), TODAY)
    assert not settled.accepted
    assert len(settled.lines) == shape[0]


@pytest.mark.parametrize(
    "posteriors",
    [
        (),
        (np.zeros((44, 37)), np.zeros((44, 37))),
        (np.full((44, 37), np.nan),) * 2,
        (np.full((44, 37), 1 / 37),) * 3,
        (np.full((44, 37), 1 / 37), np.full((36, 37), 1 / 37)),
        (np.full((44, 37, 1), 1 / 37),) * 2,
        (np.full((44, 37), -1.0),) * 2,
        (np.full((44, 37), 3e38),) * 2,
        (np.array(["a", "b"]),) * 2,
        (np.array(None), np.array(None)),
        [[["x"]], [1]],
        None,
        7,
    ],
)
def test_what_is_no_posterior_is_refused(posteriors: object) -> None:
    settled = settle(posteriors, TODAY)  # type: ignore[arg-type]
    assert not settled.accepted
    assert settled.reason in ("no_lines", "line_lengths", "bad_posteriors")


def test_equal_posteriors_are_refused_and_answered() -> None:
    for lines, width in ((2, 44), (2, 36), (3, 30)):
        settled = settle((np.full((width, 37), 1 / 37, dtype=np.float32),) * lines, TODAY)
        assert not settled.accepted
        assert [len(line) for line in settled.lines] == [width] * lines


def test_the_beginning_of_a_passport_is_no_card() -> None:
    """Number and dates stand at the same places; of a card's check digits only the composite tells it apart."""
    source = random.Random("beginnings")
    by_chance = 0
    for _ in range(300):
        beginning = tuple(line[:36] for line in generate(source, DocumentFormat.TD3).lines)
        if parse_mrz(beginning, TODAY).verdict("composite").passed:
            by_chance += 1
        else:
            assert not settle(printed(beginning), TODAY).accepted
    assert by_chance < 60
