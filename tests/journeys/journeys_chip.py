"""A chip of the fictional Anna, a card without a reader, and central's answer to what a reader makes of it."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from central.risk import Features, decide
from contracts.checks import BAG_CHECKS, FACE_CHECKS, Check, CheckName, Verdict
from contracts.decision import Channel
from contracts.declaration import Declaration, DeclaredChannel
from contracts.errors import ErrorCode
from contracts.party import Bag, Direction, FaceDecision, FaceResult, Party, Person, TravelDocument
from contracts.transaction import Provenance, TransactionRecord
from declarations.packs import load_pack
from documents.lds import COM, GROUPS, SOD
from documents.mrz import Mrz, MrzKey, compose_td3, parse_mrz
from documents.reading import ChipReading
from documents.trust import TrustStore
from hardware.ports import DeviceError
from hardware.simulators.card import CardGone, Fault, PassportCard
from hardware.specimens.build import PORTRAITS
from hardware.specimens.issuer import ChipFiles, ChipSecurity, SpecimenAuthority, untrusted_authority
from kiosk.chip import join
from kiosk.document_page import page_document, with_check

IDENTIFIERS = {file.name: file.identifier for file in (COM, SOD, *GROUPS.values())}
REVOKED = SpecimenAuthority(
    "UTO", seed="corridor journeys: an authority that revoked its signer", revoke_signer=True
)


def lines_of(number: str = "L47312086", surname: str = "Lindqvist", expires: int = 2033) -> tuple[str, ...]:
    """Anna's printed zone, or a near relative of it."""
    return compose_td3(
        document_code="P",
        issuer="UTO",
        nationality="UTO",
        surname=surname,
        given_names="Anna Maria",
        number=number,
        birth_date=date(1986, 4, 17),
        sex="F",
        expiry_date=date(expires, 5, 8),
    )


def portrait(name: str) -> bytes:
    return (PORTRAITS / f"{name}-neutral.jpg").read_bytes()


ANNA = lines_of()


def issued(
    lines: tuple[str, ...] = ANNA,
    face: str = "anna",
    *,
    by: SpecimenAuthority | None = None,
    aa: bool = True,
    security: ChipSecurity | None = None,
) -> ChipFiles:
    return SpecimenAuthority().issue(lines, portrait(face), signer=by, aa=aa, security=security)


def write_trust(directory: Path) -> None:
    """What the kiosk trusts: the specimens' authorities, and one that has revoked its own signer."""
    for authority in (SpecimenAuthority("UTO"), SpecimenAuthority("XYZ")):
        authority.write_trust(directory)
    (directory / "csca-revoked.cer").write_bytes(REVOKED.csca_certificate)
    (directory / "csca-revoked.crl").write_bytes(REVOKED.revocation_list)


def trust_store() -> TrustStore:
    authorities = (SpecimenAuthority("UTO"), SpecimenAuthority("XYZ"), REVOKED)
    return TrustStore(
        tuple(authority.csca_certificate for authority in authorities),
        tuple(authority.revocation_list for authority in authorities),
    )


class CardInHand:
    """A simulated card without reader and daemon: command APDU in, answer out."""

    def __init__(self, chip: ChipFiles, fault: str | None = None) -> None:
        self._card = PassportCard(
            {IDENTIFIERS[name]: content for name, content in chip.files.items()},
            MrzKey(*chip.mrz_key),
            chip.authentication_key,
            Fault.parse(fault) if fault else None,
        )

    def transmit(self, apdu: bytes) -> bytes:
        try:
            return self._card.process(apdu)
        except CardGone:
            raise DeviceError(ErrorCode.CARD_REMOVED, "the card has left") from None


def printed(lines: tuple[str, ...] = ANNA) -> Mrz:
    """What the camera makes of the printed zone when nothing is in doubt."""
    return parse_mrz(lines, _today())


@dataclass(frozen=True)
class Answer:
    """Central's answer to a journey in which everything but the document was in order."""

    channel: Channel
    reasons: frozenset[str]
    checks: dict[str, str]

    @property
    def causes(self) -> frozenset[str]:
        """What went wrong, without what could not be checked because of it."""
        return frozenset(reason for reason in self.reasons if not reason.endswith("_NOT_CHECKED"))


def answer_to(reading: ChipReading, page: Mrz | None = None) -> Answer:
    """Decide as if the traveller had finished the journey with a matching face and a light bag."""
    page = page or printed()
    # What is printed above the zone says the same as the zone: the chip alone is in question.
    agrees = Check(name=CheckName.MRZ_VIZ, verdict=Verdict.PASSED, reason="ok")
    portrait = Check(name=CheckName.PAGE_PORTRAIT, verdict=Verdict.PASSED, reason="ok")
    document = join(page_document(page, _today(), "not_reached"), reading)
    document = with_check(with_check(document, agrees), portrait)
    record = _record(document)
    (outcome,) = decide(
        Features(record=record, pack=load_pack("eaeu-by"), rates=None, on=_today(), screened=frozenset({"p1"}))
    )
    checks = {check.name.value: f"{check.verdict.value} {check.reason}" for check in document.checks}
    return Answer(outcome.channel, frozenset(reason.code for reason in outcome.reasons), checks)


def _record(document: TravelDocument) -> TransactionRecord:
    now = datetime.now(UTC)
    passed = {name: Check(name=name, verdict=Verdict.PASSED, reason="ok") for name in (*FACE_CHECKS, *BAG_CHECKS)}
    person = Person(
        person_id="p1",
        role="lead",
        documents=(document,),
        face=FaceResult(decision=FaceDecision.MATCH, checks=tuple(passed[name] for name in FACE_CHECKS)),
        bags=(Bag(tag="0117452083", weight_kg=18.4, checks=tuple(passed[name] for name in BAG_CHECKS)),),
        declaration=Declaration(
            declared_channel=DeclaredChannel.GREEN,
            unaccompanied_baggage=False,
            rule_pack="eaeu-by",
            notice_version="notice-1",
            language="en",
            certified_at=now,
        ),
    )
    return TransactionRecord(
        site_id="minsk-2",
        kiosk_id="B3",
        record_id=str(uuid.uuid4()),
        direction=Direction.ARRIVAL,
        started_at=now - timedelta(seconds=60),
        completed_at=now,
        party=Party(persons=(person,)),
        finished="complete",
        provenance=Provenance(profile="demo", software="corridor-kiosk-0.1.0"),
    )


def _today() -> date:
    return datetime.now(UTC).date()


@dataclass(frozen=True)
class Spoilt:
    """One mutation of Anna's chip: what it is, what the reader meets, and what must have failed because of it."""

    name: str
    chip: ChipFiles
    causes: frozenset[str]
    fault: str | None = None
    remove_after: int | None = None


def mutations() -> tuple[Spoilt, ...]:
    """Every way of spoiling a chip that a border meets, each with the checks that must catch it."""
    anna, other = issued(), issued(lines_of("L90021457", "Marchetti"), "marek")
    hash_of_dg2, certificate_end = _hash_offset(anna, "DG2"), _certificate_end(anna)
    return (
        _case("com: tag", anna.with_flipped_byte("COM", 0), "COM_SOD_FAILED"),
        _case("com: list of groups", anna.with_flipped_byte("COM", -1), "COM_SOD_FAILED"),
        _case("com: missing", anna.with_file("COM", None), "COM_SOD_FAILED"),
        _case("com: one group hidden", anna.with_file("COM", _com_without_dg15(anna)), "COM_SOD_FAILED"),
        _case("sod: tag", anna.with_flipped_byte("SOD", 0), "SOD_SIGNATURE_FAILED"),
        _case("sod: length", anna.with_flipped_byte("SOD", 2), "SOD_SIGNATURE_FAILED"),
        _case(
            "sod: hash of a group",
            anna.with_flipped_byte("SOD", hash_of_dg2),
            "SOD_SIGNATURE_FAILED",
            "DG_HASHES_FAILED",
        ),
        _case("sod: signature", anna.with_flipped_byte("SOD", -1), "SOD_SIGNATURE_FAILED"),
        _case("sod: certificate", anna.with_flipped_byte("SOD", certificate_end), "DS_CHAIN_FAILED"),
        _case("sod: missing", anna.with_file("SOD", None), "SOD_SIGNATURE_FAILED"),
        _case("sod: of another passport", anna.with_file("SOD", other.files["SOD"]), "DG_HASHES_FAILED"),
        _case("sod: by a forger", issued(by=untrusted_authority()), "DS_CHAIN_FAILED"),
        _case("sod: by a revoked signer", issued(by=REVOKED), "REVOCATION_FAILED"),
        _case("sod: by another country", issued(by=SpecimenAuthority("XYZ")), "ISSUER_COUNTRY_FAILED"),
        _case("dg1: a letter", anna.with_flipped_byte("DG1", 12), "DG_HASHES_FAILED", "DG1_MRZ_FAILED"),
        _case(
            "dg1: another name",
            _with_lines(anna, lines_of(surname="Lindquist")),
            "DG_HASHES_FAILED",
            "DG1_MRZ_FAILED",
        ),
        _case(
            "dg1: another number",
            _with_lines(anna, lines_of(number="L47312087")),
            "DG_HASHES_FAILED",
            "DG1_MRZ_FAILED",
        ),
        _case(
            "dg1: a longer validity",
            _with_lines(anna, lines_of(expires=2036)),
            "DG_HASHES_FAILED",
            "DG1_MRZ_FAILED",
        ),
        _case("dg1: missing", anna.with_file("DG1", None), "DG_HASHES_FAILED"),
        _case("dg2: tag", anna.with_flipped_byte("DG2", 0), "DG_HASHES_FAILED"),
        _case("dg2: the middle of the portrait", anna.with_flipped_byte("DG2", 16000), "DG_HASHES_FAILED"),
        _case("dg2: the last byte", anna.with_flipped_byte("DG2", -1), "DG_HASHES_FAILED"),
        _case("dg2: another's portrait", anna.with_altered_portrait(portrait("marek")), "DG_HASHES_FAILED"),
        _case("dg2: missing", anna.with_file("DG2", None), "DG_HASHES_FAILED"),
        _case("dg15: a byte of the key", anna.with_flipped_byte("DG15", -1), "DG_HASHES_FAILED"),
        _case(
            "dg15: a key of its own",
            anna.with_file("DG15", other.files["DG15"]).with_authentication_key_of(other),
            "DG_HASHES_FAILED",
        ),
        _case("dg15: missing", anna.with_file("DG15", None), "DG_HASHES_FAILED", "ACTIVE_AUTHENTICATION_FAILED"),
        _case(
            "no key issued",
            issued(aa=False),
            "ACTIVE_AUTHENTICATION_NOT_PRESENT",
            "CHIP_AUTHENTICATION_NOT_PRESENT",
        ),
        _case("key removed", anna.without_authentication_key(), "ACTIVE_AUTHENTICATION_FAILED"),
        _case("key of another", anna.with_authentication_key_of(other), "ACTIVE_AUTHENTICATION_FAILED"),
        _case("chip of another passport", other, "ACCESS_FAILED"),
        _case(
            "files of another under the printed key",
            ChipFiles(other.files, anna.mrz_key, other.authentication_key),
            "DG1_MRZ_FAILED",
        ),
        _case("com: cut short", anna, "COM_SOD_FAILED", fault="truncated:COM"),
        _case("sod: cut short", anna, "SOD_SIGNATURE_FAILED", fault="truncated:SOD"),
        _case("dg1: cut short", anna, "DG_HASHES_FAILED", "DG1_MRZ_FAILED", fault="truncated:DG1"),
        _case("dg2: cut short", anna, "DG_HASHES_FAILED", fault="truncated:DG2"),
        _case("no lock on the chip", anna, "ACCESS_NOT_PRESENT", fault="no_bac"),
        _case("an answer's code is wrong", anna, "ACCESS_FAILED", fault="bad_mac:6"),
        _case("an answer is out of order", anna, "ACCESS_ERROR", fault="wrong_ssc:6"),
        _case("the challenge is refused", anna, "ACCESS_FAILED", fault="6982:3"),
    )


def removals() -> tuple[Spoilt, ...]:
    """A document that is lifted while it is read: at first, among the small files, within the portrait."""
    anna = issued()
    return (
        _case("lifted at once", anna, "ACCESS_ERROR", remove_after=2),
        _case("lifted within the security object", anna, "ACCESS_ERROR", remove_after=9),
        _case("lifted within the portrait", anna, "ACCESS_ERROR", "DG_HASHES_ERROR", remove_after=40),
    )


def _case(
    name: str, chip: ChipFiles, *causes: str, fault: str | None = None, remove_after: int | None = None
) -> Spoilt:
    return Spoilt(name, chip, frozenset(f"CHECK_{cause}" for cause in causes), fault, remove_after)


def _with_lines(chip: ChipFiles, lines: tuple[str, ...]) -> ChipFiles:
    return chip.with_file("DG1", SpecimenAuthority().issue(lines, portrait("anna")).files["DG1"])


def _com_without_dg15(chip: ChipFiles) -> bytes:
    """EF.COM rewritten: the list one shorter, and both lengths with it."""
    com = bytearray(chip.files["COM"][:-1])
    com[1] -= 1
    com[-3] -= 1
    return bytes(com)


def _hash_offset(chip: ChipFiles, name: str) -> int:
    return chip.files["SOD"].index(hashlib.sha256(chip.files[name]).digest())


def _certificate_end(chip: ChipFiles) -> int:
    """The last byte of the signer's certificate within EF.SOD: of the signature of its country."""
    certificate = SpecimenAuthority().signer_certificate
    return chip.files["SOD"].index(certificate) + len(certificate) - 1
