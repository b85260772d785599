"""Throw spoilt bytes at everything that talks with a chip: commands, secured answers, protocols, whole readings.

    python tools/fuzz_chip.py [SECONDS] [SEED]

Whole readings run against the simulated card with one of its answers spoilt, or with everything from some moment
on. A target may answer or refuse with its own error; anything else, and anything that takes longer than two
seconds, is a finding. Prints one JSON object on the last line; the exit status is 1 when there are findings.
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
from documents.lds import FILES, LdsError
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
    targets: dict[str, tuple[Callable[[bytes], object], tuple[bytes, ...], tuple[type[Exception], ...]]] = {
        "command": (Command.parse, commands, (ValueError,)),
        "card_access": (parse_security_infos, (chip.files["CardAccess"],), (LdsError,)),
        "dg14": (parse_dg14, (chip.files["DG14"],), (LdsError,)),
        "iso_9796_2": (lambda data: recovered(data + b"\xbc", bytes(8)), (b"\x6a" + bytes(126),), ()),
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
    cases = dict.fromkeys([*targets, "conversation"], 0)
    findings: list[str] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
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
        cases["conversation"] += 1
        try:
            found = conversation(random_, kinds)
        except Exception as error:
            found = f"{type(error).__name__}: {error}"
        if found:
            findings.append(f"conversation {cases['conversation']} seed {seed}: {found}")
        if sum(cases.values()) % 50_000 < 2000:
            print(f"{sum(cases.values())} cases, {len(findings)} findings", file=sys.stderr)
    print(json.dumps({"seed": seed, "cases": sum(cases.values()), "by_target": cases, "findings": findings[:20]}))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
