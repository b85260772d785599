"""Dispositions: what a named officer decides and signs. The only place that creates one (rule 1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from central.access.permissions import Permission, User
from central.access.users import SIGNING_SUITE, Refused
from central.audit import PEOPLE
from central.keys import base64url, from_base64url
from central.referrals import Closed, NotAllowed, UnknownCase
from central.service import Central
from central.storage.models import (
    StoredDisposition,
    StoredReason,
    StoredReceipt,
    StoredReferral,
    StoredUser,
)
from contracts.base import RetentionClass
from contracts.canonical import canonical_json
from contracts.decision import ReasonClass
from contracts.disposition import Agency, Disposition, DispositionOutcome, ReferralState
from contracts.events import AuditTag

STATES: Mapping[DispositionOutcome, ReferralState] = {
    DispositionOutcome.RELEASE: ReferralState.RELEASED,
    DispositionOutcome.ASSESS_DUTY: ReferralState.RELEASED,
    DispositionOutcome.DETAIN_GOODS: ReferralState.RELEASED,  # the traveller goes, the goods stay
    DispositionOutcome.HAND_OVER: ReferralState.HANDED_OVER,
    DispositionOutcome.REFUSE: ReferralState.HANDED_OVER,  # to the border service's custody, not to the exit
    DispositionOutcome.NO_SHOW: ReferralState.NO_SHOW,
}
MAY_LEAVE = frozenset(
    {
        DispositionOutcome.RELEASE,
        DispositionOutcome.ASSESS_DUTY,
        DispositionOutcome.DETAIN_GOODS,
        DispositionOutcome.HAND_OVER,  # as far as this agency goes: the other's referral is open now
    }
)
# The lists that an officer chooses from: reason codes by outcome, with what they mean in English.
REASON_CODES: Mapping[DispositionOutcome, Mapping[str, str]] = {
    DispositionOutcome.RELEASE: {
        "R-01": "Checked, nothing found",
        "R-02": "Checked, within the norms",
        "R-03": "Document genuine, holder confirmed in person",
        "R-04": "Device error, checked by hand",
        "R-05": "Not the person on the list",
    },
    DispositionOutcome.ASSESS_DUTY: {
        "A-01": "Over the norm, declared",
        "A-02": "Over the norm, not declared",
        "A-03": "Indivisible item",
        "A-04": "Cash declared in writing",
    },
    DispositionOutcome.DETAIN_GOODS: {
        "D-01": "Prohibited goods",
        "D-02": "Documents for restricted goods missing",
        "D-03": "Duty not paid",
        "D-04": "Evidence for proceedings",
    },
    DispositionOutcome.HAND_OVER: {
        "H-01": "Matter of another agency",
        "H-02": "Person on another agency's list",
        "H-03": "Document to be examined",
    },
    DispositionOutcome.REFUSE: {
        "F-01": "Document not genuine",
        "F-02": "Not the holder of the document",
        "F-03": "Conditions of entry not met",
    },
    DispositionOutcome.NO_SHOW: {"N-01": "Did not come to the desk", "N-02": "Left the hall"},
}
_OTHER_OUTCOMES = (
    DispositionOutcome.RELEASE,
    DispositionOutcome.DETAIN_GOODS,
    DispositionOutcome.HAND_OVER,
    DispositionOutcome.NO_SHOW,
)
OUTCOMES: Mapping[Agency, tuple[DispositionOutcome, ...]] = {
    Agency.CUSTOMS: (
        DispositionOutcome.RELEASE,
        DispositionOutcome.ASSESS_DUTY,
        DispositionOutcome.DETAIN_GOODS,
        DispositionOutcome.HAND_OVER,
        DispositionOutcome.NO_SHOW,
    ),
    Agency.BORDER: (
        DispositionOutcome.RELEASE,
        DispositionOutcome.REFUSE,
        DispositionOutcome.HAND_OVER,
        DispositionOutcome.NO_SHOW,
    ),
    Agency.POLICE: _OTHER_OUTCOMES,
    Agency.VETERINARY: _OTHER_OUTCOMES,
    Agency.PLANT_HEALTH: _OTHER_OUTCOMES,
}


class InvalidDisposition(ValueError):
    """A disposition that does not fit the case; `reason` is a stable code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, repr=False)
class Second:
    """The second officer, present at the desk, who confirms with their own password."""

    user_id: str
    password: str


def needs_second(outcome: DispositionOutcome, reason_classes: frozenset[ReasonClass]) -> bool:
    """Two officers sign a detention, a refusal, and a watch-list match that is confirmed."""
    if outcome in (DispositionOutcome.DETAIN_GOODS, DispositionOutcome.REFUSE):
        return True
    return outcome is DispositionOutcome.HAND_OVER and ReasonClass.WATCH_LIST in reason_classes


def dispose(
    central: Central,
    user: User,
    record_id: str,
    agency: Agency,
    *,
    outcome: DispositionOutcome,
    reason_code: str,
    password: str,
    note: str = "",
    hand_over_to: Agency | None = None,
    second: Second | None = None,
    address: str = "unknown",
) -> Disposition:
    """Close one agency's referral with a signed disposition.

    The officer holds the case and signs with the key that only their password opens. A no-show is closed by a
    supervisor after the alarm. Raises NotAllowed, UnknownCase, Closed, InvalidDisposition, or
    `central.access.users.Refused` for a wrong password, which counts for the throttle of whose password it should
    have been, at the workstation with this `address`.
    """
    site, now = central.config.site_id, central.clock()
    if not user.may(Permission.CASE_DISPOSE, site_id=site, agency=agency):
        raise NotAllowed
    _fits(agency, outcome, reason_code, hand_over_to)
    with central.storage.read() as session:
        if hand_over_to is not None and _decided(session, site, record_id, hand_over_to):
            raise InvalidDisposition("that_agency_has_decided")
        row = _open(central, session, user, record_id, agency, outcome)
        classes = frozenset(
            ReasonClass(value)
            for value in session.scalars(
                select(StoredReason.reason_class).where(
                    StoredReason.site_id == site, StoredReason.record_id == record_id
                )
            )
        )
        if needs_second(outcome, classes) != (second is not None):
            raise InvalidDisposition("second_officer_needed" if second is None else "second_officer_not_needed")
        signer, key = _unlocked(central, session, user.user_id, password, address)
        confirming = _second(central, session, user, agency, second, address)
    unsigned = Disposition(
        record_id=record_id,
        agency=agency,
        outcome=outcome,
        reason_code=reason_code,
        note=note.strip(),
        hand_over_to=hand_over_to,
        officer_id=user.user_id,
        second_officer_id=confirming[0].user_id if confirming else None,
        decided_at=now,
        suite=SIGNING_SUITE,
        key_id=signer.signing_key_id,
    )
    message = signed_bytes(unsigned)
    signed = unsigned.model_copy(update={"signature": base64url(key.sign(message))})
    with central.storage.write() as session:
        row = _open(central, session, user, record_id, agency, outcome)
        payload = central.envelope.seal(
            session, record_id, f"disposition:{agency.value}", RetentionClass.OUTCOME, canonical_json(signed), now
        )
        assert signed.signature is not None
        session.add(
            StoredDisposition(
                site_id=site,
                record_id=record_id,
                agency=agency.value,
                outcome=outcome.value,
                finding=outcome not in (DispositionOutcome.RELEASE, DispositionOutcome.NO_SHOW),
                reason_code=reason_code,
                hand_over_to=hand_over_to.value if hand_over_to else None,
                officer_id=user.user_id,
                second_officer_id=signed.second_officer_id,
                decided_at=now,
                suite=signed.suite,
                key_id=signed.key_id,
                signature=signed.signature,
                second_key_id=confirming[0].signing_key_id if confirming else None,
                second_signature=base64url(confirming[1].sign(message)) if confirming else None,
            )
        )
        row.state, row.closed_at, row.may_leave = STATES[outcome].value, now, outcome in MAY_LEAVE
        detail = {"agency": agency.value, "outcome": outcome.value, "reason_code": reason_code}
        for tag in (AuditTag.REFERRAL_DISPOSITION_SIGNED, AuditTag.REFERRAL_CASE_CLOSED):
            central.audit.append(
                session, chain=PEOPLE, tag=tag, actor=user.user_id, now=now, record_id=record_id, detail=detail,
                payload_sha256=payload,
            )  # fmt: skip
        if outcome is DispositionOutcome.HAND_OVER and hand_over_to is not None:
            _open_for(session, row, hand_over_to, now)
        _extend_receipt(central, session, record_id, now)
    central.broker.wake()
    return signed


def signed_bytes(disposition: Disposition) -> bytes:
    """What an officer's key signs: the canonical JSON of the disposition without its signature."""
    return canonical_json(disposition.model_copy(update={"signature": None}))


def verify_signature(central: Central, session: Session, disposition: Disposition) -> bool:
    """True when the named officer's enrolled key made the signature over exactly this disposition."""
    row = session.get(StoredUser, (central.config.site_id, disposition.officer_id))
    if row is None or row.signing_key_id != disposition.key_id or disposition.signature is None:
        return False
    try:
        public = Ed25519PublicKey.from_public_bytes(from_base64url(row.signing_public_key))
        public.verify(from_base64url(disposition.signature), signed_bytes(disposition))
    except (InvalidSignature, ValueError):
        return False
    return True


def _fits(agency: Agency, outcome: DispositionOutcome, reason_code: str, hand_over_to: Agency | None) -> None:
    if outcome not in OUTCOMES[agency]:
        raise InvalidDisposition("outcome_not_of_this_agency")
    if reason_code not in REASON_CODES[outcome]:
        raise InvalidDisposition("reason_code_unknown")
    if (outcome is DispositionOutcome.HAND_OVER) != (hand_over_to is not None):
        raise InvalidDisposition("hand_over_names_an_agency")
    if hand_over_to is agency:
        raise InvalidDisposition("hand_over_to_another_agency")


def _open(
    central: Central, session: Session, user: User, record_id: str, agency: Agency, outcome: DispositionOutcome
) -> StoredReferral:
    site = central.config.site_id
    row = session.get(StoredReferral, (site, record_id, agency.value))
    if row is None:
        raise UnknownCase(record_id)
    if row.closed_at is not None:
        raise Closed
    if outcome is DispositionOutcome.NO_SHOW:
        if not user.may(Permission.NO_SHOW_CLOSE, site_id=site, agency=agency):
            raise NotAllowed
        if row.no_show_at is None:
            raise InvalidDisposition("no_alarm_yet")
        if row.claimed_by not in (None, user.user_id):
            raise InvalidDisposition("claimed_by_another")
    elif row.claimed_by != user.user_id:
        raise InvalidDisposition("not_claimed_by_you")
    return row


def _second(
    central: Central, session: Session, user: User, agency: Agency, second: Second | None, address: str
) -> tuple[StoredUser, Ed25519PrivateKey] | None:
    if second is None:
        return None
    if second.user_id == user.user_id:
        raise InvalidDisposition("second_officer_is_the_first")
    signed = _unlocked(central, session, second.user_id, second.password, address)
    other = central.users.load(session, second.user_id)
    if not other.may(Permission.CASE_CONFIRM, site_id=central.config.site_id, agency=agency):
        raise NotAllowed
    return signed


def _decided(session: Session, site: str, record_id: str, agency: Agency) -> bool:
    row = session.get(StoredReferral, (site, record_id, agency.value))
    return row is not None and row.closed_at is not None


def _unlocked(
    central: Central, session: Session, user_id: str, password: str, address: str
) -> tuple[StoredUser, Ed25519PrivateKey]:
    """One officer's key. A wrong password counts against that officer here, and against nobody else."""
    central.users.throttle(session, user_id, address, central.clock(), "signing")
    try:
        return central.users.signing_key(session, user_id, password)
    except Refused:
        with central.storage.write() as counting:
            central.users.count_failure(counting, user_id, address, central.clock(), "signing")
        raise


def _open_for(session: Session, row: StoredReferral, agency: Agency, now: datetime) -> None:
    """Open the receiving agency's referral; one that was closed before is opened no second time here."""
    if session.get(StoredReferral, (row.site_id, row.record_id, agency.value)) is None:
        session.add(
            StoredReferral(
                site_id=row.site_id,
                record_id=row.record_id,
                agency=agency.value,
                state=ReferralState.OPEN.value,
                severity=row.severity,
                desk=row.desk,
                receipt_number=row.receipt_number,
                opened_at=now,
            )
        )


def _extend_receipt(central: Central, session: Session, record_id: str, now: datetime) -> None:
    """A control may outlast the receipt: it lives on from the moment the traveller is let go."""
    receipt = session.scalar(
        select(StoredReceipt).where(
            StoredReceipt.site_id == central.config.site_id, StoredReceipt.record_id == record_id
        )
    )
    if receipt is not None:
        receipt.expires_at = max(receipt.expires_at, now + timedelta(minutes=central.config.receipt_minutes))
