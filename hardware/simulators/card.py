"""The simulated e-passport: an ISO/IEC 7816-4 file system with BAC, secure messaging and active authentication.

`PassportCard` is the chip: command APDU in, answer out, loaded from a directory of chip files
(docs/specimens.md). `SimulatedReader` puts such cards on a virtual reader (vpcd) from a process of its own, so
that the reader's side runs its real PC/SC stack.
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

from contracts.errors import ErrorCode
from documents import tlv
from documents.access import BacKeys, session_of
from documents.apdu import Answer, Command
from documents.lds import APPLICATION, CARD_ACCESS, FILES, GROUPS, parse_dg1
from documents.mrz import MrzKey
from documents.secure_messaging import Session
from hardware.ports import DeviceError

RadioProfile = Literal["none", "424", "848"]
RADIO_PROFILES: tuple[RadioProfile, ...] = get_args(RadioProfile)  # kbit/s on the air, and 10 ms an APDU
_RADIO_LATENCY_SECONDS = 0.010
_SLOW_SECONDS = 0.100
_MUTE_SECONDS = 3600.0
_LONGEST_READ = 0xDF  # 223: what a secured short answer holds

FAULT_FORMS = (
    "mute, mute:N, slow, bad_mac:N, wrong_ssc:N, 6700:N (any status word of four hex digits), removed:N, "
    "truncated:FILE, missing:FILE, no_bac"
)
_STATUS = re.compile(r"[0-9A-Fa-f]{4}")


@dataclass(frozen=True)
class Fault:
    """What is wrong with a card. `at` counts command APDUs from 1; FILE is COM, SOD, DG1 …"""

    kind: str
    at: int = 1
    file: str = ""

    @classmethod
    def parse(cls, text: str) -> Fault:
        """A fault from its written form. ValueError for one that there is not."""
        kind, _, argument = text.partition(":")
        if kind in ("slow", "no_bac") and not argument:
            return cls(kind)
        if kind in ("truncated", "missing") and argument:
            if argument not in {file.name for file in FILES.values()}:
                raise ValueError(f"no such file: {argument}")
            return cls(kind, file=argument)
        if kind in ("mute", "bad_mac", "wrong_ssc", "removed") or _STATUS.fullmatch(kind):
            if not argument and kind in ("mute", "bad_mac", "wrong_ssc"):
                return cls(kind, at=1)
            if argument.isdigit():
                return cls(kind, at=int(argument))
        raise ValueError(f"unknown fault {text!r}; there are: {FAULT_FORMS}")


_CURVES = ("secp256r1", "secp384r1", "secp521r1", "brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1")


@dataclass(frozen=True, repr=False)
class AuthenticationKey:
    """The private key of active authentication. ValueError for a curve that there is not."""

    private_value: int
    curve: str = "secp256r1"

    def __post_init__(self) -> None:
        if self.curve not in _CURVES:
            raise ValueError(f"unknown curve; there are: {', '.join(_CURVES)}")

    def sign(self, challenge: bytes) -> bytes:
        """ECDSA with SHA-256 as r || s (TR-03111 §5.2.1)."""
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

        curve = {
            "secp256r1": ec.SECP256R1(),
            "secp384r1": ec.SECP384R1(),
            "secp521r1": ec.SECP521R1(),
            "brainpoolP256r1": ec.BrainpoolP256R1(),
            "brainpoolP384r1": ec.BrainpoolP384R1(),
            "brainpoolP512r1": ec.BrainpoolP512R1(),
        }[self.curve]
        key = ec.derive_private_key(self.private_value, curve)
        r, s = decode_dss_signature(key.sign(challenge, ec.ECDSA(hashes.SHA256())))
        size = (curve.key_size + 7) // 8
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")


class CardGone(Exception):
    """The card has left the field (a fault says so)."""


class PassportCard:
    """One chip. `process` answers a command APDU; raises CardGone when a fault takes the card away."""

    def __init__(
        self,
        files: dict[int, bytes],
        key: MrzKey,
        authentication_key: AuthenticationKey | int | None = None,
        fault: Fault | None = None,
        radio: RadioProfile = "none",
        card_access: bytes | None = None,
    ) -> None:
        self._files = dict(files)
        self._bac = BacKeys.of(key)
        if isinstance(authentication_key, int):
            authentication_key = AuthenticationKey(authentication_key)
        self._authentication_key = authentication_key
        self._fault = fault
        self._bits_per_second = {"none": 0, "424": 424_000, "848": 848_000}[radio]
        self._card_access = card_access
        self._count = 0
        if fault is not None and fault.file:
            self._spoil(fault)
        self.reset()

    @classmethod
    def from_directory(
        cls, directory: Path, fault: str | None = None, radio: RadioProfile = "none"
    ) -> PassportCard:
        """Load a directory of chip files. ValueError when it is none or the fault is unknown."""
        try:
            files = {
                file.identifier: (directory / file.file_name).read_bytes()
                for file in FILES.values()
                if (directory / file.file_name).is_file()
            }
            key, proof = _keys(directory, files)
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{directory.name}: not a directory of chip files ({type(error).__name__})") from None
        access = directory / CARD_ACCESS.file_name
        return cls(
            files,
            key,
            proof,
            Fault.parse(fault) if fault else None,
            radio,
            access.read_bytes() if access.is_file() else None,
        )

    def _spoil(self, fault: Fault) -> None:
        for identifier, file in FILES.items():
            if file.name == fault.file and identifier in self._files:
                if fault.kind == "missing":
                    del self._files[identifier]
                else:
                    content = self._files[identifier]
                    self._files[identifier] = content[: max(4, len(content) // 2)]

    def reset(self) -> None:
        """Power has been off: no session, nothing selected."""
        self._application = False
        self._current: int | None = None
        self._challenge: bytes | None = None
        self._session: Session | None = None

    # ------------------------------------------------------------------------------------------- commands

    def process(self, apdu: bytes) -> bytes:
        self._count += 1
        fault = self._fault
        due = fault is not None and self._count >= fault.at
        if due and fault is not None and fault.kind == "removed":
            raise CardGone
        if due and fault is not None and fault.kind == "mute":
            time.sleep(_MUTE_SECONDS)
        if fault is not None and fault.kind == "slow":
            time.sleep(_SLOW_SECONDS)
        if fault is not None and self._count == fault.at and _STATUS.fullmatch(fault.kind):
            self._session = None
            return bytes.fromhex(fault.kind)
        answer = self._answer(apdu, spoil=fault.kind if fault is not None and due else "")
        if self._bits_per_second:
            time.sleep(_RADIO_LATENCY_SECONDS + 8 * (len(apdu) + len(answer)) / self._bits_per_second)
        return answer

    def _answer(self, apdu: bytes, spoil: str) -> bytes:
        try:
            command = Command.parse(apdu)
        except ValueError:
            return b"\x67\x00"
        if command.cla & 0x0C != 0x0C:
            if self._session is not None:
                self._session = None  # 9303-11 §9.8.3: a bare command ends the session
            return self._perform(command).encode()
        session = self._session
        if session is None:
            return b"\x69\x88"
        if spoil == "wrong_ssc":
            session.counter += 1
        try:
            bare = session.unprotect_command(command)
        except LookupError:
            self._session = None
            return b"\x69\x87"
        except ValueError:
            self._session = None
            return b"\x69\x88"
        protected = session.protect_answer(self._perform(bare, secured=True), odd=bool(command.ins & 1)).encode()
        if spoil == "bad_mac":
            return protected[:-3] + bytes([protected[-3] ^ 0xFF]) + protected[-2:]
        return protected

    def _perform(self, command: Command, *, secured: bool = False) -> Answer:
        match command.ins:
            case 0xA4:
                return self._select(command, secured)
            case 0x84:
                return self._get_challenge()
            case 0x82:
                return self._external_authenticate(command)
            case 0xB0 | 0xB1:
                return self._read_binary(command, secured)
            case 0x88:
                return self._internal_authenticate(command, secured)
            case _:
                return Answer(b"", 0x6D00)

    @property
    def _open(self) -> bool:
        return self._fault is not None and self._fault.kind == "no_bac"

    def _select(self, command: Command, secured: bool) -> Answer:
        if command.p1 == 0x04:
            if command.data != APPLICATION:
                return Answer(b"", 0x6A82)
            self._application, self._current = True, None
            return Answer(b"", 0x9000)
        identifier = int.from_bytes(command.data, "big")
        if command.p1 == 0x00 and identifier == 0x3F00:
            self._application, self._current = False, None
            return Answer(b"", 0x9000)
        if not self._application:
            there = identifier == CARD_ACCESS.identifier and self._card_access is not None
            self._current = identifier if there else None
            return Answer(b"", 0x9000 if there else 0x6A82)
        if not (secured or self._open):
            return Answer(b"", 0x6982)
        if identifier not in self._files:
            return Answer(b"", 0x6A82)
        self._current = identifier
        return Answer(b"", 0x9000)

    def _get_challenge(self) -> Answer:
        if not self._application or self._open:
            return Answer(b"", 0x6D00)
        self._challenge = secrets.token_bytes(8)
        return Answer(self._challenge, 0x9000)

    def _external_authenticate(self, command: Command) -> Answer:
        challenge, self._challenge = self._challenge, None
        if challenge is None:
            return Answer(b"", 0x6985)
        try:
            content = self._bac.unseal(command.data)
        except ValueError:
            return Answer(b"", 0x6300)
        reader_nonce, returned, reader_share = content[:8], content[8:16], content[16:]
        if returned != challenge:
            return Answer(b"", 0x6300)
        share = secrets.token_bytes(16)
        self._session = session_of(reader_share, share, reader_nonce, challenge)
        return Answer(self._bac.seal(challenge + reader_nonce + share), 0x9000)

    def _read_binary(self, command: Command, secured: bool) -> Answer:
        content = self._readable(command, secured)
        if isinstance(content, int):
            return Answer(b"", content)
        if command.ins == 0xB1:
            try:
                offset = int.from_bytes(tlv.value(command.data, 0x54), "big")
            except tlv.TlvError:
                return Answer(b"", 0x6A80)
            part = content[offset : offset + min(command.expected - 3, _LONGEST_READ)]
            return Answer(tlv.encode(0x53, part), 0x9000) if part else Answer(b"", 0x6B00)
        offset = command.p2 if command.p1 & 0x80 else command.p1 << 8 | command.p2
        if offset >= len(content):
            return Answer(b"", 0x6B00)
        if secured and command.expected > _LONGEST_READ:
            return Answer(b"", 0x6700)
        part = content[offset : offset + command.expected]
        return Answer(part, 0x9000 if len(part) == command.expected else 0x6282)

    def _readable(self, command: Command, secured: bool) -> bytes | int:
        """The file that a READ BINARY is about, or the status word that refuses it."""
        if not self._application:
            if self._current == CARD_ACCESS.identifier and self._card_access is not None:
                return self._card_access
            return 0x6986
        if not (secured or self._open):
            return 0x6982
        if command.ins == 0xB0 and command.p1 & 0x80:
            identifier = 0x0100 | command.p1 & 0x1F
            if identifier not in self._files:
                return 0x6A82
            self._current = identifier
        if self._current is None:
            return 0x6986
        return self._files[self._current]

    def _internal_authenticate(self, command: Command, secured: bool) -> Answer:
        if not (secured or self._open):
            return Answer(b"", 0x6982)
        if self._authentication_key is None:
            return Answer(b"", 0x6D00)
        if len(command.data) != 8:
            return Answer(b"", 0x6700)
        return Answer(self._authentication_key.sign(command.data), 0x9000)


def _keys(directory: Path, files: dict[int, bytes]) -> tuple[MrzKey, AuthenticationKey | None]:
    """The card's secrets: of keys.json, or, for a bare dump of files, the key that its DG1 gives."""
    path = directory / "keys.json"
    if not path.is_file():
        key = parse_dg1(files[GROUPS[1].identifier], datetime.now(UTC).date()).key
        if key is None:
            raise ValueError("DG1 gives no key")
        return key, None
    keys = json.loads(path.read_text(encoding="utf-8"))
    proof = keys.get("active_authentication")
    return (
        MrzKey(keys["mrz"]["number"], keys["mrz"]["birth"], keys["mrz"]["expiry"]),
        AuthenticationKey(int(proof["private_value"], 16), proof.get("curve", "secp256r1")) if proof else None,
    )


class SimulatedReader:
    """The parent's hold on the card process of one virtual slot.

    The process ends with `close`, and by itself when the parent is gone. Every method raises
    DeviceError(DEVICE_FAILED) with the process's own words when it refuses; ValueError for bad arguments.
    """

    def __init__(self, vpcd_port: int, host: str = "127.0.0.1") -> None:
        self._address = (host, vpcd_port)
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start the card process; `insert` does so by itself."""
        if self._process is not None and self._process.poll() is None:
            return
        root = Path(__file__).resolve().parents[2]
        self._process = subprocess.Popen(  # noqa: S603 (our own module)
            [sys.executable, "-m", "hardware.simulators.card_process", self._address[0], str(self._address[1])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=root,
        )

    def insert(
        self,
        card_directory: Path,
        fault: str | None = None,
        radio: str = "none",
        remove_after: int | None = None,
    ) -> None:
        """Lay a document on the reader, instead of one that may lie there.

        `fault` as in FAULT_FORMS; `remove_after` lifts the document after that many command APDUs.
        """
        if fault:
            Fault.parse(fault)
        if radio not in RADIO_PROFILES:
            raise ValueError(f"unknown radio profile {radio!r}; there are: {', '.join(RADIO_PROFILES)}")
        order: dict[str, object] = {
            "insert": str(card_directory.resolve()),
            "fault": fault,
            "radio": radio,
            "after": remove_after,
        }
        self._ask(order)

    def remove(self) -> None:
        """Lift the document; nothing happens when there is none."""
        if self._process is not None:
            self._ask({"remove": True})

    def close(self) -> None:
        """End the card process. Quick, never raises."""
        process, self._process = self._process, None
        if process is None:
            return
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        try:
            process.wait(2.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> SimulatedReader:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _ask(self, order: dict[str, object]) -> None:
        with self._lock:
            self.start()
            process = self._process
            if process is None or process.stdin is None or process.stdout is None:
                raise DeviceError(ErrorCode.DEVICE_FAILED, "the card process is not there")
            try:
                process.stdin.write(json.dumps(order) + "\n")
                process.stdin.flush()
                line = process.stdout.readline()
            except OSError:
                line = ""
            if not line:
                raise DeviceError(ErrorCode.DEVICE_FAILED, "the card process has ended")
            answer = json.loads(line)
            if "error" in answer:
                raise DeviceError(ErrorCode.DEVICE_FAILED, answer["error"])
