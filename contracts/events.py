"""Audit event tags, with one grammar: subject:thing:verb in the past tense."""

from __future__ import annotations

import re
from enum import StrEnum

TAG_GRAMMAR = re.compile(r"^[a-z_]+:[a-z_]+:[a-z_]+$")


class AuditTag(StrEnum):
    TRANSACTION_RECORD_ACCEPTED = "transaction:record:accepted"
    TRANSACTION_RECORD_REFUSED = "transaction:record:refused"
    TRANSACTION_DECISION_MADE = "transaction:decision:made"
    TRANSACTION_DECISION_REPLAYED = "transaction:decision:replayed"
    TRANSACTION_EVIDENCE_STORED = "transaction:evidence:stored"
    TRANSACTION_DATA_ERASED = "transaction:data:erased"
    REFERRAL_CASE_CLAIMED = "referral:case:claimed"
    REFERRAL_CASE_VIEWED = "referral:case:viewed"
    REFERRAL_CASE_UNCLAIMED = "referral:case:unclaimed"
    REFERRAL_DISPOSITION_SIGNED = "referral:disposition:signed"
    REFERRAL_CASE_CLOSED = "referral:case:closed"
    REFERRAL_NO_SHOW_RAISED = "referral:no_show:raised"
    DECLARATION_VERSION_ADDED = "declaration:version:added"
    DECLARATION_VERSION_CERTIFIED = "declaration:version:certified"
    DECLARATION_FORM_PRINTED = "declaration:form:printed"
    RECEIPT_TOKEN_ISSUED = "receipt:token:issued"  # noqa: S105 - a tag, not a secret
    RECEIPT_TOKEN_CHECKED = "receipt:token:checked"  # noqa: S105 - a tag, not a secret
    RECEIPT_TOKEN_REFUSED = "receipt:token:refused"  # noqa: S105 - a tag, not a secret
    ACCESS_USER_SIGNED_IN = "access:user:signed_in"
    ACCESS_USER_REFUSED = "access:user:refused"
    ACCESS_USER_SIGNED_OUT = "access:user:signed_out"
    ACCESS_ROLE_CHANGED = "access:role:changed"
    ACCESS_USER_CREATED = "access:user:created"
    KIOSK_KEY_ENROLLED = "kiosk:key:enrolled"
    KIOSK_STATE_CHANGED = "kiosk:state:changed"
    KIOSK_HEALTH_CHANGED = "kiosk:health:changed"
    KIOSK_REQUEST_REFUSED = "kiosk:request:refused"
    RULES_PACK_ACTIVATED = "rules:pack:activated"
    RULES_VERSION_PROPOSED = "rules:version:proposed"
    RULES_ACTIVATION_ASKED = "rules:activation:asked"
    RULES_ACTIVATION_APPROVED = "rules:activation:approved"
    RULES_ACTIVATION_REJECTED = "rules:activation:rejected"
    RULES_ACTIVATION_WITHDRAWN = "rules:activation:withdrawn"
    RULES_EFFECT_COUNTED = "rules:effect:counted"
    RATES_VERSION_IMPORTED = "rates:version:imported"
    LIST_ENTRIES_LOADED = "list:entries:loaded"
    TRUST_VERSION_PROPOSED = "trust:version:proposed"
    TRUST_VERSION_APPROVED = "trust:version:approved"
    TRUST_VERSION_REJECTED = "trust:version:rejected"
    FACES_MEASUREMENT_ORDERED = "faces:measurement:ordered"
    FACES_MEASUREMENT_TAKEN = "faces:measurement:taken"
    FACES_MEASUREMENT_STOPPED = "faces:measurement:stopped"
    FACES_MEASUREMENT_ENDED = "faces:measurement:ended"
    FACES_PICTURES_ERASED = "faces:pictures:erased"
    FACES_REFERRALS_COUNTED = "faces:referrals:counted"
    AUDIT_CHAIN_VERIFIED = "audit:chain:verified"
