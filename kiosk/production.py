"""What the production profile refuses (rule 10): every reason at once, not one for each start."""

from __future__ import annotations

from dataclasses import fields
from ipaddress import ip_address
from urllib.parse import urlsplit

from documents.trust import TrustStore
from hardware import registry
from hardware.ports import DeviceSet
from kiosk.config import KioskConfig
from kiosk.face import WeightsError
from kiosk.keys import KeyFileError, is_demonstration_key, load_outbox_key, load_signing_key, readable_by_others
from kiosk.models import verify_models


def refusals(config: KioskConfig, devices: DeviceSet) -> tuple[str, ...]:
    """Why this kiosk must not clear real travellers; empty when it may."""
    return (*_devices(config, devices), *_keys(config), *_trust(config), *_models(config), *_network(config))


def _devices(config: KioskConfig, devices: DeviceSet) -> list[str]:
    reasons = []
    for driver in registry.provenance(devices):
        if driver.simulated:
            reasons.append(f"devices.{driver.device}: '{driver.driver}' stands for a simulator")
    for field in fields(config.devices):
        url = str(getattr(config.devices, field.name))
        if url.removeprefix("camera:").startswith("file:"):
            reasons.append(f"devices.{field.name}: a file stands for a camera")
        if ":dummy:" in url:
            reasons.append(f"devices.{field.name}: a dummy printer prints nothing")
    if config.radio_profile != "none":
        reasons.append(f"radio_profile: '{config.radio_profile}' belongs to a simulated chip")
    return reasons


def _keys(config: KioskConfig) -> list[str]:
    reasons = []
    for name, path in (("signing_key_file", config.signing_key_file), ("outbox_key_file", config.outbox_key_file)):
        if is_demonstration_key(path):
            reasons.append(f"{name}: a demonstration key")
        if readable_by_others(path):
            reasons.append(f"{name}: readable by other users; it needs mode 0600")
    try:
        load_signing_key(config.signing_key_file)
        key = load_outbox_key(config.outbox_key_file).key
        if len(set(key)) < 8:
            reasons.append("outbox_key_file: not a random key")
    except KeyFileError as error:
        reasons.append(str(error))
    return reasons


def _trust(config: KioskConfig) -> list[str]:
    try:
        store = TrustStore.from_directory(config.trust_dir)
    except (ValueError, OSError) as error:
        return [f"trust_dir: {error}"]
    reasons = [f"trust_dir: specimen CSCA {fingerprint[:16]}…" for fingerprint in store.specimens]
    if not store.anchors:
        reasons.append("trust_dir: no CSCA certificate")
    return reasons


def _models(config: KioskConfig) -> list[str]:
    try:
        verify_models(config.models_dir)
    except WeightsError as error:
        return [f"models_dir: {error}"]
    return []


def _network(config: KioskConfig) -> list[str]:
    reasons = []
    address = urlsplit(config.central_url)
    if address.scheme != "https" and not _loopback(address.hostname or ""):
        reasons.append("central_url: not https")
    if config.central_key is None:
        reasons.append("central_key: missing; the first central that answers would be believed")
    if not _loopback(config.host):
        reasons.append("host: the kiosk's pages are for its own screen; listen on loopback")
    return reasons


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
