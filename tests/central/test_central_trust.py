"""The trust store: nobody alone changes it, every change is audited, and kiosks get exactly what was approved."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from central_scene import Clock, Sender, add_user, record
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from central import trust
from central.access.permissions import Role, User
from central.command import main
from central.config import load_config
from central.keys import from_base64url
from central.referrals import NotAllowed
from central.service import Central, build
from central.trust import InvalidTrust, Upload
from contracts.api import KioskConfiguration, TrustBundle
from contracts.canonical import canonical_json, content_hash
from contracts.disposition import Agency
from contracts.events import AuditTag
from documents.certificates import Certificate
from hardware.specimens.issuer import SpecimenAuthority

UTOPIA, FOREIGN = SpecimenAuthority("UTO"), SpecimenAuthority("XYZ")
FILES = (Upload("uto.cer", UTOPIA.csca_certificate), Upload("uto.crl", UTOPIA.revocation_list))


@pytest.fixture
def nina(central: Central) -> User:
    return add_user(central, "nina", (Role.ADMINISTRATOR, Agency.CUSTOMS))


@pytest.fixture
def oleg(central: Central) -> User:
    return add_user(central, "oleg", (Role.ADMINISTRATOR, Agency.CUSTOMS))


def events(central: Central) -> list[str]:
    with central.storage.read() as reading:
        return [
            event.tag for event in central.audit.page(reading, limit=50).events if event.tag.startswith("trust")
        ]


def put_in_force(central: Central, one: User, other: User, *uploads: Upload) -> int:
    version = trust.propose(central, one, uploads)
    trust.decide(central, other, version.number, approve=True)
    return version.number


def test_a_version_needs_two_administrators(central: Central, nina: User, oleg: User) -> None:
    assert trust.wanted(central) == (0, None)
    version = trust.propose(central, nina, FILES, note="first")
    assert (version.number, version.state, trust.wanted(central)) == (1, "proposed", (0, None))
    with pytest.raises(InvalidTrust, match="same_person"):
        trust.decide(central, nina, 1, approve=True)
    assert trust.wanted(central) == (0, None)
    trust.decide(central, oleg, 1, approve=True)
    assert trust.wanted(central) == (1, version.sha256)
    assert events(central) == [AuditTag.TRUST_VERSION_APPROVED, AuditTag.TRUST_VERSION_PROPOSED]
    with pytest.raises(LookupError):
        trust.decide(central, oleg, 1, approve=True)


def test_the_database_itself_wants_two(central: Central, nina: User) -> None:
    trust.propose(central, nina, FILES)
    with pytest.raises(IntegrityError, match="trust_needs_two"), central.storage.write() as session:
        session.execute(text("update trust_versions set state = 'active', decided_by = proposed_by"))


def test_only_administrators_and_only_what_they_may(central: Central, officer: User, supervisor: User) -> None:
    auditor = add_user(central, "ivan", (Role.AUDITOR, Agency.CUSTOMS))
    for user in (officer, supervisor, auditor):
        with pytest.raises(NotAllowed):
            trust.propose(central, user, FILES)
        with pytest.raises(NotAllowed):
            trust.decide(central, user, 1, approve=True)


def test_versions_stand_on_each_other_and_withdraw(central: Central, nina: User, oleg: User) -> None:
    put_in_force(central, nina, oleg, *FILES)
    second = put_in_force(central, oleg, nina, Upload("xyz.cer", FOREIGN.csca_certificate))
    active = trust.active(central)
    assert active is not None
    assert {certificate.country for certificate, _ in active.authorities} == {"UT", "XY"}
    assert {sources for _, sources in active.authorities} == {("uto.cer",), ("xyz.cer",)}
    assert [source.name for source in active.content.sources] == ["uto.cer", "uto.crl", "xyz.cer"]
    gone = Certificate(UTOPIA.csca_certificate).fingerprint
    third = trust.propose(central, nina, (), withdraw=(gone,))
    trust.decide(central, oleg, third.number, approve=True)
    active = trust.active(central)
    assert active is not None
    assert [certificate.country for certificate, _ in active.authorities] == ["XY"]
    assert [(version.number, version.state) for version in trust.history(central)] == [
        (third.number, "active"),
        (second, "retired"),
        (1, "retired"),
    ]
    assert gone in trust.ever_trusted(central)


def test_what_cannot_be_is_refused_and_leaves_nothing(central: Central, nina: User, oleg: User) -> None:
    put_in_force(central, nina, oleg, *FILES)

    def reason(*uploads: Upload, withdraw: tuple[str, ...] = ()) -> str:
        with pytest.raises(InvalidTrust) as raised:
            trust.propose(central, nina, uploads, withdraw=withdraw)
        return raised.value.reason

    assert reason(Upload("notes.txt", b"hello")) == "not_understood"
    assert reason(*FILES) == "nothing_changes"
    assert reason(withdraw=("ab" * 32,)) == "withdraw_unknown"
    assert reason(Upload("ds.cer", UTOPIA.signer_certificate, root=True)) == "root_not_self_signed"
    assert reason(Upload("x", b"x", root=True)) == "root_not_understood"
    assert reason(Upload("good.cer", FOREIGN.csca_certificate), Upload("bad.cer", b"x")) == "not_understood"
    trust.propose(central, nina, [Upload("xyz.cer", FOREIGN.csca_certificate)])
    assert reason(Upload("xyz.crl", FOREIGN.revocation_list)) == "one_waits"
    waiting = trust.proposed(central)
    assert waiting is not None
    trust.decide(central, nina, waiting.number, approve=False)  # one's own may be taken back
    assert trust.proposed(central) is None
    assert events(central)[0] == AuditTag.TRUST_VERSION_REJECTED


def test_production_takes_no_specimen(central: Central, nina: User) -> None:
    production = replace(central, config=central.config.model_copy(update={"profile": "production"}))
    with pytest.raises(InvalidTrust, match="specimen"):
        trust.propose(production, nina, FILES)


def test_only_the_newest_list_of_an_issuer_is_kept(central: Central, nina: User, oleg: User) -> None:
    put_in_force(central, nina, oleg, *FILES)
    active = trust.active(central)
    assert active is not None
    assert [found.der for found in active.revocation_lists] == [UTOPIA.revocation_list]
    again = SpecimenAuthority("UTO", revoke_signer=True).revocation_list  # of the same moment: it is not newer
    with pytest.raises(InvalidTrust, match="nothing_changes"):
        trust.propose(central, nina, [Upload("again.crl", again)])


def test_a_kiosk_gets_what_was_approved_under_centrals_signature(
    central: Central, kiosk: Sender, nina: User, oleg: User
) -> None:
    assert kiosk.send("GET", "/api/v1/trust").status_code == 404
    put_in_force(central, nina, oleg, *FILES)
    said = KioskConfiguration.model_validate_json(kiosk.send("GET", "/api/v1/configuration").data)
    answer = kiosk.send("GET", "/api/v1/trust")
    assert answer.status_code == 200
    bundle = TrustBundle.model_validate_json(answer.data)
    assert (said.trust_version, said.trust_sha256) == (
        bundle.version,
        content_hash(bundle.model_copy(update={"signature": None})),
    )
    assert tuple(map(base64.b64decode, bundle.certificates)) == (UTOPIA.csca_certificate,)
    assert tuple(map(base64.b64decode, bundle.revocation_lists)) == (UTOPIA.revocation_list,)
    key = Ed25519PublicKey.from_public_bytes(from_base64url(said.receipt_public_key))
    assert bundle.signature is not None
    signature = from_base64url(bundle.signature)
    key.verify(signature, canonical_json(bundle.model_copy(update={"signature": None})))
    with pytest.raises(InvalidSignature):
        key.verify(signature, canonical_json(bundle.model_copy(update={"signature": None, "version": 9})))


def test_an_exit_and_a_stranger_get_nothing(app: Flask, central: Central, exit_gate: Sender) -> None:
    assert exit_gate.send("GET", "/api/v1/trust").status_code == 403
    assert app.test_client().get("/api/v1/trust").status_code == 401


def test_records_may_rely_on_what_was_ever_approved(
    central: Central, kiosk: Sender, nina: User, oleg: User
) -> None:
    narrow = central.config.model_copy(update={"trusted_anchors": ("ab" * 32,)})
    object.__setattr__(central, "config", narrow)
    sent = record()
    anchors = (Certificate(UTOPIA.csca_certificate).fingerprint,)
    sent = sent.model_copy(update={"provenance": sent.provenance.model_copy(update={"trust_anchors": anchors})})
    assert kiosk.sends_record(sent).status_code == 403
    put_in_force(central, nina, oleg, *FILES)
    assert kiosk.sends_record(sent).status_code == 200


def test_the_kiosks_own_client_fetches_it_over_http(
    app: Flask, central: Central, kiosk: Sender, nina: User, oleg: User, clock: Clock
) -> None:
    """Over a socket, with the signature of the kiosk's own client over a request without a body."""
    from threading import Thread

    from werkzeug.serving import make_server

    from kiosk.central_client import CentralClient

    put_in_force(central, nina, oleg, *FILES)
    clock.now = datetime.now(UTC)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        client = CentralClient(f"http://127.0.0.1:{server.server_port}", kiosk.station_id, kiosk.key)
        bundle = client.fetch_trust()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert bundle.version == 1


def admitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, profile: str, files: list[Path]) -> int:
    """`corridor central init --admit-stdin` with two administrators and a first trust store in their names."""
    names = ("adam", "alina")
    config = {
        "profile": profile, "site_id": "minsk-2", "site_name": "Minsk", "data_dir": "data",
        **{f"{name}_key_file": f"{name}.json" for name in ("master", "receipt", "evidence")},
        "session_secret_file": "session.json", "sampling_seed_file": "sampling.json",
    }  # fmt: skip
    (tmp_path / "central.toml").write_text("".join(f'{name} = "{value}"\n' for name, value in config.items()))
    admission = {
        "users": [
            {"id": name, "name": name, "password": f"{name} and a long word", "demo": profile == "demo",
             "grants": ["administrator:customs:minsk-2"]} for name in names
        ],
        "trust": {"files": [str(path) for path in files], "proposed_by": names[0], "approved_by": names[1]},
    }  # fmt: skip
    monkeypatch.setattr("sys.stdin", StringIO(json.dumps(admission)))
    return main(["init", "--config", str(tmp_path / "central.toml"), "--admit-stdin"])


def test_a_demonstration_begins_with_a_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    UTOPIA.write_trust(tmp_path / "trust")
    assert admitted(tmp_path, monkeypatch, "demo", sorted((tmp_path / "trust").iterdir())) == 0
    service = build(load_config(tmp_path / "central.toml"))
    try:
        store = trust.active(service)
        assert store is not None
        assert (store.number, store.proposed_by, store.decided_by) == (1, "adam", "alina")
        assert [one.fingerprint for one, _ in store.authorities] == [UTOPIA.fingerprint]
        assert len(store.revocation_lists) == 1
        assert events(service) == [AuditTag.TRUST_VERSION_APPROVED, AuditTag.TRUST_VERSION_PROPOSED]
    finally:
        service.close()


def test_nobody_speaks_for_two_administrators_in_production(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    UTOPIA.write_trust(tmp_path / "trust")
    assert admitted(tmp_path, monkeypatch, "production", sorted((tmp_path / "trust").iterdir())) == 2
    assert "two administrators" in capsys.readouterr().err
    service = build(load_config(tmp_path / "central.toml"))
    try:
        assert trust.active(service) is None
    finally:
        service.close()


def test_a_file_that_brings_nothing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "csca.cer").write_bytes(b"nothing")
    assert admitted(tmp_path, monkeypatch, "demo", [tmp_path / "csca.cer"]) == 2
    assert "csca.cer" in capsys.readouterr().err
