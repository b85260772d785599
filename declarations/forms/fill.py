"""A stored record as the form: what the traveller stated and the document said, and nothing else.

What nobody asked stays empty. Categories are ticked where a rule calls for a declaration of what was stated; an
amount that nobody knows ticks none.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from contracts.declaration import Addresses, Declaration, GoodsCategory, Route, TransportMode
from contracts.party import DocumentFormat, Person, TravelDocument
from contracts.transaction import TransactionRecord
from declarations.evaluate import Relation, RuleHit
from declarations.forms.model import Declarant, IdentityPaper, PaperKind, PassengerDeclaration

_KINDS = {
    DocumentFormat.TD3: PaperKind.PASSPORT,
    DocumentFormat.TD1: PaperKind.CARD,
    DocumentFormat.TD2: PaperKind.CARD,
    DocumentFormat.MRV_A: PaperKind.VISA,
    DocumentFormat.MRV_B: PaperKind.VISA,
}


def fill(
    record: TransactionRecord,
    person: Person,
    declaration: Declaration,
    hits: Iterable[RuleHit],
    *,
    transport: TransportMode,
    filled_on: date,
    witness: str = "",
) -> PassengerDeclaration:
    """The form of one adult of a record, as `declaration` (any version of theirs) says it.

    `hits` are the evaluator's for this declaration, `filled_on` is the local day, `witness` the officer before
    whom it was signed on paper. Raises pydantic.ValidationError for a record that no form can carry, such as a
    birth date after `filled_on`.
    """
    route = declaration.route or (Route() if declaration.money else None)
    minors = sum(other.role == "minor" for other in record.party.persons if other.person_id in declaration.covers)
    return PassengerDeclaration(
        reference=record.record_id,
        rule_pack=declaration.rule_pack,
        direction=record.direction,
        filled_on=filled_on,
        declarant=_declarant(person, declaration.addresses or Addresses()),
        minors=minors,
        departure_country=route.departure_country if route else None,
        destination_country=route.destination_country if route else None,
        accompanied_baggage=bool(person.bags) or None,
        unaccompanied_baggage=declaration.unaccompanied_baggage,
        purpose=declaration.purpose,
        categories=categories(hits),
        items=declaration.items,
        money=declaration.money,
        route=route.model_copy(update={"transport": route.transport or transport}) if route else None,
        version=declaration.version,
        amends=declaration.amends,
        certified_at=declaration.certified_at,
        witness=witness,
    )


def categories(hits: Iterable[RuleHit]) -> tuple[GoodsCategory, ...]:
    """The boxes 3.1 to 3.10 that the evaluator's hits tick, in the order of the form."""
    ticked = {hit.category for hit in hits if hit.category and hit.relation is not Relation.UNKNOWN}
    return tuple(category for category in GoodsCategory if category.value in ticked)


def _declarant(person: Person, addresses: Addresses) -> Declarant:
    identity = person.identity
    visa = next((document for document in person.documents if _kind(document) is PaperKind.VISA), None)
    if identity is None:
        return Declarant(
            stay_document=_paper(visa),
            permanent_address=addresses.permanent,
            temporary_address=addresses.temporary,
        )
    return Declarant(
        surname=identity.surname or "",
        given_names=identity.given_names or "",
        birth_date=identity.birth_date,
        document=_paper(identity),
        stay_document=_paper(visa),
        permanent_address=addresses.permanent,
        temporary_address=addresses.temporary,
    )


def _kind(document: TravelDocument) -> PaperKind:
    return _KINDS.get(document.format, PaperKind.OTHER)


def _paper(document: TravelDocument | None) -> IdentityPaper | None:
    if document is None or document.number is None:
        return None
    return IdentityPaper(kind=_kind(document), country=document.issuer, number=document.number)
