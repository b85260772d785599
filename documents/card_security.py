"""EF.CardSecurity (ICAO 9303-11 §9.2.11): SecurityInfos under a document signer's signature, in the master file.

It is what PACE with chip authentication mapping is judged by.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contracts.checks import Verdict
from documents.lds import LdsError
from documents.security_infos import SecurityInfos, parse_security_infos
from documents.signed_data import SignedContent, read_signed
from documents.trust import TrustStore

SECURITY_OBJECT = "0.4.0.127.0.7.3.2.1"  # bsi-de applications(3) eID(2) SecurityObject(1), TR-03110-3 §A.1.2.5


@dataclass(frozen=True)
class CardSecurity:
    infos: SecurityInfos
    signed: SignedContent

    def is_believed(self, trust: TrustStore, now: datetime, country: str | None) -> bool:
        """True when the signature holds, leads to an anchor, is not revoked, and is of the country that signed the
        document: another state's chip proves nothing about this one."""
        signer = self.signed.signer
        if signer is None or self.signed.signature[0] is not Verdict.PASSED:
            return False
        _, path = trust.chain(signer)
        if not path or (country is not None and signer.country != country):
            return False
        return trust.revocation(signer, path, now)[0] is not Verdict.FAILED


def parse_card_security(data: bytes) -> CardSecurity:
    """The file's content. LdsError("cardsecurity_malformed") when it is none."""
    try:
        signed = read_signed(data)
    except ValueError:
        raise LdsError("cardsecurity_malformed") from None
    if signed.content_type != SECURITY_OBJECT:
        raise LdsError("cardsecurity_malformed")
    return CardSecurity(parse_security_infos(signed.content), signed)
