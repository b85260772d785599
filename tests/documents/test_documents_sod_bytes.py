"""No byte of EF.SOD can be turned unseen, also where no signature covers it."""

from __future__ import annotations

from datetime import UTC, date, datetime

from contracts.checks import Verdict
from documents.lds import parse_com, parse_dg1
from documents.mrz import compose_td3
from documents.passive_authentication import authenticate, parse_sod
from documents.trust import TrustStore
from hardware.specimens.build import PORTRAITS
from hardware.specimens.issuer import SpecimenAuthority

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def test_every_byte_counts() -> None:
    authority = SpecimenAuthority()
    lines = compose_td3(
        document_code="P",
        issuer="UTO",
        nationality="UTO",
        surname="Lindqvist",
        given_names="Anna Maria",
        number="L47312086",
        birth_date=date(1986, 4, 17),
        sex="F",
        expiry_date=date(2033, 5, 8),
    )
    files = authority.issue(lines, (PORTRAITS / "anna-neutral.jpg").read_bytes()).files
    trust = TrustStore((authority.csca_certificate,), (authority.revocation_list,))
    groups = {number: files[f"DG{number}"] for number in (1, 2, 15)}
    com, dg1 = parse_com(files["COM"]), parse_dg1(files["DG1"], NOW.date())

    def believed(content: bytes) -> bool:
        try:
            sod = parse_sod(content)
        except ValueError:
            return False
        found = authenticate(sod, groups, frozenset(), frozenset(), frozenset(groups), com, dg1, trust, NOW)
        return all(verdict is Verdict.PASSED for verdict, _ in found.answers.values())

    sound = files["SOD"]
    assert believed(sound)
    for offset in range(len(sound)):
        for turned in (0xFF, 0x01):
            spoilt = sound[:offset] + bytes([sound[offset] ^ turned]) + sound[offset + 1 :]
            assert not believed(spoilt), f"byte {offset}, bits {turned:#04x}"
