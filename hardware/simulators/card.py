"""The simulated e-passport: a file system of ISO/IEC 7816-4 with BAC, PACE, secure messaging, and both ways in
which a chip proves itself.

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
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from contracts.errors import ErrorCode
from documents import tlv
from documents.access import BacKeys, session_of
from documents.apdu import Answer, Command
from documents.files import ATR_INFO, CARD_SECURITY
from documents.lds import APPLICATION, CARD_ACCESS, COM, FILES, GROUPS, SOD, ElementaryFile, LdsError
from documents.mrz import MrzKey
from documents.secure_messaging import Session
from documents.security_infos import SecurityInfos, parse_dg14, parse_security_infos
from hardware.ports import DeviceError
from hardware.simulators.card_keys import AuthenticationKey, CardKeys, RsaAuthenticationKey, chip_keys, read_keys
from hardware.simulators.card_protocols import PACE_STEPS, ChipAuthenticationChip, ChipRandom, PaceChip

RadioProfile = Literal["none", "424", "848"]
RADIO_PROFILES: tuple[RadioProfile, ...] = get_args(RadioProfile)  # kbit/s on the air, and 10 ms an APDU
_RADIO_LATENCY_SECONDS = 0.010
_SLOW_SECONDS = 0.100
_MUTE_SECONDS = 3600.0
_LONGEST_READ = 0xDF  # 223: what a secured short answer holds
_CAREFUL_READ = 160  # as much as early Dutch passports give
_LONGEST_SHORT_SIGNATURE = 231

FAULT_FORMS = (
    "mute, mute:N, slow, bad_mac:N, wrong_ssc:N, 6700:N (any status word of four hex digits), removed:N, "
    "truncated:FILE, missing:FILE, tampered:FILE, no_bac, no_keys, other_keys, "
    "pace_refuses:STEP (setup, nonce, mapping, agreement, token), short_reads, no_short_identifiers"
)
# In the master file; the others belong to the application.
_MASTER_FILES = {file.name: file for file in (CARD_ACCESS, CARD_SECURITY, ATR_INFO)}
_FILES_BY_NAME = {
    "com": COM, "sod": SOD, "cardaccess": CARD_ACCESS, "cardsecurity": CARD_SECURITY, "atrinfo": ATR_INFO,
}  # fmt: skip
_FILE_NAME = re.compile(
    r"(?:ef[ ._-]?)?(?:(?P<name>com|sod|card[ ._-]?access|card[ ._-]?security|atr(?:[ ._-]?info)?)"
    r"|(?:dg|data[ ._-]?group)[ ._-]?0?(?P<group>[1-9]|1[0-6])|(?P<identifier>[0-9a-f]{4}))(?:\.bin|\.dat)?"
)
_FILE_NAMES = {*_MASTER_FILES, *(file.name for file in FILES.values())}
_STATUS = re.compile(r"[0-9A-Fa-f]{4}")
_WITHOUT_ARGUMENT = ("slow", "no_bac", "no_keys", "other_keys", "short_reads", "no_short_identifiers")


@dataclass(frozen=True)
class Fault:
    """What is wrong with a card. `at` counts command APDUs from 1; FILE is COM, SOD, DG1 …"""

    kind: str
    at: int = 1
    file: str = ""
    step: str = ""

    @classmethod
    def parse(cls, text: str) -> Fault:
        """A fault from its written form. ValueError for one that there is not."""
        kind, _, argument = text.partition(":")
        if kind in _WITHOUT_ARGUMENT and not argument:
            return cls(kind)
        if kind in ("truncated", "missing", "tampered") and argument:
            if argument not in _FILE_NAMES:
                raise ValueError(f"no such file: {argument}")
            return cls(kind, file=argument)
        if kind == "pace_refuses" and argument in PACE_STEPS:
            return cls(kind, step=argument)
        if kind in ("mute", "bad_mac", "wrong_ssc", "removed") or _STATUS.fullmatch(kind):
            if not argument and kind in ("mute", "bad_mac", "wrong_ssc"):
                return cls(kind, at=1)
            if argument.isdigit():
                return cls(kind, at=int(argument))
        raise ValueError(f"unknown fault {text!r}; there are: {FAULT_FORMS}")


class CardGone(Exception):
    """The card has left the field (a fault says so)."""


class PassportCard:
    """One chip. `process` answers a command APDU; raises CardGone when a fault takes the card away."""

    def __init__(
        self,
        files: dict[int, bytes],
        key: MrzKey | CardKeys,
        authentication_key: AuthenticationKey | RsaAuthenticationKey | int | None = None,
        fault: Fault | None = None,
        radio: RadioProfile = "none",
        card_access: bytes | None = None,
        card_security: bytes | None = None,
        atr_info: bytes | None = None,
        random: ChipRandom | None = None,
    ) -> None:
        self._files = dict(files)
        given = {CARD_ACCESS: card_access, CARD_SECURITY: card_security, ATR_INFO: atr_info}
        self._master_files = {file.identifier: data for file, data in given.items() if data is not None}
        if isinstance(authentication_key, int):
            authentication_key = AuthenticationKey(authentication_key)
        keys = key if isinstance(key, CardKeys) else CardKeys(key, active=authentication_key)
        self._bac = BacKeys.of(keys.mrz)
        self._fault = fault
        self._keys = _spoilt_keys(keys, fault)
        self._bits_per_second = {"none": 0, "424": 424_000, "848": 848_000}[radio]
        self._random = random
        self._count = 0
        if fault is not None and fault.file:
            self._spoil(fault)
        self._longest_read = _longest_read(self._master_files.get(ATR_INFO.identifier))
        if fault is not None and fault.kind == "short_reads":
            self._longest_read = _CAREFUL_READ
        self._offered = _infos(self._master_files.get(CARD_ACCESS.identifier), parse_security_infos)
        self._infos = _infos(self._files.get(GROUPS[14].identifier), parse_dg14)
        self.reset()

    @classmethod
    def from_directory(
        cls, directory: Path, fault: str | None = None, radio: RadioProfile = "none"
    ) -> PassportCard:
        """Load a directory of chip files. ValueError when it is none or the fault is unknown."""
        try:
            files, master_files = read_chip_files(directory)
            keys = read_keys(directory, files)
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{directory.name}: not a directory of chip files ({type(error).__name__})") from None
        return cls(
            files,
            keys,
            None,
            Fault.parse(fault) if fault else None,
            radio,
            master_files.get("CardAccess"),
            master_files.get("CardSecurity"),
            master_files.get("ATR_INFO"),
        )

    def _spoil(self, fault: Fault) -> None:
        place, files = (
            (_MASTER_FILES[fault.file].identifier, self._master_files)
            if fault.file in _MASTER_FILES
            else (next(n for n, file in FILES.items() if file.name == fault.file), self._files)
        )
        content = files.get(place)
        if content is None:
            return
        if fault.kind == "missing":
            del files[place]
        elif fault.kind == "truncated":
            files[place] = content[: max(4, len(content) // 2)]
        else:
            middle = len(content) // 2
            files[place] = content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]

    def reset(self) -> None:
        """Power has been off: no session, nothing selected."""
        self._application = False
        self._current: int | None = None
        self._challenge: bytes | None = None
        self._session: Session | None = None
        self._next_session: Session | None = None
        self._protocol: PaceChip | ChipAuthenticationChip | None = None

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
            answer = self._perform(command).encode()
            self._rekey()
            return answer
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
        self._rekey()
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
            case 0x22:
                return self._manage_security_environment(command, secured)
            case 0x86:
                return self._general_authenticate(command)
            case _:
                return Answer(b"", 0x6D00)

    def _rekey(self) -> None:
        """The session that a protocol has agreed on begins behind the answer that ended it (§9.8.2)."""
        if self._next_session is not None:
            self._session, self._next_session = self._next_session, None

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
            status = self._master_file_status(identifier, secured)
            self._current = identifier if status == 0x9000 else None
            return Answer(b"", status)
        if not (secured or self._open):
            return Answer(b"", 0x6982)
        if identifier not in self._files:
            return Answer(b"", 0x6A82)
        self._current = identifier
        return Answer(b"", 0x9000)

    def _master_file_status(self, identifier: int, secured: bool) -> int:
        if identifier not in self._master_files:
            return 0x6A82
        return 0x6982 if identifier == CARD_SECURITY.identifier and not secured else 0x9000

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
        if secured and command.expected > self._longest_read:
            return Answer(b"", 0x6700)
        if command.ins == 0xB1:
            try:
                offset = int.from_bytes(tlv.value(command.data, 0x54), "big")
            except tlv.TlvError:
                return Answer(b"", 0x6A80)
            part = content[offset : offset + max(0, command.expected - 4)]  # what 53 and its length leave
            return Answer(tlv.encode(0x53, part), 0x9000) if part else Answer(b"", 0x6B00)
        offset = command.p2 if command.p1 & 0x80 else command.p1 << 8 | command.p2
        if offset >= len(content):
            return Answer(b"", 0x6B00)
        part = content[offset : offset + command.expected]
        return Answer(part, 0x9000 if len(part) == command.expected else 0x6282)

    def _readable(self, command: Command, secured: bool) -> bytes | int:
        """The file that a READ BINARY is about, or the status word that refuses it."""
        by_short_identifier = command.ins == 0xB0 and bool(command.p1 & 0x80)
        if by_short_identifier and self._fault is not None and self._fault.kind == "no_short_identifiers":
            return 0x6A86
        if self._application and not (secured or self._open):
            return 0x6982
        files = self._files if self._application else self._master_files
        if by_short_identifier:
            identifier = 0x0100 | command.p1 & 0x1F
            if identifier not in files:
                return 0x6A82
            self._current = identifier
        if self._current is None or self._current not in files:
            return 0x6986
        if not self._application and self._master_file_status(self._current, secured) != 0x9000:
            return 0x6982
        return files[self._current]

    def _manage_security_environment(self, command: Command, secured: bool) -> Answer:
        kind = command.p1 << 8 | command.p2
        if kind == 0xC1A4 and self._offered is not None and not secured:
            refuses = self._fault.step if self._fault is not None else ""
            keys = chip_keys(self._files, self._master_files.get(CARD_SECURITY.identifier))
            chip = PaceChip(
                self._offered, self._keys.mrz, self._keys.can, keys, self._keys.private_of, self._random, refuses
            )
            self._protocol = chip
            return chip.set_up(command.data)
        if kind in (0x41A4, 0x41A6) and self._infos is not None and (secured or self._open):
            chip_authentication = ChipAuthenticationChip(self._infos, self._keys.private_of)
            self._protocol = chip_authentication
            if kind == 0x41A4:
                return chip_authentication.set_up(command.data)
            answer = chip_authentication.set_key_agreement(command.data)
            self._next_session = chip_authentication.session
            return answer
        return Answer(b"", 0x6A88)

    def _general_authenticate(self, command: Command) -> Answer:
        protocol = self._protocol
        if protocol is None:
            return Answer(b"", 0x6985)
        answer = protocol.authenticate(command)
        if protocol.session is not None:
            self._next_session, self._protocol = protocol.session, None
        return answer

    def _internal_authenticate(self, command: Command, secured: bool) -> Answer:
        if not (secured or self._open):
            return Answer(b"", 0x6982)
        if self._keys.active is None:
            return Answer(b"", 0x6D00)
        if len(command.data) != 8:
            return Answer(b"", 0x6700)
        signature = self._keys.active.sign(command.data)
        if len(signature) > _LONGEST_SHORT_SIGNATURE and command.expected <= 256:
            return Answer(b"", 0x6700)
        return Answer(signature, 0x9000)


def read_chip_files(directory: Path) -> tuple[dict[int, bytes], dict[str, bytes]]:
    """The application's files by identifier and the master file's by name.

    They are known by their names, in any case and as others write them too: EF_COM, DatagroupN or EF_DGN, or the
    identifier in hexadecimal; with .bin, .dat or nothing behind; also in a directory below. ValueError for none,
    and for those of two chips.
    """
    files: dict[int, bytes] = {}
    master_files: dict[str, bytes] = {}
    places: dict[ElementaryFile, Path] = {}
    for path in sorted(directory.rglob("*"), key=lambda path: (len(path.parts), _by_identifier(path), path)):
        file = _file_of(path) if path.is_file() else None
        if file is None:
            continue
        known = places.setdefault(file, path)
        if known != path:
            if known.parent != path.parent and len(known.parts) == len(path.parts):
                raise ValueError("the files of two chips")
        elif file in _MASTER_FILES.values():
            master_files[file.name] = path.read_bytes()
        else:
            files[file.identifier] = path.read_bytes()
    if not files:
        raise ValueError("no chip files")
    return files, master_files


def _by_identifier(path: Path) -> bool:
    found = _FILE_NAME.fullmatch(path.name.lower())
    return found is not None and found["identifier"] is not None


def _file_of(path: Path) -> ElementaryFile | None:
    """The file that a path is named after."""
    found = _FILE_NAME.fullmatch(path.name.lower())
    if found is None:
        return None
    if found["group"] is not None:
        return GROUPS[int(found["group"])]
    if found["name"] is not None:
        name = re.sub("[^a-z]", "", found["name"])
        return next(file for key, file in _FILES_BY_NAME.items() if key.startswith(name))
    identifier = int(found["identifier"], 16)
    for file in _MASTER_FILES.values():
        if file.identifier == identifier:
            # EF.CardSecurity and EF.SOD share an identifier, in two directories of the chip; their tags tell.
            with path.open("rb") as content:
                if content.read(1) == bytes([file.tag]):
                    return file
    return FILES.get(identifier)


def _infos(content: bytes | None, parse: Callable[[bytes], SecurityInfos]) -> SecurityInfos | None:
    try:
        return parse(content) if content is not None else None
    except LdsError:
        return None  # the chip shows what it was given and can do nothing with it


def _longest_read(atr_info: bytes | None) -> int:
    """What EF.ATR/INFO states as the longest answer, less what secures it; without the file, a short answer."""
    try:
        buffers = tlv.value(tlv.value(atr_info or b"", ATR_INFO.tag), 0x7F66)
        return max(_LONGEST_READ, int.from_bytes(list(tlv.objects(buffers))[1][1], "big") - 32)
    except (tlv.TlvError, IndexError):
        return _LONGEST_READ


def _spoilt_keys(keys: CardKeys, fault: Fault | None) -> CardKeys:
    """A clone has all the files and none of the keys, or keys of its own."""
    if fault is not None and fault.kind == "no_keys":
        return replace(keys, active=None, chip=())
    if fault is not None and fault.kind == "other_keys":
        other = keys.active
        if isinstance(other, AuthenticationKey):
            other = replace(other, private_value=other.private_value ^ 1)
        elif isinstance(other, RsaAuthenticationKey):
            other = replace(other, private_exponent=other.private_exponent ^ 2)
        return replace(keys, active=other, pretended=tuple(value ^ 1 for value in keys.chip), chip=())
    return keys


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
