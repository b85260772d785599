"""Sample views: every screen in the states that matter, for the rehearsal gallery and the tests of the screens.

All people, flights and amounts are invented. Served at /gallery/<name> outside production only.
"""

from __future__ import annotations

from dataclasses import replace

from contracts.declaration import MoneyOrigin, MoneyUse
from kiosk.presenter import advice
from kiosk.view import (
    About,
    Allowance,
    Basis,
    Choice,
    Condition,
    Line,
    Message,
    MoneyQuestions,
    Panel,
    Result,
    ReviewLine,
    Screen,
    Share,
    Station,
    Step,
    Traveller,
    View,
    Writing,
)

SETTINGS = ("language", "text_size", "contrast")


def steps(now: Station) -> tuple[Step, ...]:
    """The progress line with `now` lit."""
    stations = list(Station)
    place = stations.index(now)
    return tuple(
        Step(station, "done" if index < place else "now" if index == place else "next")
        for index, station in enumerate(stations)
    )


def _base(screen: Screen, *actions: str) -> View:
    return View(
        screen=screen,
        revision=1,
        language="en",
        site="Minsk Airport",
        flight="XX 204",
        actions=actions + SETTINGS,
    )


ALLOWANCES = (
    Allowance("alcohol", "3", "l"),
    Allowance("cigarettes", "200", "pcs"),
    Allowance("cash", "10,000", "USD"),
    Allowance("goods", "50", "kg", second_free="10,000", second_unit="EUR"),
    Allowance("animals_plants", None, None),
    Allowance("medicines", None, None),
)
MORE = ("weapons", "drone", "cultural", "collections", "instrument", "other_restricted", "relief")
ALCOHOL = replace(
    ALLOWANCES[0],
    chosen=True,
    amount="5",
    relation="over",
    difference="2",
    duty="20 EUR",
    share=5 / 3,
    at_most="5",
)
CASH = replace(ALLOWANCES[2], chosen=True, amount="8,000", relation="within", difference="2,000", share=0.8)


def _document() -> dict[str, View]:
    then = (Line("next", Message("document.chip.next")), Line("next", Message("document.agree.next")))
    chip_read = (Line("done", Message("document.chip.done")),)
    base = replace(
        _base(Screen.DOCUMENT, "retry", "back", "ask_officer"),
        steps=steps(Station.PASSPORT),
        prompt="place_document",
        panel=Panel(Message("document.panel.place"), None, (Line("next", Message("document.page.next")), *then)),
    )
    reading = Panel(
        Message("document.panel.hold"),
        0.62,
        (
            Line("done", Message("document.page.done")),
            Line("now", Message("document.chip.seconds", {"count": "4"})),
            Line("next", Message("document.agree.next")),
        ),
    )
    return {
        "document": replace(base, panel=reading, prompt=None),
        "document-place": base,
        "document-error": replace(base, error=Message("error.page_unreadable"), try_number=2),
        **{
            f"document-{problem.replace('_', '-')}": replace(base, panel=advice(problem, then))
            for problem in ("cut_off", "several_documents", "no_zone")  # the longest words
        },
        "document-glare": replace(base, page_part="middle", panel=advice("glare", then, part="middle")),
        "document-front": replace(
            base,
            side="front",
            prompt="turn_document",
            panel=Panel(
                Message("document.panel.turn"),
                None,
                (*chip_read, Line("next", Message("document.front.next"))),
            ),
        ),
        "document-front-zone-side": replace(
            base, side="front", prompt="turn_document", panel=advice("zone_side", (), before=chip_read)
        ),
        "document-front-child": replace(
            base,
            side="front",
            prompt="turn_document",
            minor_turn=True,
            person=2,
            people=2,
            panel=Panel(
                Message("document.do.moving"),
                0.8,
                (*chip_read, Line("now", Message("document.front.now"))),
            ),
        ),
        "document-person-2": replace(base, person=2, people=2),
        "document-time": replace(base, seconds_left=24, actions=(*base.actions, "more_time")),
    }


def _face() -> dict[str, View]:
    base = replace(
        _base(Screen.FACE, "retry", "back", "ask_officer"),
        steps=steps(Station.FACE),
        prompt="look",
        panel=Panel(Message("face.hint.look"), 0.4),
        hint=Message("face.hint.closer"),
        conditions=(
            Condition("light", True, Message("face.light.good")),
            Condition("face", True, Message("face.face.good")),
            Condition("distance", False, Message("face.distance.far")),
        ),
    )
    good = Condition("distance", True, Message("face.distance.good"))
    return {
        "face": base,
        "face-turn": replace(
            base,
            prompt="turn_left",
            hint=Message("face.hint.left"),
            conditions=(*base.conditions[:2], good),
            try_number=2,
        ),
        "face-child": replace(base, minor_turn=True, person=2, people=2, error=Message("error.face_again")),
    }


def _goods() -> dict[str, View]:
    goods = replace(
        _base(Screen.GOODS, "declare", "goods", "back", "ask_officer"),
        steps=steps(Station.GOODS),
        allowances=ALLOWANCES,
    )
    details = replace(
        _base(Screen.DETAILS, "amounts", "recount", "goods", "back", "ask_officer"),
        steps=steps(Station.GOODS),
        declared="red",
    )
    several = (ALCOHOL, ALLOWANCES[1], CASH, *ALLOWANCES[3:5], replace(ALLOWANCES[5], chosen=True))
    one_cash = (*ALLOWANCES[:2], CASH, *ALLOWANCES[3:])
    cigarettes = replace(ALLOWANCES[1], chosen=True)
    return {
        "goods": goods,
        "goods-gb": replace(goods, allowances=GREAT_BRITAIN, apart=True),
        "goods-adult-2": replace(goods, person=2, people=3, error=Message("error.choose_one")),
        "details-choose": replace(details, allowances=ALLOWANCES),
        "details-choose-many": replace(
            details, allowances=ALLOWANCES + tuple(Allowance(kind, None, None) for kind in MORE)
        ),
        "details-choose-error": replace(details, allowances=ALLOWANCES, error=Message("error.choose_goods")),
        "details": replace(details, allowances=(ALCOHOL, *ALLOWANCES[1:])),
        "details-cigarettes": replace(details, allowances=(ALLOWANCES[0], cigarettes, *ALLOWANCES[2:])),
        "details-cash": replace(details, allowances=one_cash),
        "details-several": replace(details, allowances=several, error=Message("error.amount")),
        "details-goods": replace(
            details, allowances=(*ALLOWANCES[:3], replace(ALLOWANCES[3], chosen=True), *ALLOWANCES[4:])
        ),
    }


GREAT_BRITAIN = (
    Allowance("beer", "42", "l"),
    Allowance("wine", "18", "l"),
    Allowance("spirits", "4", "l"),
    Allowance("cigarettes", "200", "pcs"),
    Allowance("cash", "10,000", "GBP", at_least=True),
    Allowance("goods", "390", "GBP"),
    Allowance("intermediate", "9", "l"),
    Allowance("cigarillos", "100", "pcs"),
    Allowance("cigars", "50", "pcs"),
    Allowance("tobacco", "250", "g"),
    Allowance("heated_sticks", "200", "pcs"),
)


def _about() -> dict[str, View]:
    """One question of the law about the person, and what of the goods is a child's."""
    asked = replace(
        _base(Screen.ABOUT, "circumstance", "back", "ask_officer"), steps=steps(Station.GOODS), declared="red"
    )
    days = (
        Choice("0", Message("about.days_since_exemption.below", {"count": "30"}), chosen=True),
        Choice("30", Message("about.days_since_exemption.from", {"count": "30"})),
    )
    home = (
        Choice("yes", Message("about.resident.yes")),
        Choice("no", Message("about.resident.no")),
    )
    shares = (
        Share("value-goods-p2", 1, "goods", "value", "EUR", "12,000"),
        Share("weight-goods-p2", 1, "goods", "weight", "kg", "60", given="25"),
    )
    return {
        "about-resident": replace(asked, about=About("resident", home)),
        "about-exemption": replace(asked, about=About("days_since_exemption", days), person=2, people=2),
        "shares": replace(
            asked,
            screen=Screen.SHARES,
            actions=("shares", "back", "ask_officer", *SETTINGS),
            shares=shares,
            error=Message("error.share_both"),
        ),
    }


def _writing() -> dict[str, View]:
    """What the form for money asks in words."""
    asked = replace(
        _base(Screen.WRITING, "writing", "back", "ask_officer"), steps=steps(Station.GOODS), declared="red"
    )
    home = {"permanent": "1 Example Street, Exampletown", "temporary": ""}
    return {
        "writing-address": replace(asked, writing=Writing("address", home)),
        "writing-instrument": replace(asked, writing=Writing("instrument"), error=Message("error.day")),
        "writing-route": replace(asked, writing=Writing("route", {"from": "TR", "to": "BY"})),
    }


def _money() -> dict[str, View]:
    questions = MoneyQuestions((("12,000", "USD"),), tuple(MoneyOrigin), tuple(MoneyUse))
    asked = replace(
        _base(Screen.MONEY, "money", "back", "ask_officer"),
        steps=steps(Station.GOODS),
        declared="red",
        money=questions,
    )
    several = (("123,456,789.5", "USD"), ("9,000", "EUR"))
    answered = replace(questions, amounts=several, origin="03", use="02", own=False)
    return {
        "money": asked,
        "money-answered": replace(asked, money=answered),
        "money-error": replace(asked, error=Message("error.money")),
    }


def _bag() -> dict[str, View]:
    base = replace(_base(Screen.BAG, "bag", "unaccompanied", "back", "ask_officer"), steps=steps(Station.BAG))
    weighing = replace(
        base,
        bag_count=1,
        prompt="place_bag",
        panel=Panel(
            Message("bag.panel.hold"),
            0.5,
            (
                Line("done", Message("bag.weight.done", {"weight": "18.4"})),
                Line("now", Message("bag.tag.now")),
            ),
        ),
    )
    return {
        "bag": base,
        "bag-scale": weighing,
        "bag-question": replace(base, bag_count=1, bags=1, weight_kg="18.4", error=Message("error.bag_question")),
    }


def _review() -> dict[str, View]:
    change = Screen.DETAILS
    review = replace(
        _base(Screen.REVIEW, "sign", "change", "back", "ask_officer"),
        steps=steps(Station.SIGN),
        travellers=(
            Traveller("Anna Maria Eriksson", Message("review.document", {"issuer": "UTO", "last": "6409"})),
            Traveller("Maja Eriksson", Message("review.document", {"issuer": "UTO", "last": "6410"}), minor=True),
        ),
        review=(
            ReviewLine(
                "wine",
                Message("review.item", {"kind": "alcohol", "amount": "5", "unit": "l"}),
                Message("review.over", {"amount": "2", "unit": "l"}),
                True,
                change,
                why=Basis(
                    (
                        Message("why.free_up_to", {"amount": "3", "unit": "l"}),
                        Message("why.duty", {"formula": "\u206610 EUR × (5 − 3) l = 20.00 EUR\u2069"}),
                    ),
                    "Decision 1 of an example council, annex 1",
                    "an example of a source",
                    ("a paper of the shop",),
                ),
            ),
            ReviewLine(
                "banknote",
                Message("review.item", {"kind": "cash", "amount": "8,000", "unit": "USD"}),
                Message("review.within"),
                False,
                change,
            ),
            ReviewLine(
                "banknote",
                Message("review.money.own", {"origin": "03"}),
                Message("review.money.use", {"use": "02"}),
                False,
                change,
            ),
            ReviewLine("package", Message("review.none"), Message("review.none.note"), False, Screen.GOODS),
            ReviewLine(
                "luggage",
                Message("review.bags.with"),
                Message("review.bags.note", {"count": "1", "weight": "18.4"}),
                False,
                Screen.BAG,
            ),
        ),
    )
    told = (
        ReviewLine("map-pin", Message("about.resident.yes"), None, False, Screen.ABOUT, "resident"),
        ReviewLine(
            "map-pin",
            Message("review.address", {"address": "1 Example Street, Exampletown"}),
            None,
            False,
            Screen.WRITING,
            "address",
        ),
    )
    one = replace(review, travellers=review.travellers[:1], declared="red")
    free = (*review.review[1:2], told[0], review.review[-1])
    return {
        "review": replace(review, paper=True),
        "review-plain": replace(one, review=review.review[3:], declared="green"),
        "review-told": replace(one, review=(*review.review[:3], *told), paper=False),
        "review-free": replace(one, review=free, actions=(*one.actions, "withdraw")),
    }


def _end() -> dict[str, View]:
    sending = replace(
        _base(Screen.SENDING),
        steps=steps(Station.SIGN),
        panel=Panel(
            Message("sending.panel"),
            0.7,
            (
                Line("done", Message("sending.sign.done")),
                Line("now", Message("sending.send.now")),
                Line("next", Message("sending.answer.next")),
            ),
        ),
    )
    result = replace(_base(Screen.RESULT, "finish", "print_receipt", "more_time"), seconds_left=20)
    receipt = {"receipt_number": "7740", "receipt_token": "sample.receipt.token", "printed": False}
    return {
        "sending": sending,
        "result-green": replace(result, result=Result(True, None, None, **receipt)),  # type: ignore[arg-type]
        "result-desk": replace(result, result=Result(False, "4", 4, **receipt)),  # type: ignore[arg-type]
        "result-offline": replace(
            result,
            result=Result(False, None, None, "", "", printed=False, offline=True),
            actions=("finish", *SETTINGS),
        ),
        "officer": _base(Screen.OFFICER),
        "out-of-service": _base(Screen.OUT_OF_SERVICE),
    }


def sample_views() -> dict[str, View]:
    """Every sample by its name, in the order of the journey."""
    party = replace(_base(Screen.PARTY, "alone", "add_person", "back", "ask_officer"), steps=steps(Station.FACE))
    return {
        "welcome": _base(Screen.WELCOME, "start", "ask_officer"),
        "notice": _base(Screen.NOTICE, "accept_notice", "back", "ask_officer"),
        **_document(),
        **_face(),
        "party": party,
        "party-more": replace(party, people=2, person=2),
        **_goods(),
        **_about(),
        **_money(),
        **_writing(),
        **_bag(),
        **_review(),
        **_end(),
    }
