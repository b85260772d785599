"""A hall of fictional travellers for the staff's pages: synthetic records out of contracts."""

from __future__ import annotations

import hashlib
import io
import json
import re
import uuid
import zipfile
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from central_scene import PASSWORD, add_user
from cryptography.hazmat.primitives import hpke
from flask import Flask
from PIL import Image, ImageDraw
from werkzeug.test import TestResponse

from central.access.permissions import Role
from central.intake import accept, store_evidence
from central.service import Central, central_of
from contracts.checks import BAG_CHECKS, FACE_CHECKS, Check, CheckName, Verdict
from contracts.decision import Decision
from contracts.declaration import (
    Declaration,
    DeclaredChannel,
    GoodsItem,
    GoodsKind,
    Money,
    MoneyKind,
    Unit,
)
from contracts.disposition import Agency
from contracts.evidence import EVIDENCE_SUITE, EvidenceKind, evidence_info
from contracts.party import (
    Bag,
    Direction,
    DocumentFormat,
    FaceDecision,
    FaceResult,
    NameSource,
    Party,
    Person,
    TravelDocument,
)
from contracts.transaction import EvidenceReference, Provenance, TransactionRecord
from declarations.packs import load_pack

KIOSK = "B3"
WITHOUT = (CheckName.MRZ_INFRARED, CheckName.PAGE_ULTRAVIOLET, CheckName.CARDACCESS_DG14)  # no such light or PACE
DOCUMENT = tuple(name for name in CheckName if name not in (*FACE_CHECKS, *BAG_CHECKS, *WITHOUT))


@dataclass(frozen=True)
class Guest:
    """What one synthetic traveller brings. Defaults are an ordinary traveller who goes green."""

    surname: str = "ERIKSSON"
    given: str = "ANNA MARIA"
    number: str = "L898902C3"
    declared: DeclaredChannel = DeclaredChannel.GREEN
    items: tuple[GoodsItem, ...] = ()
    money: tuple[Money, ...] = ()
    failed: tuple[tuple[CheckName, Verdict, str], ...] = ()
    weight_kg: float | None = 18.4
    asked: bool = False
    child: bool = False
    language: str = "en"
    pictures: bool = True


def record_of(central: Central, guest: Guest, at: datetime) -> tuple[TransactionRecord, bytes]:
    """The record of a guest and the evidence bundle that it promises (empty when there is none)."""
    record_id = str(uuid.uuid4())
    persons = [_person("p1", guest, at)]
    bundle = b""
    reference = None
    if guest.pictures:
        bundle = sealed_bundle(central, record_id)
        reference = EvidenceReference(
            suite=EVIDENCE_SUITE,
            key_id=central.evidence_keys.current.key_id,
            ciphertext_sha256=hashlib.sha256(bundle).hexdigest(),
            size=len(bundle),
        )
    if guest.child:
        young = replace(guest, given="ELSA", number="L898902C4", items=(), money=(), weight_kg=None, failed=())
        child = _person("p2", young, at, born=date(at.year - 9, 3, 1))
        persons.append(child.model_copy(update={"role": "minor", "guardian": "p1", "declaration": None}))
    record = TransactionRecord(
        site_id=central.config.site_id,
        kiosk_id=KIOSK,
        record_id=record_id,
        direction=Direction.ARRIVAL,
        flight="XX204",
        started_at=at - timedelta(seconds=70),
        completed_at=at,
        party=Party(persons=tuple(persons)),
        evidence=reference,
        provenance=Provenance(profile="test", software="corridor-test"),
        step_seconds={"read_chip": 4.1, "match_face": 1.7},
    )
    return record, bundle


def arrives(central: Central, guest: Guest) -> Decision:
    """Let the guest through intake at the clock's time, with evidence when central wants it."""
    record, bundle = record_of(central, guest, central.clock())
    decision = accept(central, record, record.model_dump_json().encode()).decision
    if bundle and decision.evidence_wanted:
        assert store_evidence(central, KIOSK, record.record_id, bundle)
    return decision


def _person(person_id: str, guest: Guest, at: datetime, born: date = date(1988, 8, 12)) -> Person:
    said = {name: (verdict, reason) for name, verdict, reason in guest.failed}

    def checks(names: tuple[CheckName, ...]) -> tuple[Check, ...]:
        return tuple(
            Check(
                name=name, verdict=said.get(name, (Verdict.PASSED, "ok"))[0], reason=said.get(name, (0, "ok"))[1]
            )
            for name in names
        )

    doubtful = CheckName.FACE_MATCH in said
    return Person(
        person_id=person_id,
        role="lead",
        documents=(
            TravelDocument(
                format=DocumentFormat.TD3,
                document_code="P",
                issuer="UTO",
                number=guest.number,
                nationality="UTO",
                surname=guest.surname,
                given_names=guest.given,
                name_source=NameSource.DG1,
                birth_date=born,
                sex="F",
                expiry_date=date(2031, 4, 15),
                has_chip=True,
                checks=checks(DOCUMENT),
            ),
        ),
        face=FaceResult(
            decision=FaceDecision.DOUBT if doubtful else FaceDecision.MATCH,
            score=0.31 if doubtful else 0.61,
            false_match_rate=0.002 if doubtful else 0.00002,
            tries=1,
            checks=checks(FACE_CHECKS),
        ),
        bags=(Bag(tag="0220123456", weight_kg=guest.weight_kg, checks=checks(BAG_CHECKS)),)
        if guest.weight_kg is not None
        else (),
        declaration=Declaration(
            declared_channel=guest.declared,
            items=guest.items,
            money=guest.money,
            unaccompanied_baggage=False,
            covers=("p2",) if guest.child else (),
            rule_pack=load_pack("eaeu-by").label,
            notice_version="1",
            language=guest.language,
            certified_at=at,
        ),
        asked_for_officer=guest.asked,
    )


def sealed_bundle(central: Central, record_id: str) -> bytes:
    """An evidence bundle as a kiosk would make it, with two drawn faces."""
    drawn = {
        f"p1-{EvidenceKind.LIVE_FACE.value}.jpg": _drawing((191, 201, 244)),
        f"p1-{EvidenceKind.CHIP_PORTRAIT.value}.jpg": _drawing((229, 233, 251)),
    }
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as bundle:
        for name, data in drawn.items():
            bundle.writestr(name, data)
        bundle.writestr(
            "index.json", json.dumps({name: hashlib.sha256(data).hexdigest() for name, data in drawn.items()})
        )
    sealer = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
    public = central.evidence_keys.current.exchange().public_key()
    return sealer.encrypt(archive.getvalue(), public, info=evidence_info(central.config.site_id, record_id))


def _drawing(ground: tuple[int, int, int]) -> bytes:
    image = Image.new("RGB", (400, 320), ground)
    pen = ImageDraw.Draw(image)
    pen.ellipse((140, 60, 260, 210), fill=(142, 156, 224))
    pen.ellipse((90, 220, 310, 420), fill=(58, 64, 99))
    written = io.BytesIO()
    image.save(written, "JPEG")
    return written.getvalue()


FIVE_LITRES = GoodsItem(kind=GoodsKind.ALCOHOL, quantity=Decimal(5), unit=Unit.LITRE)
CASH = Money(kind=MoneyKind.CASH, amount=Decimal(12000), currency="USD", origin="01", intended_use="01")

ORDINARY = Guest()
OVER_ALCOHOL = Guest(declared=DeclaredChannel.RED, items=(FIVE_LITRES,), child=True)
WITH_CASH = Guest("WEI", "LAN", "X1200001", declared=DeclaredChannel.RED, money=(CASH,), language="zh")
ALTERED_CHIP = Guest(
    "LINDQVIST", "MAJA", "X1200002", failed=((CheckName.DG_HASHES, Verdict.FAILED, "hash_mismatch_dg2"),)
)
DOUBTFUL_FACE = Guest(
    "HADDAD",
    "SAMIR",
    "X1200003",
    failed=((CheckName.FACE_MATCH, Verdict.FAILED, "below_threshold"),),
    language="ar",
)
HEAVY_BAG = Guest("NOWAK", "PIOTR", "X1200004", weight_kg=61.2, language="pl")
NO_CAMERA = Guest(
    "KLEIN", "RUTH", "X1200005", failed=((CheckName.PRESENTATION_ATTACK, Verdict.NOT_CHECKED, "not_captured"),),
    language="de", pictures=False,
)  # fmt: skip
CHOSE_A_PERSON = Guest("ARMAN", "DARA", "X1200006", asked=True, language="fa")
HALL = (OVER_ALCOHOL, WITH_CASH, ALTERED_CHIP, DOUBTFUL_FACE, HEAVY_BAG, NO_CAMERA, CHOSE_A_PERSON, ORDINARY)


STAFF: dict[str, tuple[Role, Agency]] = {
    "olga": (Role.OFFICER, Agency.CUSTOMS),
    "petr": (Role.OFFICER, Agency.CUSTOMS),
    "boris": (Role.OFFICER, Agency.BORDER),
    "sergei": (Role.SUPERVISOR, Agency.CUSTOMS),
    "nina": (Role.ADMINISTRATOR, Agency.CUSTOMS),
    "ivan": (Role.AUDITOR, Agency.CUSTOMS),
}


def joins(central: Central, *user_ids: str) -> None:
    """Give people of the cast an account; a second time does nothing (passwords take a while to hash)."""
    with central.storage.read() as reading:
        there = {row.user.user_id for row in central.users.all(reading)}
    for user_id in user_ids:
        if user_id not in there:
            add_user(central, user_id, STAFF[user_id])


@dataclass
class Console:
    """A browser: it keeps cookies, reads forms and sends them with the token they carry."""

    app: Flask

    def __post_init__(self) -> None:
        self.client = self.app.test_client()

    def signs_in(self, user_id: str, password: str = PASSWORD) -> Console:
        """The same browser, signed in; raises AssertionError if central refuses."""
        joins(central_of(self.app), user_id)
        answer = self.submits("/sign-in", user_id=user_id, password=password)
        assert answer.status_code == 303, answer.text
        return self

    def sees(self, path: str) -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.text

    def submits(self, action: str, **fields: str) -> TestResponse:
        """Send a form with the token that this session's forms carry."""
        text = self.client.get("/officer/me", follow_redirects=True).text
        token = re.search(r'name="csrf_token" value="([^"]+)"', text)
        assert token is not None
        return self.client.post(action, data={"csrf_token": token[1], **fields})
