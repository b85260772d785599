"""What the document page says while a page cannot be read, and while a card is being turned over."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts.party import Direction
from declarations.money import demonstration_rates
from declarations.packs import load_pack
from hardware.registry import DevicesConfig
from kiosk import journey
from kiosk.config import KioskConfig
from kiosk.messages import Catalogue
from kiosk.presenter import ADVICE, Live, Presenter
from kiosk.screens import spoken
from kiosk.view import Screen, View

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
STATE = journey.State(
    screen=Screen.DOCUMENT, phase="page", working=True, persons=(journey.PersonState("p1"),), touched_at=NOW
)


@pytest.fixture(scope="module")
def presenter() -> Presenter:
    config = KioskConfig.model_construct(
        profile="test",
        site_id="minsk-2",
        site_name="Minsk Airport",
        kiosk_id="B3",
        timezone="Europe/Minsk",
        direction=Direction.ARRIVAL,
        flight=None,
        data_dir=Path("nowhere"),
        devices=DevicesConfig(),
    )
    return Presenter(config, load_pack("eaeu-by"), demonstration_rates())


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load()


def shown(presenter: Presenter, state: journey.State, **live: object) -> View:
    return presenter.view(state, Live(**live), 1, NOW)  # type: ignore[arg-type]  # fields of Live


@pytest.mark.parametrize("problem", sorted(ADVICE))
@pytest.mark.parametrize("phase", ["page", "front"])
def test_what_to_do_is_the_instruction_and_why_the_line_to_notice(
    presenter: Presenter, catalogue: Catalogue, problem: str, phase: journey.Phase
) -> None:
    view = shown(presenter, replace(STATE, phase=phase), page_present=True, page_problem=problem)
    assert view.panel is not None
    assert view.panel.instruction.id == f"document.do.{problem}"
    assert [line.text.id for line in view.panel.lines if line.state == "attention"] == [f"document.see.{problem}"]
    for language in catalogue.languages:
        for message in (view.panel.instruction, *(line.text for line in view.panel.lines)):
            assert catalogue.text(message, language)
        assert any(f"document.do.{problem}.wav" in address for address in spoken(view, catalogue, language))


@pytest.mark.parametrize("part", ["start", "middle", "end"])
def test_light_on_a_part_of_the_lines_is_said_and_shown(
    presenter: Presenter, catalogue: Catalogue, part: str
) -> None:
    view = shown(presenter, STATE, page_present=True, page_problem="glare", page_part=part)
    assert view.page_part == part
    assert view.panel is not None
    (why,) = (line.text for line in view.panel.lines if line.state == "attention")
    assert why.id == f"document.see.glare.{part}"
    assert len({catalogue.text(why, language) for language in catalogue.languages}) == len(catalogue.languages)
    assert shown(presenter, STATE, page_present=True, page_part=part).page_part is None, "nothing is told"


def test_a_page_that_can_be_read_is_only_asked_to_lie_still(presenter: Presenter) -> None:
    view = shown(presenter, STATE, page_present=True)
    assert view.panel is not None
    assert view.panel.instruction.id == "document.panel.hold"
    assert view.side == "page"


def test_an_unknown_problem_is_no_advice(presenter: Presenter) -> None:
    view = shown(presenter, STATE, page_present=True, page_problem="ambiguous_name")
    assert view.panel is not None
    assert view.panel.instruction.id == "document.panel.hold"


def test_a_card_is_asked_for_its_front(presenter: Presenter, catalogue: Catalogue) -> None:
    view = shown(presenter, replace(STATE, phase="front"))
    assert (view.prompt, view.side) == ("turn_document", "front")
    assert view.panel is not None
    assert view.panel.instruction.id == "document.panel.turn"
    addresses = spoken(view, catalogue, "ru")
    assert addresses[0].startswith("/speech/ru/document.front.title.wav")


@pytest.mark.parametrize("hint", ["glare", "cut_off", "too_far", "several_documents", "no_zone", "too_dark"])
def test_a_try_that_failed_says_what_to_do_better(presenter: Presenter, catalogue: Catalogue, hint: str) -> None:
    view = shown(presenter, replace(STATE, hint=hint))
    assert view.error is not None
    assert view.error.id not in ("error.chip_unreadable", "error.page_unreadable")
    assert all(catalogue.text(view.error, language) for language in catalogue.languages)


@pytest.mark.parametrize("hint", ["ambiguous_name", "unsupported_number", "readers_disagree", "not_read"])
def test_a_page_that_was_not_certain_is_a_page_that_could_not_be_read(presenter: Presenter, hint: str) -> None:
    view = shown(presenter, replace(STATE, hint=hint))
    assert view.error is not None
    assert view.error.id == "error.page_unreadable"
