"""The staff's catalogue: every language says the same things with the same figures in them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from central.dispositions import REASON_CODES
from central.messages import LANGUAGES, Catalogue, UnknownMessageError, Words
from central.officer.charts import Interval, hours_chart, rates_chart
from central.officer.reasons import check_note, rate_in_words, reason_sentence, reason_title
from contracts.checks import CheckName, Verdict
from contracts.decision import ReasonClass, ReferralReason
from contracts.disposition import Agency, DispositionOutcome, ReferralState
from declarations.packs import load_pack

ROOT = Path(__file__).resolve().parents[3]
CATALOGUE = Catalogue.load()
PLACEHOLDER = re.compile(r"\{(\w+)\}")


def words(language: str = "en") -> Words:
    return Words(CATALOGUE, language, ZoneInfo("Europe/Minsk"))


def forms(message_id: str, language: str) -> list[str]:
    translation = CATALOGUE.translations[language]
    return [
        CATALOGUE.pattern(message_id, language),
        *(translation.ngettext(message_id, message_id, n) for n in (1, 2, 5)),
    ]


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_language_has_every_sentence_with_its_figures(language: str) -> None:
    assert CATALOGUE.ids[language] == CATALOGUE.ids["en"]
    for message_id in sorted(CATALOGUE.ids["en"]):
        allowed = {name for form in forms(message_id, "en") for name in PLACEHOLDER.findall(form)}
        used = {name for form in forms(message_id, language) for name in PLACEHOLDER.findall(form)}
        assert used <= allowed | {"count"}, message_id
        assert allowed - {"count"} <= used, message_id


def test_every_id_that_a_page_names_exists() -> None:
    named = re.compile(r"""words\(\s*["']([a-z_]+\.[A-Za-z_.]+)["']\s*[,)]""")
    places = [
        *ROOT.glob("templates/*/*.html"),
        *ROOT.glob("central/officer/*.py"),
        *ROOT.glob("central/admin/*.py"),
    ]
    used = {(found, place.name) for place in places for found in named.findall(place.read_text())}
    assert len(used) > 200
    assert {(message, place) for message, place in used if message not in CATALOGUE.ids["en"]} == set()


def test_every_code_that_a_page_composes_exists() -> None:
    wanted = [f"agency.{agency.value}" for agency in Agency]
    wanted += [f"outcome.{outcome.value}" for outcome in DispositionOutcome]
    wanted += [f"code.{code}" for codes in REASON_CODES.values() for code in codes]
    wanted += [f"referral.{state.value}" for state in ReferralState]
    wanted += [f"verdict.{verdict.value}" for verdict in Verdict]
    wanted += [f"{kind}.{name.value}" for name in CheckName for kind in ("check", "check_passed")]
    wanted += [f"{kind}.{name.value}" for name in ReasonClass for kind in ("class", "basis")]
    pack = load_pack("eaeu-by")
    wanted += [f"reason.{rule.code}" for rule in pack.rules if rule.code]
    wanted += [f"reason.ELIGIBILITY_{exclusion.code}" for exclusion in pack.eligibility]
    assert [message for message in wanted if not CATALOGUE.has(message)] == []


def test_an_unknown_id_is_an_error_and_an_unknown_code_is_shown() -> None:
    with pytest.raises(UnknownMessageError):
        words()("no.such_id")
    assert reason_title("SOMETHING_NEW", "rule", words()) == "Rule: SOMETHING_NEW"
    assert reason_title("CHECK_BAG_TAG_NOT_CHECKED", "technical", words()) == "Bag tag: not checked"


def test_a_sentence_says_which_figure_is_missing() -> None:
    reason = ReferralReason(
        code="BAG_WEIGHT_OVER_NORM", reason_class=ReasonClass.DECLARATION_MISMATCH, facts={"declared": "61.2"}
    )
    assert reason_sentence(reason, words()) == "The scale shows 61.2 kg; unknown kg are free."


@pytest.mark.parametrize(("count", "text"), [(1, "1 новое дело"), (3, "3 новых дела"), (11, "11 новых дел")])
def test_plurals_follow_the_language(count: int, text: str) -> None:
    assert words("ru")("queue.new_cases", count=count) == text


def test_below_thirty_people_no_rate_is_claimed() -> None:
    few = rate_in_words(ReasonClass.RULE, 29, 29, (0.88, 1.0), words())
    enough = rate_in_words(ReasonClass.RULE, 9, 30, (0.17, 0.48), words())
    assert not few.drawn and few.words == "29 people so far: too few to say"
    assert enough.drawn and enough.words == "Right in 30% of 30 people" and enough.words_interval == "17 to 48%"
    assert not rate_in_words(ReasonClass.TECHNICAL, 9, 30, (0.17, 0.48), words()).drawn


def test_charts_say_in_a_table_what_they_draw() -> None:
    today = [0] * 24
    today[6], today[7] = 190, 320
    chart = hours_chart(today, None, datetime(2026, 11, 21, 5, 30, tzinfo=UTC), words())  # 08:30 local
    assert ("07:00", "320") in chart.table.rows and len(chart.dots) == 4
    rates = rates_chart([("Random sample", Interval(0.011, 0.006, 0.019, 14, 1240), True)], words())
    assert rates.table.rows == (("Random sample", "1.1%", "0.6 to 1.9%", "1,240 people"),)
    assert rates.rows[0].low < rates.rows[0].x < rates.rows[0].high


def test_a_day_without_anybody_is_said_in_words() -> None:
    chart = hours_chart([0] * 24, None, datetime(2026, 11, 21, 5, 30, tzinfo=UTC), words())
    assert chart.empty == "Nobody has crossed yet today."


@pytest.mark.parametrize("language", ["en", "ru", "be"])
@pytest.mark.parametrize(
    "detail",
    [
        "surname_differs",
        "differs_number",
        "ambiguous_name",
        "unsupported_birth_date",
        "check_digit_number",
        "impossible_date_expiry_date",
        "document_expired",
        "not_readable_given_names",
        "unread_number",
        "front_not_shown",
        "readers_disagree",
        "second_reader",
        "zone_vanishes",
        "office_paper",
        "glow_unclear",
        "nothing_shines",
        "no_ultraviolet",
        "page_not_seen",
        "no_printed_portrait",
        "no_portrait_needed",
    ],
)
def test_what_page_and_zone_say_is_put_into_words(detail: str, language: str) -> None:
    said = check_note(detail, words(language))
    assert said != detail.replace("_", " ")
    assert "{" not in said


def told_of_checks() -> list[str]:
    """Every reason that docs/checks.md names, with a field, a group or a defect where it has a place for one."""
    rows = (
        row.split("|")
        for row in (ROOT / "docs/checks.md").read_text(encoding="utf-8").splitlines()
        if row.startswith("| ")
    )
    codes = {code for cells in rows if len(cells) > 5 for code in re.findall(r"`([^`]+)`", cells[3])}
    for place, value in (("<field>", "number"), ("dgN", "dg2"), ("<name>", "indefinite_length")):
        codes = {code.replace(place, value) for code in codes}
    return sorted(codes - {"mrz_read", "file_…"})  # named in the words between


def test_every_reason_is_put_into_words() -> None:
    codes = told_of_checks()
    assert {"check_digit_number", "impossible_date_number", "surname_differs", "glare", "no_trust_anchor"} <= set(
        codes
    )
    for language in ("ru", "be"):
        said = {code: check_note(code, words(language)) for code in codes}
        assert [code for code, text in said.items() if re.search(r"[a-z]{4}|[{}]", text)] == [], language
    said = {code: check_note(code, words()) for code in codes}
    assert len(set(said.values())) > 0.9 * len(said), "English is told from the codes by its own words"
