"""Evidence: kept as received, only the bundle that the record promised, opened only for an officer of the case."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile

import pytest
from central_scene import Clock, Sender, enrolled, person, record, red_record
from cryptography.hazmat.primitives import hpke
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from central.access.permissions import User
from central.evidence import Picture, pictures
from central.referrals import case, picture
from central.sealing import Unreadable
from central.service import Central
from contracts.disposition import Agency
from contracts.evidence import EVIDENCE_SUITE, EvidenceKind, evidence_info
from contracts.transaction import EvidenceReference, TransactionRecord

JPEG = b"\xff\xd8\xff\xe0 not much of a picture"
SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


def bundle(images: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        index = {name: hashlib.sha256(data).hexdigest() for name, data in images.items()}
        archive.writestr("index.json", json.dumps(index))
        for name, data in images.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def with_evidence(central: Central, sent: TransactionRecord) -> tuple[TransactionRecord, bytes]:
    key = central.evidence_keys.current
    images = {"p1-live_face.jpg": JPEG, "p1-chip_portrait.jpg": JPEG + b"!"}
    info = evidence_info(sent.site_id, sent.record_id)
    ciphertext = SUITE.encrypt(bundle(images), key.exchange().public_key(), info=info)
    reference = EvidenceReference(
        suite=EVIDENCE_SUITE,
        key_id=key.key_id,
        ciphertext_sha256=hashlib.sha256(ciphertext).hexdigest(),
        size=len(ciphertext),
    )
    return sent.model_copy(update={"evidence": reference}), ciphertext


def upload(kiosk: Sender, record_id: str, ciphertext: bytes) -> tuple[int, str]:
    response = kiosk.send(
        "PUT",
        f"/api/v1/transactions/{record_id}/evidence",
        ciphertext,
        idempotency_key=f"{record_id}:evidence",
        content_type="application/octet-stream",
    )
    return response.status_code, response.json["code"] if response.json else ""


def test_the_promised_bundle(kiosk: Sender, central: Central, officer: User) -> None:
    sent, ciphertext = with_evidence(central, red_record())
    assert json.loads(kiosk.sends_record(sent).data)["evidence_wanted"]
    before = case(central, officer, sent.record_id, Agency.CUSTOMS)
    assert before.evidence_state == "not_present"
    assert before.pictures == frozenset()
    assert upload(kiosk, sent.record_id, ciphertext) == (204, "")
    assert upload(kiosk, sent.record_id, ciphertext) == (204, ""), "a retry is no second bundle"
    seen = case(central, officer, sent.record_id, Agency.CUSTOMS)
    assert seen.evidence_state == "present"
    assert seen.pictures == {("p1", EvidenceKind.LIVE_FACE), ("p1", EvidenceKind.CHIP_PORTRAIT)}
    shown = picture(central, officer, sent.record_id, Agency.CUSTOMS, "p1", EvidenceKind.LIVE_FACE)
    assert (shown.data, shown.media_type) == (JPEG, "image/jpeg")
    with central.storage.read() as session:
        assert central.envelope.open(session, sent.record_id, "evidence") == ciphertext
        newest = central.audit.page(session, tag="referral:case:viewed").events[0]
    assert newest.detail["picture"] == "live_face"


def test_another_bundle(kiosk: Sender, central: Central, officer: User) -> None:
    sent, ciphertext = with_evidence(central, red_record())
    kiosk.sends_record(sent)
    assert upload(kiosk, sent.record_id, ciphertext[:-1] + b"\x00") == (409, "EVIDENCE_MISMATCH")
    assert upload(kiosk, sent.record_id, ciphertext + b"\x00") == (409, "EVIDENCE_MISMATCH")
    assert case(central, officer, sent.record_id, Agency.CUSTOMS).evidence_state == "not_present"


def test_a_bundle_that_nobody_asked_for(kiosk: Sender, central: Central) -> None:
    sent, ciphertext = with_evidence(central, record())
    kiosk.sends_record(sent)
    assert upload(kiosk, sent.record_id, ciphertext) == (403, "NOT_ALLOWED")
    assert upload(kiosk, "r-unknown", ciphertext) == (404, "RECORD_UNKNOWN")


def test_another_kiosk_may_not_bring_the_bundle(
    kiosk: Sender, app: Flask, central: Central, clock: Clock, officer: User
) -> None:
    sent, ciphertext = with_evidence(central, red_record())
    kiosk.sends_record(sent)
    other = enrolled(app, central, clock, "B4", "kiosk")
    assert upload(other, sent.record_id, ciphertext) == (404, "RECORD_UNKNOWN"), "not even that it is there"
    assert case(central, officer, sent.record_id, Agency.CUSTOMS).evidence_state == "not_present"


def test_a_bundle_made_for_another_record_does_not_open(kiosk: Sender, central: Central, officer: User) -> None:
    first, ciphertext = with_evidence(central, red_record())
    second = red_record().model_copy(update={"evidence": first.evidence})
    kiosk.sends_record(second)
    assert upload(kiosk, second.record_id, ciphertext) == (204, "")
    assert case(central, officer, second.record_id, Agency.CUSTOMS).evidence_state == "unreadable"


def test_a_person_of_the_party_only(kiosk: Sender, central: Central, officer: User) -> None:
    sent, ciphertext = with_evidence(central, record(person(asked_for_officer=True)))
    kiosk.sends_record(sent)
    upload(kiosk, sent.record_id, ciphertext)
    with pytest.raises(LookupError):
        picture(central, officer, sent.record_id, Agency.CUSTOMS, "p2", EvidenceKind.LIVE_FACE)


@pytest.mark.parametrize(
    "images",
    [{"../p1-live_face.jpg": JPEG}, {"p1-other.jpg": JPEG}, {"p1-live_face.jpg": b"GIF89a"}, {"index.json": JPEG}],
)
@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_a_bundle_with_something_else_inside(images: dict[str, bytes]) -> None:
    with pytest.raises(Unreadable):
        pictures(bundle(images))


def test_a_bundle_whose_index_does_not_fit() -> None:
    good = bundle({"p1-live_face.jpg": JPEG})
    assert isinstance(pictures(good)[0], Picture)
    with pytest.raises(Unreadable):
        pictures(good.replace(b"not much", b"too much"))


def test_a_hostile_archive_is_unreadable_and_nothing_else() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("index.json", json.dumps({"p1-live_face.jpg": "0" * 64}))
    deflated = bytearray(buffer.getvalue())
    deflated[30 + len("index.json")] ^= 0xFF  # no deflate stream any more
    encrypted = bytearray(bundle({"p1-live_face.jpg": JPEG}))
    for place in range(len(encrypted) - 10):  # the flag of encryption in every header
        if encrypted[place : place + 4] == b"PK\x01\x02":
            encrypted[place + 8] |= 1
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.json", "[" * 100_000)
    for data in (bytes(deflated), bytes(encrypted), buffer.getvalue()):
        with pytest.raises(Unreadable):
            pictures(data)


@given(st.binary(max_size=400))
def test_whatever_is_in_a_bundle(data: bytes) -> None:
    with pytest.raises(Unreadable):
        pictures(data)
