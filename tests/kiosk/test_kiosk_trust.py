"""Which trust store a kiosk uses: its own, then the one that central keeps; never another or an older one."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contracts.api import DeviceState, KioskConfiguration, TrustBundle
from contracts.canonical import canonical_json, content_hash
from contracts.errors import ErrorCode
from documents.trust import TrustStore
from hardware.specimens.issuer import SpecimenAuthority
from kiosk.central_client import CentralError
from kiosk.central_key import CentralKey
from kiosk.trust import FILE_NAME, TrustKeeper

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
CENTRAL, STRANGER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
UTOPIA, FOREIGN = SpecimenAuthority("UTO"), SpecimenAuthority("XYZ")
OWN = TrustStore((UTOPIA.csca_certificate,), (UTOPIA.revocation_list,))


def text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def bundle(version: int, *certificates: bytes, key: Ed25519PrivateKey = CENTRAL, **changes: Any) -> TrustBundle:
    made = TrustBundle(
        site_id="minsk-2",
        version=version,
        certificates=tuple(base64.b64encode(one).decode() for one in certificates),
        revocation_lists=(base64.b64encode(FOREIGN.revocation_list).decode(),),
    ).model_copy(update=changes)
    return made.model_copy(update={"signature": text(key.sign(canonical_json(made)))})


@dataclass
class Central:
    """What central would say and give; counts how often it was asked."""

    gives: TrustBundle | None = None
    asked: int = 0
    said: dict[str, Any] = field(default_factory=dict)

    def fetch(self) -> TrustBundle:
        self.asked += 1
        if self.gives is None:
            raise CentralError(ErrorCode.CENTRAL_UNREACHABLE)
        return self.gives

    def says(self, version: int | None = None) -> KioskConfiguration:
        unsigned = None if self.gives is None else self.gives.model_copy(update={"signature": None})
        return KioskConfiguration(
            rule_pack="p",
            rule_pack_hash="0" * 64,
            evidence_suite="s",
            evidence_key_id="k",
            evidence_public_key=text(bytes(32)),
            receipt_public_key=text(CENTRAL.public_key().public_bytes_raw()),
            server_time=NOW,
            trust_version=version if version is not None else (self.gives.version if self.gives else 0),
            trust_sha256=None if unsigned is None else content_hash(unsigned),
        ).model_copy(update=self.said)


def keeper(directory: Path, central: Central, *, production: bool = False) -> TrustKeeper:
    key = CentralKey(directory, text(CENTRAL.public_key().public_bytes_raw()))
    return TrustKeeper(directory, "minsk-2", OWN, key, central.fetch, production=production)


def test_its_own_until_central_keeps_one_and_then_over_restarts(tmp_path: Path) -> None:
    central = Central()
    first = keeper(tmp_path, central)
    first.follow(central.says())
    assert (first.store, first.version, central.asked) == (OWN, 0, 0)
    central.gives = bundle(3, FOREIGN.csca_certificate)
    first.follow(central.says())
    first.follow(central.says())
    assert (first.version, central.asked) == (3, 1)
    assert first.store == TrustStore((FOREIGN.csca_certificate,), (FOREIGN.revocation_list,))
    assert first.health(NOW).state is DeviceState.WORKING
    again = keeper(tmp_path, central)
    assert (again.store, again.version) == (first.store, 3)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (bundle(2, FOREIGN.csca_certificate, key=STRANGER), "signature_invalid"),
        (bundle(2, FOREIGN.csca_certificate).model_copy(update={"signature": None}), "signature_invalid"),
        (bundle(2, FOREIGN.csca_certificate, site_id="riga-1"), "of_another_site"),
        (bundle(2, b"no certificate"), "malformed"),
    ],
    ids=["stranger", "unsigned", "other_site", "malformed"],
)
def test_what_is_not_to_be_believed_changes_nothing(tmp_path: Path, given: TrustBundle, problem: str) -> None:
    central = Central(given)
    kiosk = keeper(tmp_path, central)
    kiosk.follow(central.says())
    assert (kiosk.store, kiosk.version) == (OWN, 0)
    assert problem in kiosk.health(NOW).detail
    assert kiosk.health(NOW).state is DeviceState.WATCH
    assert not (tmp_path / FILE_NAME).exists()


def test_another_bundle_than_the_one_that_was_named(tmp_path: Path) -> None:
    central = Central(bundle(2, FOREIGN.csca_certificate))
    said = central.says()
    central.gives = bundle(2, UTOPIA.csca_certificate)
    kiosk = keeper(tmp_path, central)
    kiosk.follow(said)
    assert (kiosk.store, "not_what_was_named" in kiosk.health(NOW).detail) == (OWN, True)


def test_never_back_to_an_older_one(tmp_path: Path) -> None:
    central = Central(bundle(5, FOREIGN.csca_certificate))
    kiosk = keeper(tmp_path, central)
    kiosk.follow(central.says())
    central.gives = bundle(4, UTOPIA.csca_certificate)
    kiosk.follow(central.says())
    assert (kiosk.version, central.asked) == (5, 1)
    assert "central_is_behind" in kiosk.health(NOW).detail


def test_central_away_is_asked_again(tmp_path: Path) -> None:
    central = Central()
    kiosk = keeper(tmp_path, central)
    kiosk.follow(central.says(version=1))
    assert (kiosk.version, "not_fetched" in kiosk.health(NOW).detail) == (0, True)
    central.gives = bundle(1, FOREIGN.csca_certificate)
    kiosk.follow(central.says())
    assert (kiosk.version, kiosk.health(NOW).state) == (1, DeviceState.WORKING)


def test_production_takes_no_specimen(tmp_path: Path) -> None:
    central = Central(bundle(1, FOREIGN.csca_certificate))
    kiosk = keeper(tmp_path, central, production=True)
    kiosk.follow(central.says())
    assert (kiosk.version, "specimen" in kiosk.health(NOW).detail) == (0, True)


@pytest.mark.parametrize(
    "spoil", [lambda kept: kept[:-40], lambda kept: kept.replace(b'"version":1', b'"version":9')]
)
def test_a_kept_file_that_somebody_changed_is_not_used(tmp_path: Path, spoil: Any) -> None:
    central = Central(bundle(1, FOREIGN.csca_certificate))
    keeper(tmp_path, central).follow(central.says())
    path = tmp_path / FILE_NAME
    path.write_bytes(spoil(path.read_bytes()))
    kiosk = keeper(tmp_path, central)
    assert (kiosk.store, kiosk.version, kiosk.health(NOW).state) == (OWN, 0, DeviceState.WATCH)
    kiosk.follow(central.says())  # and it is had again
    assert (kiosk.version, kiosk.health(NOW).state) == (1, DeviceState.WORKING)
