"""Throw spoilt bytes at everything that reads a chip's files or a file of trust.

    python tools/fuzz_documents.py [SECONDS] [SEED] [LAYER …]

Layers are tlv, asn1, cms, biometric; all where none is named. SECONDS are of processor time, so that other work on
the machine does not make the run smaller. Each target gets sound bytes of a specimen, mutated: bits turned, bytes
replaced, pieces cut, doubled, moved or put together with another's, lengths falsified. A target may answer or
refuse with its own error; anything else, and anything that takes more than half a second of processor time, is a
finding. Prints one line a target and one JSON object at the end; the exit status is 1 when there are findings. A
finding names seed and case: the same seed makes the same case.
"""

from __future__ import annotations

import base64
import json
import random
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from asn1crypto import cms, core

from documents import der, tlv
from documents.certificates import Certificate, RevocationList
from documents.lds import LdsError, encode_com, encode_dg1, encode_dg2, parse_com, parse_dg1
from documents.lds_biometrics import parse_portraits, recognise
from documents.lds_details import parse_dg7, parse_dg11, parse_dg12, parse_dg16
from documents.master_list import MASTER_LIST_TYPE, parse_master_list
from documents.passive_authentication import judge_signer, parse_sod
from documents.secure_messaging import AES_128
from documents.security_infos import (
    Mapping,
    encode_pace_info,
    encode_security_infos,
    pace_protocol,
    parse_security_infos,
)
from documents.signed_data import read_signed
from documents.trust import TrustStore
from documents.trust_sources import collect
from hardware.specimens.issuer import SpecimenAuthority

TODAY, NOW = date(2026, 11, 21), datetime(2026, 11, 21, tzinfo=UTC)
TOO_LONG_S = 0.5
Mutation = Callable[[random.Random, bytes], bytes]


@dataclass
class Target:
    """One reader, sound bytes for it, and the errors that are its own."""

    layer: str
    name: str
    read: Callable[[bytes], object]
    sound: tuple[bytes, ...]
    refuses: tuple[type[Exception], ...] = (ValueError,)
    cases: int = 0
    refused: int = 0
    worst_s: float = 0.0
    findings: list[str] = field(default_factory=list)


def targets() -> list[Target]:
    """Every reader of bytes from a card or from a file of trust."""
    utopia = SpecimenAuthority("UTO")
    portrait = _portrait()
    lines = ("P<UTOERIKSSON<<ANNA<MARIA" + "<" * 19, "L898902C36UTO7408122F3204159" + "<" * 16)
    groups = {1: encode_dg1(lines), 2: encode_dg2(portrait, 40, 50)}
    sod = utopia.sign(groups)
    certificates = (utopia.csca_certificate, utopia.signer_certificate)
    lists = (utopia.revocation_list,)
    trust = TrustStore(certificates[:1], lists)
    details = tlv.encode(0x5C, bytes.fromhex("5F0E5F2B")) + tlv.encode(0x5F0E, b"SMITH<<JOHN")
    document = tlv.encode(0x5C, bytes.fromhex("5F195F26")) + tlv.encode(0x5F19, b"OFFICE")
    image = _within(portrait, 0x80, 0xA0, 0xA0, 0xA1)  # the innermost tag first
    face = _within(tlv.encode(0x80, b"\x01") + image, 0x30, 0xA1, 0x65, 0xA1, 0x7F2E, 0x7F60, 0x7F61, 0x75)
    fingers = _within(b"FIR\x00010\x00" + bytes(60), 0x5F2E, 0x7F60, 0x7F61, 0x63)
    ldif = b"version: 1\n\ndn: c=UT\nuserCertificate;binary:: " + base64.b64encode(certificates[0]) + b"\n"

    offered: tuple[tuple[Mapping, int], ...] = (("cam", 13), ("gm", 2), ("im", 12))
    card_access = encode_security_infos(
        [
            encode_pace_info(pace_protocol(mapping, AES_128, elliptic=number > 2), number)
            for mapping, number in offered
        ]
    )

    def chained(data: bytes) -> object:
        return trust.chain(Certificate(data))

    def judged(data: bytes) -> object:
        return judge_signer(parse_sod(data), trust, NOW)

    def proven(data: bytes) -> object:
        found = Certificate(data)
        return found.is_self_signed, found.has_usable_key

    in_lds = (LdsError,)
    return [
        Target("tlv", "tlv", lambda data: list(tlv.objects(data)), (groups[2], sod, details), (tlv.TlvError,)),
        Target("asn1", "der", der.read, (*certificates, *lists, sod[4:]), (der.DerError,)),
        Target("tlv", "com", parse_com, (encode_com(frozenset({1, 2, 15})),), in_lds),
        Target("tlv", "dg1", lambda data: parse_dg1(data, TODAY), (groups[1],), in_lds),
        Target("biometric", "dg2_19794", parse_portraits, (groups[2],), in_lds),
        Target("biometric", "dg2_39794", parse_portraits, (face,), in_lds),
        Target("biometric", "dg3", lambda data: recognise(data, 3), (fingers,), in_lds),
        Target("tlv", "dg7", parse_dg7, (_within(portrait[:200], 0x5F43, 0x67),), in_lds),
        Target("tlv", "dg11", parse_dg11, (_within(details + tlv.encode(0x5F2B, b"19740812"), 0x6B),), in_lds),
        Target("tlv", "dg12", parse_dg12, (_within(document + tlv.encode(0x5F26, b"20220415"), 0x6C),), in_lds),
        Target("tlv", "dg16", parse_dg16, (_within(b"20220415", 0x5F50, 0xA1, 0x70),), in_lds),
        Target("asn1", "certificate", proven, certificates),
        Target("asn1", "revocation_list", RevocationList, lists),
        Target("asn1", "chain", chained, certificates[1:]),
        Target("cms", "signed_data", read_signed, (sod[4:],)),
        Target("cms", "security_object", judged, (sod,)),
        Target(
            "cms",
            "master_list",
            lambda data: parse_master_list(data, [], NOW),
            (_master_list(sod[4:], certificates),),
        ),
        Target("asn1", "security_infos", parse_security_infos, (card_access,), in_lds),
        Target(
            "asn1", "trust_files", lambda data: collect([("a", data)], [], NOW).sources, (ldif, *certificates), ()
        ),
    ]


def _within(value: bytes, *tags: int) -> bytes:
    for tag in tags:
        value = tlv.encode(tag, value)
    return value


def _master_list(signed: bytes, certificates: tuple[bytes, ...]) -> bytes:
    """A list of the right form under a signature that does not hold: it is taken apart all the same."""
    wrapped = cms.ContentInfo.load(signed)
    content = _within(b"\x02\x01\x00" + _within(b"".join(certificates), 0x31), 0x30)
    parsed = wrapped["content"]
    parsed["encap_content_info"] = {
        "content_type": MASTER_LIST_TYPE,
        "content": core.ParsableOctetString(content),
    }
    return bytes(wrapped.dump(force=True))


def mutate(rng: random.Random, sound: bytes, other: bytes) -> bytes:
    """`sound`, spoilt in one to five ways."""
    data = bytearray(sound)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 5))):
        if not data:
            break
        place, way = rng.randrange(len(data)), rng.randrange(9)
        if way == 0:
            data[place] ^= 1 << rng.randrange(8)
        elif way == 1:
            data[place] = rng.choice((0x00, 0x01, 0x7F, 0x80, 0x81, 0x84, 0x88, 0xFF, rng.randrange(256)))
        elif way == 2:
            del data[place:]
        elif way == 3:
            del data[place : place + rng.randrange(1, 40)]
        elif way == 4:
            data[place:place] = data[place : place + rng.randrange(1, 40)]
        elif way == 5:
            data[place:place] = rng.randbytes(rng.randrange(1, 20))
        elif way == 6:
            begin = rng.randrange(len(other))
            data[place : place + rng.randrange(1, 60)] = other[begin : begin + rng.randrange(1, 60)]
        elif way == 7 and place + 1 < len(data):
            data[place + 1] = rng.randrange(256)  # most bytes after a tag are lengths
        else:
            data[place:place] = bytes([rng.choice((0x30, 0x31, 0xA0, 0x24)), 0x80])
    return bytes(data)


def attack(target: Target, seed: int, seconds: float, others: tuple[bytes, ...]) -> None:
    """Mutate and read until the processor time is spent."""
    until = time.process_time() + seconds
    while time.process_time() < until:
        for _ in range(50):
            case = target.cases
            rng = random.Random(f"{seed} {target.name} {case}")
            data = mutate(rng, rng.choice(target.sound), rng.choice(others))
            begin = time.thread_time()  # other work on the machine is no finding
            try:
                target.read(data)
            except target.refuses:
                target.refused += 1
            except Exception as error:
                target.findings.append(f"seed {seed} case {case}: {type(error).__name__}")
            took = time.thread_time() - begin
            target.worst_s = max(target.worst_s, took)
            target.cases += 1


def _portrait() -> bytes:
    from PIL import Image

    stream = BytesIO()
    Image.new("L", (40, 50), 120).save(stream, "JPEG")
    return stream.getvalue()


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    known = targets()
    others = tuple(sound for target in known for sound in target.sound)
    layers = sys.argv[3:] or sorted({target.layer for target in known})
    chosen = [target for target in known if target.layer in layers]
    for target in chosen:
        attack(target, seed, seconds / len(chosen), others)
        slow = target.worst_s > TOO_LONG_S
        if slow:
            target.findings.append(f"a case took {target.worst_s:.2f} s")
        print(
            f"{target.layer:<10} {target.name:<16} {target.cases:>9} cases {target.refused:>9} refused "
            f"{1000 * target.worst_s:>7.1f} ms at worst {len(target.findings):>3} findings",
            file=sys.stderr,
            flush=True,
        )
        for finding in target.findings[:5]:
            print(f"  {finding}", file=sys.stderr)
    found = sum(len(target.findings) for target in chosen)
    summary = {
        "seed": seed,
        "layers": {
            layer: sum(target.cases for target in chosen if target.layer == layer) for layer in sorted(set(layers))
        },
        "cases": sum(target.cases for target in chosen),
        "targets": {target.name: target.cases for target in chosen},
        "findings": found,
        "worst_ms": round(1000 * max((target.worst_s for target in chosen), default=0.0), 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    print(json.dumps(summary))
    return 1 if found or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
