"""Every chip of a story opens and proves itself as its recipe says, and fails where the story says so."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest

from contracts.checks import CheckName, Verdict
from documents.mrz import parse_mrz
from documents.reading import ChipReading, read_chip
from documents.trust import TrustStore
from hardware.simulators.card import PassportCard
from hardware.specimens.build import PORTRAITS, TRAVELLERS, compose_lines, issue_chip, known_specimens
from hardware.specimens.issuer import SpecimenAuthority
from hardware.specimens.recipe import ChipProtocols, DocumentRecipe, load_recipe

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
AUTHORITIES = (SpecimenAuthority("UTO"), SpecimenAuthority("XYZ"))
TRUST = TrustStore(
    tuple(authority.csca_certificate for authority in AUTHORITIES),
    tuple(authority.revocation_list for authority in AUTHORITIES),
)
PROOF = (CheckName.ACTIVE_AUTHENTICATION, CheckName.CHIP_AUTHENTICATION)
# By kind: the way in, active authentication, chip authentication.
SPEAKS: dict[ChipProtocols, tuple[str, str, str]] = {
    "bac_aa": ("bac", "PASSED ok", "NOT_PRESENT no_dg14"),
    "pace_gm_ca": ("pace_gm", "NOT_PRESENT no_dg15", "PASSED ok"),
    "pace_cam": ("pace_cam", "NOT_PRESENT no_dg15", "PASSED pace_cam"),
    "pace_im_aa": ("pace_im", "PASSED ok", "NOT_PRESENT no_key"),
}


def chips() -> list[tuple[str, DocumentRecipe]]:
    return [
        (name, document)
        for name in known_specimens()
        for traveller in load_recipe(TRAVELLERS / name).travellers
        for document in traveller.documents
        if document.chip
    ]


def read(document: DocumentRecipe, directory: Path) -> ChipReading:
    lines = compose_lines(document)
    portrait = (PORTRAITS / f"{document.portrait}-neutral.jpg").read_bytes()
    issue_chip(document, lines, portrait).write(directory)
    printed = parse_mrz(lines, NOW.date())
    card = PassportCard.from_directory(directory)

    class Line:
        def transmit(self, apdu: bytes) -> bytes:
            return card.process(apdu)

    return read_chip(Line(), printed.key, TRUST, NOW, printed)


@pytest.mark.parametrize(("name", "document"), chips(), ids=lambda value: value if isinstance(value, str) else "")
def test_a_storys_chip(name: str, document: DocumentRecipe, tmp_path: Path) -> None:
    reading = read(document, tmp_path)
    way_in, *proofs = SPEAKS[document.chip_protocols]
    assert reading.access_protocol == way_in
    said = {check.name: f"{check.verdict} {check.reason}" for check in reading.checks}
    failed = {check.name for check in reading.checks if check.verdict in (Verdict.FAILED, Verdict.ERROR)}
    match document.chip_fault:
        case None:
            assert not failed, said
            assert [said[check] for check in PROOF] == proofs
        case "cloned":
            assert len(failed) == 1 and failed < set(PROOF)
        case "tampered_portrait":
            assert failed == {CheckName.DG_HASHES}
        case "foreign_signer":
            assert failed == {CheckName.ISSUER_COUNTRY}


def test_the_stories_show_every_kind() -> None:
    assert {document.chip_protocols for _, document in chips()} == set(get_args(ChipProtocols)) == set(SPEAKS)


@pytest.mark.parametrize("kind", get_args(ChipProtocols))
def test_a_copy_of_any_kind_fails_its_proof(kind: ChipProtocols, tmp_path: Path) -> None:
    (sound, *_) = (document for _, document in chips() if document.chip_protocols == kind)
    copied = read(sound.model_copy(update={"chip_fault": "cloned"}), tmp_path)
    verdicts = {copied.check(check).verdict for check in PROOF}
    assert Verdict.FAILED in verdicts and Verdict.PASSED not in verdicts
