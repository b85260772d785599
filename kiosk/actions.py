"""What a traveller posts, made into events of the journey; fields are checked here, once (see kiosk/app.py)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from typing import Any, cast, get_args

from pydantic import TypeAdapter, ValidationError

from contracts.declaration import (
    COUNTED_IN,
    Addresses,
    DeclaredChannel,
    GoodsItem,
    GoodsKind,
    Instrument,
    Money,
    MoneyKind,
    MoneyOrigin,
    MoneyOwner,
    MoneyUse,
    Route,
    Unit,
)
from declarations.forms.model import OLDEST
from kiosk import journey, shares
from kiosk.questions import FACTS
from kiosk.view import Screen

CASH = "cash"
INSTRUMENT = "instrument"
MONEY = {CASH: MoneyKind.CASH, INSTRUMENT: MoneyKind.INSTRUMENT}
KINDS = (*(kind.value for kind in GoodsKind), *MONEY)
_LARGEST_DECLARATION = 60_000  # characters of JSON
_ITEMS = TypeAdapter(tuple[GoodsItem, ...])
_MONEY = TypeAdapter(tuple[Money, ...])


class FieldError(ValueError):
    """A field that cannot be taken. `message` is an id of the catalogue, `place` the field."""

    def __init__(self, place: str, message: str = "error.choose_one") -> None:
        super().__init__(place)
        self.place = place
        self.message = message


@dataclass(frozen=True)
class Form:
    """The posted fields. `fresh_id` is the record id for a journey that begins now."""

    fields: Mapping[str, Sequence[str]]
    at: datetime
    fresh_id: str
    languages: tuple[str, ...]
    state: journey.State

    def one(self, name: str) -> str:
        values = self.fields.get(name, ())
        return values[0].strip() if values else ""

    def choice(self, name: str, choices: Sequence[str]) -> str:
        value = self.one(name)
        if value not in choices:
            raise FieldError(name)
        return value

    def words(self, name: str) -> str:
        """What somebody typed, on one line."""
        return re.sub(r"\s+", " ", self.one(name))

    def kinds(self) -> tuple[str, ...]:
        chosen = self.fields.get("kinds", ())
        if any(kind not in KINDS for kind in chosen):
            raise FieldError("kinds", "error.choose_goods")
        return tuple(kind for kind in KINDS if kind in chosen)

    def number(self, name: str) -> Decimal | None:
        """A decimal as people write it, or None for an empty field. Raises FieldError."""
        text = re.sub(r"[\s\u00a0\u202f]", "", self.one(name))
        if not text:
            return None
        if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", text):
            text = text.replace(",", "")
        text = text.replace(",", ".")
        if not re.fullmatch(r"\d{1,16}(\.\d{1,6})?", text):
            raise FieldError(name, "error.amount")
        try:
            value = Decimal(text)
        except InvalidOperation:
            raise FieldError(name, "error.amount") from None
        if value >= Decimal(10) ** 12:
            raise FieldError(name, "error.amount_large")
        return value.quantize(Decimal("0.001"), ROUND_CEILING) if value != round(value, 3) else value


def _amounts(form: Form, stay: bool = False) -> journey.Event:
    text = form.one("declaration")
    if text:
        items, money = _stated(text)
        return journey.AmountsGiven(form.at, items, money, stay)
    items = (
        tuple(_item(form, kind) for kind in form.state.person.kinds if kind not in MONEY)
        if form.state.persons
        else ()
    )
    money = tuple(one for kind in MONEY for one in _money(form, kind))
    return journey.AmountsGiven(form.at, items, money, stay)


def _stated(text: str) -> tuple[tuple[GoodsItem, ...], tuple[Money, ...]]:
    if len(text) > _LARGEST_DECLARATION:
        raise FieldError("declaration", "error.amount_large")
    try:
        table = json.loads(text)
        if not isinstance(table, dict) or not set(table) <= {"items", "money"}:
            raise FieldError("declaration", "error.amount")
        items, money = (
            _ITEMS.validate_python(table.get("items", [])),
            _MONEY.validate_python(table.get("money", [])),
        )
    except (ValidationError, ValueError, RecursionError):
        raise FieldError("declaration", "error.amount") from None
    if len(items) > 500 or len(money) > 50:
        raise FieldError("declaration", "error.amount_large")
    return items, money


def _item(form: Form, kind: str) -> GoodsItem:
    quantity, value, weight = (form.number(f"{name}-{kind}") for name in ("amount", "value", "weight"))
    unit: Unit | None = None
    if quantity is not None:
        stated = form.one(f"unit-{kind}")
        try:
            unit = Unit(stated) if stated else COUNTED_IN.get(GoodsKind(kind), Unit.PIECE)
        except ValueError:
            raise FieldError(f"unit-{kind}", "error.amount") from None
    try:
        return GoodsItem(
            kind=GoodsKind(kind),
            quantity=quantity,
            unit=unit,
            value=value,
            currency=None if value is None else (form.one(f"currency-{kind}") or "EUR"),
            weight_kg=weight,
        )
    except ValidationError:
        raise FieldError(f"amount-{kind}", "error.amount") from None


def _money(form: Form, kind: str) -> tuple[Money, ...]:
    amount = form.number(f"amount-{kind}")
    if amount is None or not form.state.persons or kind not in form.state.person.kinds:
        return ()
    try:
        currency = form.one(f"currency-{kind}") or "USD"
        return (Money(kind=MONEY[kind], amount=amount, currency=currency),)
    except ValidationError:
        raise FieldError(f"amount-{kind}", "error.amount") from None


def _count(form: Form) -> int:
    text = form.one("count")
    if not re.fullmatch(r"\d{1,2}", text) or int(text) > journey.MOST_BAGS:
        raise FieldError("count", "error.amount")
    return int(text)


def _declared(form: Form) -> journey.Event:
    channel = DeclaredChannel(form.choice("channel", ("green", "red")))
    return journey.ChannelDeclared(form.at, channel, form.kinds() if "kinds" in form.fields else None)


def _money_explained(form: Form) -> journey.Event:
    def chosen(name: str, codes: Sequence[str]) -> str:
        try:
            return form.choice(name, codes)
        except FieldError:
            raise FieldError(name, "error.money") from None

    return journey.MoneyExplained(
        form.at,
        MoneyOrigin(chosen("origin", tuple(MoneyOrigin))),
        MoneyUse(chosen("use", tuple(MoneyUse))),
        chosen("owner", ("own", "other")) == "own",
    )


def _circumstance(form: Form) -> journey.Event:
    fact = next((fact for fact in FACTS if fact == form.state.question), None)
    if fact is None:
        raise FieldError("answer")
    text = form.one("answer")
    if text == "unknown":
        return journey.CircumstanceStated(form.at, fact, None)
    if fact == "resident":
        return journey.CircumstanceStated(form.at, fact, form.choice("answer", ("yes", "no")) == "yes")
    if not re.fullmatch(r"\d{1,5}", text):
        raise FieldError("answer")
    return journey.CircumstanceStated(form.at, fact, int(text))


def _shares(form: Form) -> journey.Event:
    """The goods, with the parts of the children taken out of the declarant's lines."""
    if not form.state.persons:
        raise FieldError("shares")
    person = form.state.person
    items: list[GoodsItem] = []
    for item in shares.whole(person.items):
        left = {measure: figure for measure, (figure, _) in shares.figures(item).items()}
        parts = []
        for minor in form.state.minors_of(person):
            part = _part(form, item, minor.person_id)
            for measure, figure in part.items():
                left[measure] -= figure
                if left[measure] < 0:
                    raise FieldError(f"{measure}-{item.kind.value}-{minor.person_id}", "error.share_more")
            if part and any(part.values()):
                parts.append(shares.with_figures(item, part, minor.person_id))
        if not parts or any(left.values()):
            items.append(shares.with_figures(item, left, None))
        items += parts
    return journey.SharesGiven(form.at, tuple(items))


def _part(form: Form, item: GoodsItem, child: str) -> dict[shares.Measure, Decimal]:
    """A child's part of an item: every figure that the item has, or none."""
    names = {measure: f"{measure}-{item.kind.value}-{child}" for measure in shares.figures(item)}
    given = {measure: form.number(name) for measure, name in names.items()}
    found = {measure: figure for measure, figure in given.items() if figure is not None}
    if found and len(found) < len(names):
        missing = next(name for measure, name in names.items() if measure not in found)
        raise FieldError(missing, "error.share_both")
    return found


def _written(form: Form) -> journey.Event:
    question = form.state.question
    try:
        if question == "owner":
            name = form.words("name")
            owner = MoneyOwner(name=name, address=form.words("address")) if name else None
            return journey.WrittenDown(form.at, owner=owner)
        if question == "instrument":
            return journey.WrittenDown(form.at, instrument=_instrument(form))
        if question == "route":
            ends = {"departure_country": form.one("from") or None, "destination_country": form.one("to") or None}
            return journey.WrittenDown(form.at, route=Route.model_validate(ends))
        addresses = Addresses(permanent=form.words("permanent"), temporary=form.words("temporary"))
        return journey.WrittenDown(form.at, addresses=addresses)
    except ValidationError as error:
        raise FieldError(str(error.errors()[0]["loc"][0]), "error.words") from None


def _instrument(form: Form) -> Instrument | None:
    name = form.words("name")
    if not name:
        return None
    issued, pieces = form.one("issued"), form.one("pieces")
    if pieces and not re.fullmatch(r"[1-9]\d{0,4}", pieces):
        raise FieldError("pieces", "error.amount")
    day = _day(issued) if issued else None
    if day is not None and not OLDEST <= day <= form.at.date():
        raise FieldError("issued", "error.day")
    return Instrument(
        name=name,
        issuer=form.words("issuer"),
        number=form.words("number"),
        issued=day,
        nominal=form.number("nominal"),
        pieces=int(pieces) if pieces else None,
    )


def _day(text: str) -> date:
    """A day as it is written here: 31.12.2026."""
    written = re.fullmatch(r"(\d{1,2})[./ -](\d{1,2})[./ -](\d{4})", text)
    try:
        if written is not None:
            day, month, year = map(int, written.groups())
            return date(year, month, day)
    except ValueError:
        pass
    raise FieldError("issued", "error.day")


def _change(form: Form) -> journey.Event:
    question = next((name for name in get_args(journey.Question) if name == form.one("question")), None)
    if question is not None:
        return journey.ChangeAsked(form.at, Screen.REVIEW, question)
    return journey.ChangeAsked(form.at, Screen(form.choice("screen", ("goods", "details", "bag"))))


def _start(form: Form) -> journey.Event:
    language = form.choice("language", form.languages) if form.one("language") else None
    return journey.Started(form.at, form.fresh_id, language)


ACTIONS: dict[str, Callable[[Form], journey.Event]] = {
    "start": _start,
    "accept_notice": lambda form: journey.NoticeAccepted(form.at),
    "ask_officer": lambda form: journey.OfficerAsked(form.at, form.fresh_id),
    "back": lambda form: journey.WentBack(form.at),
    "retry": lambda form: journey.Retried(form.at),
    "alone": lambda form: journey.PartyComplete(form.at),
    "add_person": lambda form: journey.PersonAdded(form.at),
    "goods": lambda form: journey.GoodsChosen(form.at, form.kinds()),
    "declare": _declared,
    "amounts": _amounts,
    "recount": lambda form: _amounts(form, stay=True),
    "circumstance": _circumstance,
    "shares": _shares,
    "money": _money_explained,
    "writing": _written,
    "bag": lambda form: journey.BagsCounted(form.at, _count(form)),
    "unaccompanied": lambda form: journey.UnaccompaniedAnswered(
        form.at, form.choice("answer", ("yes", "no")) == "yes"
    ),
    "change": _change,
    "withdraw": lambda form: journey.Withdrawn(form.at),
    "sign": lambda form: journey.Certified(form.at),
    "print_receipt": lambda form: journey.ReceiptAsked(form.at),
    "finish": lambda form: journey.Left(form.at),
    "more_time": lambda form: journey.MoreTimeAsked(form.at),
    "language": lambda form: journey.LanguageChosen(form.at, form.choice("code", form.languages)),
    "text_size": lambda form: journey.TextSizeChosen(
        form.at, cast(Any, int(form.choice("percent", ("100", "125", "150"))))
    ),
    "contrast": lambda form: journey.ContrastChosen(form.at, cast(Any, form.choice("mode", ("normal", "high")))),
}
