"""The ports: what the kiosk may ask of each device. One to three methods each; bytes and dataclasses.

Drivers raise `DeviceError` only. Every driver also has `health()` and `close()`; both are quick and never raise.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from contracts.api import DeviceState
from contracts.errors import ErrorCode

Frame = npt.NDArray[np.uint8]  # (height, width, 3), BGR, as OpenCV delivers it


class DeviceError(Exception):
    """A device could not do what was asked.

    `code` is stable; `what`, `follows` and `action` are sentences for a technician (what happened, what
    follows from it, what to do). None of them may hold personal data or bytes from a document.
    """

    def __init__(self, code: ErrorCode, what: str, follows: str = "", action: str = "") -> None:
        super().__init__(f"{code}: {what}")
        self.code = code
        self.what = what
        self.follows = follows
        self.action = action


@dataclass(frozen=True)
class Health:
    """A device's state, told in one sentence."""

    state: DeviceState
    detail: str = ""
    error: ErrorCode | None = None


@runtime_checkable
class Device(Protocol):
    """What all drivers share."""

    @property
    def name(self) -> str:
        """The driver's name in the registry, as it goes into the record's provenance."""
        ...

    @property
    def simulated(self) -> bool:
        """True when no real device stands behind the driver: refused by the production profile."""
        ...

    def health(self) -> Health: ...

    def close(self) -> None: ...


class CardChannel(Protocol):
    """An open channel to one card (the port of the whole document intelligence)."""

    @property
    def atr(self) -> bytes: ...

    def transmit(self, apdu: bytes) -> bytes:
        """Send one command APDU, return the response with its status word (ISO/IEC 7816-4)."""
        ...


class ChipReader(Device, Protocol):
    """A contactless reader slot."""

    def wait_for_card(self, seconds: float) -> bool:
        """True as soon as a card is in the field, False when the time is over."""
        ...

    def connect(self) -> CardChannel:
        """Open the card. Raises DeviceError(CARD_REMOVED | DEVICE_FAILED)."""
        ...


class Camera(Device, Protocol):
    """A camera that streams; `latest` never waits for more than `seconds` for a frame newer than `after`."""

    def latest(self, seconds: float = 2.0, after: int = -1) -> CapturedFrame:
        """The newest frame whose sequence number is greater than `after`.

        Raises DeviceError(CAMERA_NO_FRAME | DEVICE_MISSING).
        """
        ...


@dataclass(frozen=True)
class CapturedFrame:
    """One frame, its running number since the driver began, and when it arrived (monotonic seconds).

    `device` says which camera sent it, as far as the system can tell (driver, card, bus, serial number), and
    `opening` how often the stream had been opened by then: who watches for a camera that was exchanged needs both.
    """

    image: Frame
    sequence: int
    at: float
    device: str = ""
    opening: int = 0


@dataclass(frozen=True)
class TagReading:
    """A bag tag's licence plate (10 digits, IATA RP 740) and how many readings agreed."""

    licence_plate: str
    agreed: int


class BagTagScanner(Device, Protocol):
    def read_tag(self, seconds: float) -> TagReading | None:
        """The tag in view, or None when the time is over. Raises DeviceError."""
        ...


@dataclass(frozen=True)
class Weight:
    """A weight in kilograms, stable or not (MT-SICS `S S` and `S D`)."""

    kilograms: float
    stable: bool


class Scale(Device, Protocol):
    def weigh(self, seconds: float) -> Weight:
        """A stable weight. Raises DeviceError(SCALE_UNSTABLE | SCALE_OVERLOAD | DEVICE_TIMEOUT)."""
        ...


@dataclass(frozen=True)
class ReceiptDocument:
    """What a receipt says; the driver decides how it looks. Lines are in the traveller's language."""

    title: str
    number: str
    lines: tuple[str, ...]
    token: str  # the QR code's content
    language: str = "en"
    right_to_left: bool = False


class ReceiptPrinter(Device, Protocol):
    def print_receipt(self, receipt: ReceiptDocument) -> None:
        """Print and cut. Raises DeviceError(PRINTER_NO_PAPER | DEVICE_FAILED)."""
        ...


LightSignal = Literal["off", "idle", "busy", "proceed", "desk", "attention"]


class ChannelLight(Device, Protocol):
    def show(self, signal: LightSignal) -> None: ...


class Speaker(Device, Protocol):
    def synthesise(self, text: str, language: str) -> bytes:
        """Speech as a RIFF WAVE file. Raises DeviceError when the language has no voice."""
        ...


@dataclass
class DeviceSet:
    """The devices of one kiosk, as opened by `hardware.registry.open_devices`."""

    chip_reader: ChipReader
    document_camera: Camera
    face_camera: Camera
    tag_scanner: BagTagScanner
    scale: Scale
    printer: ReceiptPrinter
    light: ChannelLight
    speaker: Speaker
    infrared_camera: Camera | None = None  # sees the same glass in near-infrared light (B900); few readers have it
    ultraviolet_camera: Camera | None = None  # sees the same glass in ultraviolet light (UV-A, 365 nm), likewise
    opened_at: datetime | None = None
    extra: dict[str, Device] = field(default_factory=dict)

    def all(self) -> dict[str, Device]:
        """Every device by its role, in the order of the journey."""
        return {
            "chip_reader": self.chip_reader,
            "document_camera": self.document_camera,
            "face_camera": self.face_camera,
            "tag_scanner": self.tag_scanner,
            "scale": self.scale,
            "printer": self.printer,
            "light": self.light,
            "speaker": self.speaker,
            **({} if self.infrared_camera is None else {"infrared_camera": self.infrared_camera}),
            **({} if self.ultraviolet_camera is None else {"ultraviolet_camera": self.ultraviolet_camera}),
            **self.extra,
        }

    def close(self) -> None:
        for device in self.all().values():
            device.close()
