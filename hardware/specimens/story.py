"""The form of a specimen directory: `story.json` and the files it names (docs/specimens.md).

`setup` and `behaviour` may be used to play the story. `expected` is read by whoever checks the outcome, never
by kiosk or central.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from contracts.base import Contract, Identifier, ShortText, Text
from contracts.decision import Channel
from contracts.declaration import Circumstances, GoodsItem, Money
from contracts.party import Direction, DocumentFormat

RelativePath = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_./-]*$")]


class StoryDocument(Contract):
    """One document that the traveller lays on the glass."""

    format: DocumentFormat
    page: RelativePath  # PNG or JPEG of the data page as the document camera sees it; of a card, the zone's side
    front: RelativePath | None = None  # a card's other side, which it shows when it is turned over
    infrared: RelativePath | None = None  # what an infrared camera sees of the page; None = as it would be
    ultraviolet: RelativePath | None = None  # what an ultraviolet camera sees; None = as of security paper
    chip: RelativePath | None = (
        None  # directory: EF_COM.bin, EF_SOD.bin, Datagroup1.bin …, keys.json; None = no chip
    )
    mrz: tuple[str, ...] = ()  # as printed; documentation only


class StoryBag(Contract):
    tag: RelativePath | None = None  # image of the tag as the scanner's camera sees it
    weight_kg: float | None = None  # what the scale shows; None = nothing on the scale


class StoryAnswers(Contract):
    """What this person touches on the screens. A minor has none: the guardian declares."""

    declared_channel: Literal["green", "red"]
    items: tuple[GoodsItem, ...] = ()
    money: tuple[Money, ...] = ()
    unaccompanied_baggage: bool = False
    circumstances: Circumstances | None = None  # told where the law asks; None: not known


class StoryTraveller(Contract):
    role: Literal["lead", "adult", "minor"] = "lead"
    documents: tuple[StoryDocument, ...]  # in the order in which they are laid down
    # MJPEG files; empty = nobody there
    feeds: dict[Literal["neutral", "turn_left", "turn_right", "nod"], RelativePath] = Field(default_factory=dict)
    bags: tuple[StoryBag, ...] = ()
    answers: StoryAnswers | None = None


class Behaviour(Contract):
    """What the traveller does that is out of the ordinary."""

    asks_officer_at: Literal["notice", "document", "face", "goods", "bag", "review"] | None = None
    lifts_passport_after_apdus: int | None = None
    walks_away_at: Literal["document", "face", "goods", "bag", "review"] | None = None
    chip_fault: Identifier | None = None  # a fault name of the card simulator
    camera_fault: Identifier | None = None  # a fault name of the camera simulator, of the face camera
    language: Identifier = "en"


class Setup(Contract):
    """The world around the story, set before it starts."""

    random_sample: bool = False  # the demo's fixed sampling seed draws this traveller
    watch_list: tuple[ShortText, ...] = ()  # names the demo's list carries because of this story


class Expected(Contract):
    """How the story comes out: the channel, and the codes of all reasons of all persons, sorted."""

    channel: Channel
    reasons: tuple[str, ...] = ()
    # Optional: check name -> verdict, of the lead's identity document, face and bag.
    checks: dict[str, str] = Field(default_factory=dict)


class Story(Contract):
    schema_version: Literal[1] = 1
    id: Identifier
    title: ShortText
    tells: Text  # one or two sentences a newcomer reads on the tray
    direction: Direction = Direction.ARRIVAL
    flight: str | None = None
    travellers: tuple[StoryTraveller, ...] = Field(min_length=1)
    behaviour: Behaviour = Behaviour()
    setup: Setup = Setup()
    expected: Expected | None = None


def load_story(directory: Path) -> Story:
    """Read and check one specimen directory.

    Raises ValueError with the place and the reason for a malformed story or a file that it names and that is
    missing or lies outside the directory.
    """
    story = Story.model_validate(json.loads((directory / "story.json").read_text(encoding="utf-8")))
    for traveller in story.travellers:
        named = [document.page for document in traveller.documents]
        named += [document.front for document in traveller.documents if document.front]
        named += [document.infrared for document in traveller.documents if document.infrared]
        named += [document.ultraviolet for document in traveller.documents if document.ultraviolet]
        named += [document.chip for document in traveller.documents if document.chip]
        named += list(traveller.feeds.values()) + [bag.tag for bag in traveller.bags if bag.tag]
        for relative in named:
            path = (directory / relative).resolve()
            if not path.is_relative_to(directory.resolve()):
                raise ValueError(f"{directory.name}: {relative} lies outside the specimen")
            if not path.exists():
                raise ValueError(f"{directory.name}: {relative} is missing")
    return story


def load_stories(root: Path) -> list[tuple[Path, Story]]:
    """All specimen directories under `root` (those with a story.json), in the order of their names."""
    found = [(path.parent, load_story(path.parent)) for path in sorted(root.glob("*/story.json"))]
    if not found:
        raise ValueError(f"{root}: no specimen found (a directory with story.json)")
    return found
