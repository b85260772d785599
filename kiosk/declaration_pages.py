"""The pages of the declaration as views: goods and amounts, what the law asks beside them, and the review.

Figures of allowances, norms and duty come from the rule pack and the one evaluator; words come later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Literal

from contracts.declaration import DeclaredChannel, GoodsItem, GoodsKind, MoneyOrigin, MoneyUse
from contracts.party import DocumentFormat, TravelDocument
from declarations.evaluate import Line as NormLine
from declarations.evaluate import PartyAssessment
from declarations.money import Rates
from declarations.packs import AllowanceCard, Measure, RulePack
from kiosk import shares
from kiosk.assessor import CROSSES_BY, Assessor
from kiosk.config import KioskConfig
from kiosk.journey import Answer, Fact, PersonState, Question, State, actions, first_instrument, money_card
from kiosk.questions import FACTS, Stretch
from kiosk.reasons import basis
from kiosk.view import (
    About,
    Allowance,
    Choice,
    Message,
    MoneyQuestions,
    ReviewLine,
    Screen,
    Share,
    Traveller,
    Writing,
)

_ICONS = {
    **dict.fromkeys(("alcohol", "beer", "wine", "intermediate", "spirits", "ethyl_alcohol"), "wine"),
    **dict.fromkeys(("cigarettes", "cigarillos", "cigars", "heated_sticks", "tobacco"), "cigarette"),
    **dict.fromkeys(("cash", "instrument"), "banknote"),
    "medicines": "pill",
    "gifts": "gift",
}
_STRENGTH = ("within", "unknown", "over", "prohibited")
_FACT_ICONS: dict[Fact, str] = {"resident": "map-pin", "absence_hours": "clock", "days_since_exemption": "history"}


class DeclarationPages:
    """What one kiosk shows of a declaration, by one law. `now` is the moment whose law counts."""

    def __init__(self, config: KioskConfig, pack: RulePack, rates: Rates | None) -> None:
        self._config = config
        self._pack = pack
        self._assessor = Assessor(config.direction, pack, rates)

    def _cards(self, now: datetime) -> tuple[AllowanceCard, ...]:
        return self._pack.allowances(self._config.direction, CROSSES_BY, now.date())

    def asks(self, state: State, answer: Answer) -> tuple[Question, ...]:
        """What the law needs to know after this answer."""
        return self._assessor.asks(state, answer)

    def is_free(self, state: State, at: datetime) -> bool:
        """Whether the traveller, on the review page, could as well declare nothing."""
        return state.screen is Screen.REVIEW and self._assessor.is_free(state, at)

    def actions(self, state: State, now: datetime) -> tuple[str, ...]:
        """What may be posted now; withdrawing only where the law says that all of it is free."""
        offered = actions(state)
        if "withdraw" in offered and not self.is_free(state, now):
            return tuple(name for name in offered if name != "withdraw")
        return offered

    def _lines(self, state: State, person: PersonState, now: datetime) -> tuple[NormLine, ...]:
        return self._assessor.assess(state, person, now.date()).persons[person.person_id].lines

    def asks_apart(self, now: datetime) -> bool:
        """Whether the law of this crossing asks about baggage that travels apart."""
        rules = self._pack.in_force(self._config.direction, CROSSES_BY, now.date())
        return any(rule.judges and rule.measure is Measure.UNACCOMPANIED for rule in rules)

    def allowances(self, state: State, person: PersonState, now: datetime) -> tuple[Allowance, ...]:
        """The cards of the goods page, with what was stated held against each."""
        lines = self._lines(state, person, now) if person.items or person.money else ()
        shown = []
        cards = self._cards(now)
        for card in cards:
            line = _line_of(card.kind, lines, card.unit)
            shown.append(
                Allowance(
                    kind=card.kind,
                    free=_figure(card.free),
                    unit=card.unit,
                    chosen=card.kind in person.kinds,
                    amount=_stated(card.kind, person, card.unit),
                    relation=_relation(line),
                    difference=_difference(line, card.unit),
                    duty=f"{line.duty} {line.currency}" if line and line.duty else None,
                    share=_share(line),
                    second_free=_figure(card.second_free),
                    second_unit=card.second_unit,
                    at_most=_figure(card.at_most),
                    at_least=card.comparator == ">=",
                )
            )
        listed = {card.kind for card in cards}
        for kind in person.kinds:
            if kind not in listed:
                shown.append(Allowance(kind=kind, free=None, unit=None, chosen=True, amount=_stated(kind, person)))
        return tuple(shown)

    def about(self, state: State, person: PersonState, now: datetime) -> About | None:
        """The question about the person that is put now, with the answers that the law tells apart."""
        fact = next((fact for fact in FACTS if fact == state.question), None)
        stretches = self._assessor.answers(now.date()).get(fact, ()) if fact is not None else ()
        if fact is None:
            return None
        told = getattr(person.circumstances, fact)
        choices = tuple(
            Choice(_value(one.value), _choice(fact, one), told is not None and one.value == told)
            for one in stretches
        )
        return About(fact, choices)

    def shares(self, state: State, person: PersonState, now: datetime) -> tuple[Share, ...]:
        """What may be a child's: a field for every figure of what is over, child by child."""
        children = [minor.person_id for minor in state.minors_of(person)]
        found = []
        for child, items in self._assessor.shareable(state, person, now.date()).items():
            for item in items:
                part = next(
                    (one for one in person.items if one.carried_for == child and one.kind is item.kind), None
                )
                given = shares.figures(part) if part is not None else {}
                for measure, (total, unit) in shares.figures(item).items():
                    found.append(
                        Share(
                            name=f"{measure}-{item.kind.value}-{child}",
                            child=children.index(child) + 1,
                            kind=item.kind.value,
                            measure=measure,
                            unit=unit,
                            total=_figure(total) or "",
                            given=f"{given[measure][0]:f}" if measure in given else "",
                        )
                    )
        return tuple(found)

    def paper(self, state: State, person: PersonState, now: datetime) -> bool | None:
        """Whether this declaration goes on paper: yes, no, or None where there is nothing to declare."""
        if person.declared is not DeclaredChannel.RED:
            return None
        assessed = self._assessor.assess(state, person, now.date())
        if self._pack.form is None:
            return False
        return True if any(one.categories for one in assessed.persons.values()) else None

    def review(self, state: State, person: PersonState, now: datetime) -> tuple[ReviewLine, ...]:
        """Every answer, in order, and why where it calls for a person."""
        assessed = self._assessor.assess(state, person, now.date()) if person.items or person.money else None
        shown = []
        if assessed is not None:
            shown += [self._item_line(state, person, item, assessed) for item in person.items]
            for money in person.money:
                kind = money_card(money)
                amount = {"kind": kind, "amount": _figure(money.amount) or "", "unit": money.currency}
                shown.append(self._line(kind, Message("review.item", amount), assessed, person.person_id))
        shown += [self._fact_line(fact, person, now) for fact in FACTS if _was_asked(person, fact)]
        shown += _written_lines(person)
        if not shown:
            title = "review.none" if person.declared is DeclaredChannel.GREEN else "review.declared"
            note = Message("review.none.note") if person.declared is DeclaredChannel.GREEN else None
            shown.append(ReviewLine("package", Message(title), note, False, Screen.GOODS))
        shown.append(_bag_line(person))
        return tuple(shown)

    def _item_line(
        self, state: State, person: PersonState, item: GoodsItem, assessed: PartyAssessment
    ) -> ReviewLine:
        figure, unit = _measure(item)
        kind = item.kind.value
        title = Message("review.item.unknown", {"kind": kind})
        children = [minor.person_id for minor in state.minors_of(person)]
        if figure is not None and item.carried_for in children:
            of_child = {"kind": kind, "amount": _figure(figure) or "", "unit": unit}
            child = {"number": str(children.index(item.carried_for) + 1)}
            return self._line(kind, Message("review.item.child", of_child | child), assessed, item.carried_for)
        if figure is not None:
            title = Message("review.item", {"kind": kind, "amount": _figure(figure) or "", "unit": unit})
        return self._line(kind, title, assessed, person.person_id)

    def _line(self, kind: str, title: Message, assessed: PartyAssessment, person_id: str) -> ReviewLine:
        line = _line_of(kind, assessed.persons[person_id].lines)
        shown = _review_line(kind, title, line)
        return replace(shown, why=basis(kind, line, assessed, person_id, self._pack) if shown.attention else None)

    def _fact_line(self, fact: Fact, person: PersonState, now: datetime) -> ReviewLine:
        told = getattr(person.circumstances, fact)
        stretches = self._assessor.answers(now.date()).get(fact, ())
        chosen = next((one for one in stretches if told is not None and one.value == told), None)
        icon = _FACT_ICONS[fact]
        if chosen is None:
            note = Message("review.officer_counts")
            return ReviewLine(icon, Message(f"about.{fact}.unknown"), note, True, Screen.ABOUT, fact)
        return ReviewLine(icon, _choice(fact, chosen), None, False, Screen.ABOUT, fact)


def money_questions(person: PersonState) -> MoneyQuestions:
    """The questions of the annex; what was answered before stays answered."""
    said = next((one for one in person.money if one.origin is not None), None)
    return MoneyQuestions(
        amounts=tuple((_figure(one.amount) or "", one.currency) for one in person.money),
        origins=tuple(code.value for code in MoneyOrigin),
        uses=tuple(code.value for code in MoneyUse),
        origin=said.origin if said else None,
        use=said.intended_use if said else None,
        own=said.owner_is_declarant if said and person.money_explained else None,
    )


def _was_asked(person: PersonState, fact: Fact) -> bool:
    return fact in person.not_known or getattr(person.circumstances, fact) is not None


def _value(answer: bool | int) -> str:
    """An answer as it is posted."""
    return {True: "yes", False: "no"}[answer] if isinstance(answer, bool) else str(answer)


def _choice(fact: Fact, one: Stretch) -> Message:
    """An answer in words; a number by the limits between which it lies."""
    if isinstance(one.value, bool):
        return Message(f"about.{fact}.{_value(one.value)}")
    if one.below is None:
        return Message(f"about.{fact}.from", {"count": str(one.value)})
    if one.value == 0:
        return Message(f"about.{fact}.below", {"count": str(one.below)})
    return Message(f"about.{fact}.between", {"first": str(one.value), "count": str(one.below)})


def writing(state: State, person: PersonState) -> Writing | None:
    """The page of the form's words, with what was said before."""
    said: dict[str, str] = {}
    if state.question == "owner":
        owner = next((one.owner for one in person.money if one.owner is not None), None)
        said = {"name": owner.name, "address": owner.address} if owner is not None else {}
    elif state.question == "instrument":
        money = first_instrument(person)
        told = money.instrument if money is not None else None
        if told is not None:
            said = {
                "name": told.name,
                "issuer": told.issuer,
                "number": told.number,
                "issued": f"{told.issued:%d.%m.%Y}" if told.issued else "",
                "nominal": f"{told.nominal:f}" if told.nominal is not None else "",
                "pieces": str(told.pieces or ""),
            }
    elif state.question == "address":
        if person.addresses is not None:
            said = {"permanent": person.addresses.permanent, "temporary": person.addresses.temporary}
    elif state.question == "route":
        if person.route is not None:
            said = {"from": person.route.departure_country or "", "to": person.route.destination_country or ""}
    else:
        return None
    return Writing(state.question, said)


def _written_lines(person: PersonState) -> list[ReviewLine]:
    """What the form was told in words, each to be corrected on its own page."""
    lines = []
    told = next((one for one in person.money if one.origin is not None), None) if person.money_explained else None
    if told is not None and told.origin is not None and told.intended_use is not None:
        whose = "review.money.own" if told.owner_is_declarant else "review.money.other"
        use = Message("review.money.use", {"use": told.intended_use.value})
        title = Message(whose, {"origin": told.origin.value})
        lines.append(ReviewLine("banknote", title, use, False, Screen.MONEY, "money"))
    owner = next((one.owner for one in person.money if one.owner is not None), None)
    if owner is not None:
        title = Message("review.owner", {"name": owner.name})
        lines.append(ReviewLine("user", title, _said(owner.address), False, Screen.WRITING, "owner"))
    described = next((one.instrument for one in person.money if one.instrument is not None), None)
    if described is not None:
        title = Message("review.said", {"words": described.name})
        lines.append(ReviewLine("file-text", title, _said(described.issuer), False, Screen.WRITING, "instrument"))
    if person.addresses is not None and (person.addresses.permanent or person.addresses.temporary):
        title = Message("review.address", {"address": person.addresses.permanent or person.addresses.temporary})
        stay = person.addresses.temporary if person.addresses.permanent else ""
        lines.append(ReviewLine("map-pin", title, _said(stay), False, Screen.WRITING, "address"))
    route = person.route
    if route is not None and route.departure_country and route.destination_country:
        ends = {"country": route.departure_country, "destination": route.destination_country}
        lines.append(ReviewLine("route", Message("review.route", ends), None, False, Screen.WRITING, "route"))
    return lines


def _said(words: str) -> Message | None:
    return Message("review.said", {"words": words}) if words else None


def travellers(state: State) -> tuple[Traveller, ...]:
    """Who this statement is for: the person whose turn it is, and the minors they declare for."""
    return tuple(
        Traveller(_name(person.identity), _document(person.identity), person.minor)
        for person in (state.person, *state.minors_of(state.person))
    )


def _name(document: TravelDocument | None) -> str:
    if document is None:
        return ""
    return " ".join(part for part in (document.given_names, document.surname) if part)


def _document(document: TravelDocument | None) -> Message:
    if document is None or document.number is None:
        return Message("review.document.none")
    last = document.number[-4:]
    if document.issuer is None:
        return Message("review.document.unknown", {"last": last})
    card = document.format in (DocumentFormat.TD1, DocumentFormat.TD2)
    return Message("review.card" if card else "review.document", {"issuer": document.issuer, "last": last})


def _line_of(kind: str, lines: tuple[NormLine, ...], unit: str | None = None) -> NormLine | None:
    """The norm of this kind, or those it counts in: of several the worst against it, in `unit` first."""
    own = [line for line in lines if line.kind == kind]
    shared = [
        line for line in lines if kind in GoodsKind._value2member_map_ and GoodsKind(kind) in line.item_kinds
    ]
    return max(
        own or shared, key=lambda line: (_STRENGTH.index(line.relation.value), line.unit == unit), default=None
    )


def _relation(line: NormLine | None) -> Literal["within", "over", "unknown"] | None:
    if line is None:
        return None
    relations: Mapping[str, Literal["within", "over", "unknown"]] = {"within": "within", "unknown": "unknown"}
    return relations.get(line.relation.value, "over")


def _difference(line: NormLine | None, unit: str | None) -> str | None:
    """How far the line stands from its norm, where it is counted as the card counts: shares of a mix are not."""
    return _figure(line.difference) if line is not None and line.unit == unit else None


def _share(line: NormLine | None) -> float | None:
    if line is None or line.declared is None or not line.norm:
        return None
    return float(line.declared / line.norm)


def _figure(number: Decimal | None) -> str | None:
    if number is None:
        return None
    text = f"{number:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _stated(kind: str, person: PersonState, unit: str | None = None) -> str | None:
    """What was stated of a kind, summed; with `unit` only what is measured in it, for a sum has one unit."""
    stated = [(money.amount, money.currency) for money in person.money if money_card(money) == kind]
    stated += [measure for item in person.items if item.kind.value == kind for measure in _measures(item)]
    figures = [figure for figure, its_unit in stated if unit is None or its_unit == unit]
    return _figure(sum(figures, Decimal(0))) if figures else None


def _measure(item: GoodsItem) -> tuple[Decimal | None, str]:
    """The figure that says how much of an item there is, and its unit."""
    if item.quantity is not None and item.unit is not None:
        return item.quantity, item.unit.value
    if item.value is not None and item.currency is not None:
        return item.value, item.currency
    return (item.weight_kg, "kg") if item.weight_kg is not None else (None, "")


def _measures(item: GoodsItem) -> list[tuple[Decimal, str]]:
    """Every figure of an item with its unit."""
    figures = (
        (item.quantity, item.unit.value if item.unit else ""),
        (item.value, item.currency or ""),
        (item.weight_kg, "kg"),
    )
    return [(figure, unit) for figure, unit in figures if figure is not None]


def _review_line(kind: str, title: Message, line: NormLine | None) -> ReviewLine:
    relation = _relation(line)
    note = Message("review.officer_counts")
    if relation == "within":
        note = Message("review.within")
    elif relation == "over" and line is not None and line.difference and line.unit:
        note = Message("review.over", {"amount": _figure(line.difference) or "", "unit": line.unit})
    elif relation == "over" and line is not None and line.unit:
        note = Message("details.over.norm")
    return ReviewLine(_ICONS.get(kind, "package"), title, note, relation != "within", Screen.DETAILS)


def _bag_line(person: PersonState) -> ReviewLine:
    title = "review.bags.apart" if person.unaccompanied else "review.bags.with"
    if not person.bags and not person.unaccompanied:
        title = "review.bags.none"
    note = None
    weighed = weight(person, None)
    if person.bags and weighed is not None:
        note = Message("review.bags.note", {"count": str(len(person.bags)), "weight": weighed})
    elif person.bags:
        note = Message("review.bags.count", {"count": str(len(person.bags))})
    return ReviewLine("luggage", Message(title), note, bool(person.unaccompanied), Screen.BAG)


def weight(person: PersonState | None, on_scale: float | None) -> str | None:
    """The bags weighed so far, together; None until the first."""
    if person is None:
        return None
    weights = [bag.weight_kg for bag in person.bags if bag.weight_kg is not None]
    if not weights:
        return None if on_scale is None else f"{on_scale:.1f}"
    return f"{sum(weights):.1f}"
