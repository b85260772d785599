"""Throw spoilt bytes at everything that talks with a chip: commands, secured answers, protocols, whole readings.

    python tools/fuzz_chip.py [SECONDS] [SEED]

SECONDS are of processor time. A case is one spoilt answer (or command): of a protocol's step, of a file that is
read in the clear, of a secured session; and of whole readings against the simulated card, with one of its answers
spoilt, or with everything from some moment on. A target may answer or refuse with its own error; anything else,
and anything that takes longer than two seconds, is a finding. Prints one JSON object on the last line; the exit
status is 1 when there are findings.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from PIL import Image

from contracts.checks import Verdict
from documents.access import CardAccessNumber
from documents.active_authentication import recovered
from documents.apdu import Answer, ChipError, Command
from documents.files import FileMissing, FileReader
from documents.lds import FILES, ElementaryFile, LdsError
from documents.mrz import MrzKey, compose_td3, parse_mrz
from documents.reading import CHIP_CHECKS, read_chip
from documents.secure_messaging import SUITES, Session
from documents.security_infos import parse_dg14, parse_security_infos
from documents.trust import TrustStore
from hardware.simulators.card import PassportCard
from hardware.simulators.card_keys import AuthenticationKey, CardKeys
from hardware.specimens.issuer import ChipSecurity, SpecimenAuthority

NOW = datetime(2026, 11, 21, tzinfo=UTC)
TOO_LONG_S = 2.0
LINES = compose_td3(
    issuer="UTO",
    surname="Eriksson",
    given_names="Anna Maria",
    number="L898902C3",
    nationality="UTO",
    birth_date=date(1974, 8, 12),
    sex="F",
    expiry_date=date(2032, 4, 15),
)
AUTHORITY = SpecimenAuthority("UTO")
Chip = tuple[dict[int, bytes], CardKeys, bytes | None, bytes | None]
TRUST = TrustStore((AUTHORITY.csca_certificate,), (AUTHORITY.revocation_list,))


def spoilt(random_: random.Random, data: bytes) -> bytes:
    """Bits turned, a piece cut, doubled or replaced, lengths falsified; sometimes nothing of it is left."""
    made = bytearray(data)
    for _ in range(random_.randint(1, 3)):
        place = random_.randrange(len(made) + 1)
        match random_.randrange(6):
            case 0 if place < len(made):
                made[place] ^= 1 << random_.randrange(8)
            case 1 if place < len(made):
                made[place] = random_.choice((0x00, 0x7F, 0x80, 0x81, 0x82, 0x84, 0xFF))
            case 2:
                del made[place : place + random_.randint(1, 8)]
            case 3:
                made[place:place] = made[place : place + random_.randint(1, 16)]
            case 4:
                made[place:place] = random_.randbytes(random_.randint(1, 8))
            case _:
                made = made[:place]
    return bytes(made)


def small_targets() -> dict[str, tuple[Callable[[bytes], object], tuple[bytes, ...], tuple[type[Exception], ...]]]:
    """By name: the reader, sound bytes for it, and the errors that are its own."""
    security = ChipSecurity((("cam", SUITES[2], 13), ("gm", SUITES[4], 2)), ((SUITES[2], 12), (SUITES[1], 0)))
    chip = AUTHORITY.issue(LINES, portrait(), security=security)
    commands = (
        bytes.fromhex("00A4020C02011E"),
        bytes.fromhex("00B0000000"),
        Command(0, 0x86, 0, 0, bytes(300), 65536).encode(),
    )

    def signed(data: bytes) -> object:
        if recovered(data[:128].ljust(128, b"\xbc"), bytes(8))[0] is Verdict.PASSED:
            raise AssertionError("a message that nobody signed was believed")
        return None

    targets: dict[str, tuple[Callable[[bytes], object], tuple[bytes, ...], tuple[type[Exception], ...]]] = {
        "command": (Command.parse, commands, (ValueError,)),
        "card_access": (parse_security_infos, (chip.files["CardAccess"],), (LdsError,)),
        "dg14": (parse_dg14, (chip.files["DG14"],), (LdsError,)),
        "iso_9796_2": (signed, (b"\x6a" + bytes(126) + b"\xbc",), ()),
    }  # fmt: skip
    for suite in SUITES.values():
        sealed = Session.of(suite, b"k").protect_answer(Answer(bytes(40), 0x9000), odd=False).data

        def unprotect(data: bytes, suite: object = suite, sealed: bytes = sealed) -> object:
            answer = Session.of(suite, b"k").unprotect_answer(Answer(data, 0x9000))  # type: ignore[arg-type]
            if data != sealed:
                raise AssertionError("a spoilt answer was believed")
            return answer

        targets[f"answer_{suite.name}"] = (unprotect, (sealed,), (ChipError,))
    return targets


def portrait() -> bytes:
    stream = BytesIO()
    Image.new("L", (24, 32)).save(stream, "JPEG")
    return stream.getvalue()


class LyingFile:
    """A file read in the clear from a chip that may spoil any of its answers: what was issued, or a refusal."""

    def __init__(self, content: bytes, random_: random.Random) -> None:
        self._content, self._random = content, random_
        self._share = random_.choice((0.02, 0.2, 1.0))
        self.spoilt = 0

    def transmit(self, apdu: bytes) -> bytes:
        command = Command.parse(apdu)
        answer = b"\x90\x00"
        if command.ins == 0xB0:
            offset = 0 if command.p1 & 0x80 else command.p1 << 8 | command.p2
            answer = self._content[offset : offset + command.expected] + answer
        if self._random.random() >= self._share:
            return answer
        self.spoilt += 1
        if self._random.random() < 0.3:
            return bytes.fromhex(self._random.choice(STATUS_WORDS))
        return spoilt(self._random, answer)


STATUS_WORDS = (
    "6700",
    "6982",
    "6988",
    "6A82",
    "6B00",
    "6C10",
    "6CFF",
    "6F00",
    "6985",
    "61FF",
    "6110",
    "6282",
    "9000",
)


def lying_file(random_: random.Random, contents: list[tuple[ElementaryFile, bytes]]) -> int:
    """Read one file from a chip that lies; the number of its lies. AssertionError for a file that cannot be."""
    file, content = random_.choice(contents)
    line = LyingFile(content, random_)
    try:
        read = FileReader(line, random_.choice((223, 160, 2000))).read(file)
    except (ChipError, FileMissing):
        return line.spoilt
    if read[:1] != content[:1] or len(read) > file.limit + 6:
        raise AssertionError("not a file of its kind")
    return line.spoilt


class SpoiltLine:
    """A card whose answers are spoilt: one, or all from one on."""

    def __init__(self, card: PassportCard, random_: random.Random) -> None:
        self._card, self._random = card, random_
        self._left = random_.randrange(40)
        self._for_ever = random_.random() < 0.3

    def transmit(self, apdu: bytes) -> bytes:
        answer = self._card.process(apdu)
        self._left -= 1
        if self._left == -1 or (self._left < 0 and self._for_ever):
            return spoilt(self._random, answer)
        return answer


def conversation(random_: random.Random, kinds: list[Chip]) -> str:
    """One whole reading of a lying card. The finding, or nothing."""
    files, keys, access, security = random_.choice(kinds)
    card = PassportCard(files, keys, card_access=access, card_security=security)
    line = SpoiltLine(card, random_)
    optical = parse_mrz(LINES, NOW.date())
    begin = time.process_time()
    reading = read_chip(line, keys.mrz, TRUST, NOW, optical)
    took = time.process_time() - begin
    if [check.name for check in reading.checks] != list(CHIP_CHECKS):
        return "answers are missing"
    if any(check.reason == "not_understood" for check in reading.checks):
        return "not understood"
    if any(check.verdict is Verdict.PASSED and check.reason == "" for check in reading.checks):
        return "passed without a reason"
    return "" if took < TOO_LONG_S else f"{took:.1f} s"


def cards() -> list[Chip]:
    identifiers = {file.name: identifier for identifier, file in FILES.items()}
    kinds = []
    for security in (
        None,
        ChipSecurity((("cam", SUITES[2], 12),)),
        ChipSecurity((("gm", SUITES[2], 12),), ((SUITES[2], 12),), "123456"),
        ChipSecurity((("im", SUITES[1], 12),), ((SUITES[1], 12),)),
    ):
        chip = AUTHORITY.issue(LINES, portrait(), security=security)
        files = {identifiers[name]: content for name, content in chip.files.items() if name in identifiers}
        active = AuthenticationKey(chip.authentication_key) if chip.authentication_key else None
        can = CardAccessNumber(chip.can) if chip.can else None
        keys = CardKeys(MrzKey(*chip.mrz_key), can, active, chip.chip_keys)
        kinds.append((files, keys, chip.files.get("CardAccess"), chip.files.get("CardSecurity")))
    return kinds


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    random_ = random.Random(seed)
    targets, kinds = small_targets(), cards()
    contents = [(FILES[identifier], content) for identifier, content in kinds[1][0].items()]
    cases = dict.fromkeys([*targets, "file", "conversation"], 0)
    findings: list[str] = []
    end = time.process_time() + seconds
    while time.process_time() < end:
        for name, (read, sound, refuses) in targets.items():
            for _ in range(500):
                data = spoilt(random_, random_.choice(sound))
                cases[name] += 1
                try:
                    read(data)
                except refuses:
                    continue
                except Exception as error:
                    findings.append(f"{name} case {cases[name]} seed {seed}: {type(error).__name__}: {data.hex()}")
        for _ in range(300):
            try:
                cases["file"] += lying_file(random_, contents)
            except Exception as error:
                findings.append(f"file case {cases['file']} seed {seed}: {type(error).__name__}: {error}")
        cases["conversation"] += 1
        try:
            found = conversation(random_, kinds)
        except Exception as error:
            found = f"{type(error).__name__}: {error}"
        if found:
            findings.append(f"conversation {cases['conversation']} seed {seed}: {found}")
    print(json.dumps({"seed": seed, "cases": sum(cases.values()), "by_target": cases, "findings": findings[:20]}))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
