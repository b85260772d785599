"""The devices of a kiosk: an explicit table, one URL per device.

| role | URL |
|---|---|
| `chip_reader` | `pcsc:READER NAME` |
| `document_camera`, `face_camera` | `v4l2:/dev/video0`, `rtsp://…`, `http://…`, `file:PATH` |
| `infrared_camera` | the same; the glass in near-infrared light (B900), where the reader offers it |
| `ultraviolet_camera` | the same; the glass in ultraviolet light (UV-A, 365 nm), where the reader offers it |
| `tag_scanner` | `camera:` + any camera URL, `serial:/dev/ttyACM0`, `wedge:/dev/input/event3` |
| `scale` | `mt-sics:/dev/ttyUSB0` |
| `printer` | `escpos:usb:VID:PID`, `escpos:tcp:HOST:PORT`, `escpos:file:/dev/usb/lp0`, `escpos:dummy:DIR` |
| `light` | `null:` |
| `speaker` | `espeak:`, `null:` |

`absent:` (or nothing) says that the kiosk has no such device; nobody misses an `infrared_camera` or an
`ultraviolet_camera` that is not configured. A device that does not open becomes an absent one: the kiosk starts,
says so in its health, and refers travellers to an officer.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, cast

from contracts.api import DeviceHealth, DeviceState
from contracts.errors import ErrorCode
from contracts.transaction import DriverProvenance
from hardware.absent import (
    AbsentCamera,
    AbsentChipReader,
    AbsentLight,
    AbsentPrinter,
    AbsentScale,
    AbsentSpeaker,
    AbsentTagScanner,
)
from hardware.ports import (
    BagTagScanner,
    Camera,
    ChannelLight,
    ChipReader,
    Device,
    DeviceError,
    DeviceSet,
    Health,
    ReceiptPrinter,
    Scale,
    Speaker,
)

# role: scheme -> (module, factory); the factory takes the whole URL and raises DeviceError
Drivers = dict[str, tuple[str, str]]

_CAMERA = ("hardware.camera.opencv", "open_camera")
CAMERAS: Drivers = dict.fromkeys(("v4l2", "rtsp", "rtsps", "http", "https", "file"), _CAMERA)
DRIVERS: dict[str, Drivers] = {
    "chip_reader": {"pcsc": ("hardware.chip.pcsc", "open_reader")},
    "document_camera": CAMERAS,
    "face_camera": CAMERAS,
    "infrared_camera": CAMERAS,
    "ultraviolet_camera": CAMERAS,
    "tag_scanner": {
        "camera": ("hardware.tags.camera_scanner", "open_scanner"),
        "serial": ("hardware.tags.serial_scanner", "open_scanner"),
        "wedge": ("hardware.tags.wedge", "open_scanner"),
    },
    "scale": {"mt-sics": ("hardware.scale.mt_sics", "open_scale")},
    "printer": {"escpos": ("hardware.printer.escpos_printer", "open_printer")},
    "light": {"null": ("hardware.light.null", "open_light")},
    "speaker": {
        "espeak": ("hardware.speaker.espeak", "open_speaker"),
        "null": ("hardware.speaker.null", "open_speaker"),
    },
}

_ABSENT: dict[str, Callable[[DeviceError], Device]] = {
    "chip_reader": AbsentChipReader,
    "document_camera": AbsentCamera,
    "face_camera": AbsentCamera,
    "infrared_camera": AbsentCamera,
    "ultraviolet_camera": AbsentCamera,
    "tag_scanner": AbsentTagScanner,
    "scale": AbsentScale,
    "printer": AbsentPrinter,
    "light": AbsentLight,
    "speaker": AbsentSpeaker,
}


@dataclass(frozen=True)
class DevicesConfig:
    """One URL per role. An empty URL means that the kiosk has no such device."""

    chip_reader: str = ""
    document_camera: str = ""
    face_camera: str = ""
    tag_scanner: str = ""
    scale: str = ""
    printer: str = ""
    light: str = "null:"
    speaker: str = "espeak:"
    infrared_camera: str = ""
    ultraviolet_camera: str = ""

    def __post_init__(self) -> None:
        for field in fields(self):
            url = getattr(self, field.name)
            scheme = url.partition(":")[0]
            if url and scheme != "absent" and scheme not in DRIVERS[field.name]:
                known = ", ".join(f"{name}:" for name in DRIVERS[field.name])
                raise ValueError(f"devices.{field.name}: '{scheme}:' is none of {known}, absent:")

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> DevicesConfig:
        """From the `[devices]` table of a configuration file. Raises ValueError for a role or URL unknown here."""
        known = {field.name for field in fields(cls)}
        for role, url in table.items():
            if role not in known:
                raise ValueError(f"devices.{role}: no such device; known are {', '.join(sorted(known))}")
            if not isinstance(url, str):
                raise ValueError(f"devices.{role}: a URL is expected")
        return cls(**table)


def open_devices(config: DevicesConfig) -> DeviceSet:
    """Open every device. Never raises for a device: one that does not open is absent, and its health says why."""
    return DeviceSet(
        chip_reader=cast(ChipReader, _open("chip_reader", config.chip_reader)),
        document_camera=cast(Camera, _open("document_camera", config.document_camera)),
        face_camera=cast(Camera, _open("face_camera", config.face_camera)),
        tag_scanner=cast(BagTagScanner, _open("tag_scanner", config.tag_scanner)),
        scale=cast(Scale, _open("scale", config.scale)),
        printer=cast(ReceiptPrinter, _open("printer", config.printer)),
        light=cast(ChannelLight, _open("light", config.light)),
        speaker=cast(Speaker, _open("speaker", config.speaker)),
        infrared_camera=_open_offered("infrared_camera", config.infrared_camera),
        ultraviolet_camera=_open_offered("ultraviolet_camera", config.ultraviolet_camera),
        opened_at=datetime.now(UTC),
    )


def _open_offered(role: str, url: str) -> Camera | None:
    """Not to have one is no defect, so it is not an absent device either; one that does not open is."""
    return cast(Camera, _open(role, url)) if url else None


def _open(role: str, url: str) -> Device:
    scheme = url.partition(":")[0]
    if not url or scheme == "absent":
        reason = DeviceError(ErrorCode.DEVICE_MISSING, "The kiosk has no such device.")
        return _ABSENT[role](reason)
    module, factory = DRIVERS[role][scheme]
    try:
        return cast(Device, getattr(importlib.import_module(module), factory)(url))
    except DeviceError as error:
        return _ABSENT[role](error)
    except Exception as error:  # a driver or its library that cannot even start is a missing device too
        what = f"The driver '{scheme}:' did not start ({type(error).__name__})."
        return _ABSENT[role](DeviceError(ErrorCode.DEVICE_MISSING, what))


def health(devices: DeviceSet, now: datetime) -> tuple[DeviceHealth, ...]:
    """The state of every device, for the heartbeat, in the order of the journey."""
    return tuple(_health(role, device, now) for role, device in devices.all().items())


def _health(role: str, device: Device, now: datetime) -> DeviceHealth:
    try:
        state = device.health()
    except Exception as error:  # one driver's mistake must not silence the others
        state = Health(DeviceState.STOPPED, f"No health ({type(error).__name__}).", ErrorCode.DEVICE_FAILED)
    return DeviceHealth(
        device=role, state=state.state, error=state.error, detail=_short(state.detail), checked_at=now
    )


def provenance(devices: DeviceSet) -> tuple[DriverProvenance, ...]:
    """Which driver serves each role, and whether it stands for a simulator (rule 10)."""
    return tuple(
        DriverProvenance(device=role, driver=device.name, simulated=device.simulated)
        for role, device in devices.all().items()
    )


def _short(sentence: str) -> str:
    plain = "".join(character if character.isprintable() else " " for character in sentence)
    return plain if len(plain) <= 120 else plain[:119] + "…"
