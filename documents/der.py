"""DER (X.690 §10), strictly; and the few ways in which issuers miss it, put right and named.

Security objects of real documents come with indefinite lengths, split strings and lengths written longer than
they need be. Such bytes are read, never silently: `read` tells every defect. What cannot be told from an
attack is refused. No byte of what is already DER changes, so that digests and signatures stay over what was
issued.
"""

from __future__ import annotations

from asn1crypto import core

INDEFINITE_LENGTH = "indefinite_length"
LONG_LENGTH = "long_length"
SPLIT_STRING = "split_string"
LOOSE_BOOLEAN = "loose_boolean"
LOOSE_INTEGER = "loose_integer"
TRAILING_BYTES = "trailing_bytes"
DEFECTS = frozenset({INDEFINITE_LENGTH, LONG_LENGTH, SPLIT_STRING, LOOSE_BOOLEAN, LOOSE_INTEGER, TRAILING_BYTES})

_DEEPEST = 48
_SPLIT_OCTETS = 0x24  # an OCTET STRING in pieces; no other string of a security object is ever split
_END = b"\x00\x00"


class DerError(ValueError):
    """The bytes are no BER either, or deeper than anything of ours. The message holds no content."""


def read(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """The first object of `data` with definite lengths and whole strings, and its defects in alphabetical order.

    DerError when it is cut, nests deeper than 48 or is not BER. Linear in the size of `data` times its depth.
    """
    defects: set[str] = set()
    encoded, end = _object(data, 0, len(data), 0, defects)
    if end != len(data):
        defects.add(TRAILING_BYTES)
    return encoded, tuple(sorted(defects))


def as_read(value: core.Asn1Value) -> bytes:
    """The bytes that a value of asn1crypto was read from, empty for one that was left out.

    Its own `dump` takes a length that ends in 80 for an indefinite one and writes the value anew, every defect put
    right: what was signed with one would no longer hold, and a changed byte without meaning would vanish.
    """
    if isinstance(value, core.Choice):
        value = value.chosen
    header: bytes = getattr(value, "_header", None) or b""
    trailer: bytes = getattr(value, "_trailer", None) or b""
    return header + (value.contents or b"") + trailer


def _object(data: bytes, offset: int, limit: int, depth: int, defects: set[str]) -> tuple[bytes, int]:
    """One object of data[offset:limit] as it shall be, and where the next begins."""
    if depth > _DEEPEST:
        raise DerError("too deep")
    begin = offset
    offset = _after_tag(data, offset, limit)
    first = data[begin]
    length, offset = _length(data, offset, limit, defects)
    if length is None and not first & 0x20:
        raise DerError("a primitive without a length")
    if not first & 0x20:
        assert length is not None
        end = offset + length
        if end > limit:
            raise DerError("cut within a value")
        _look_at(first, data[offset:end], defects)
        return data[begin:end], end
    end = limit if length is None else offset + length
    if end > limit:
        raise DerError("cut within a value")
    tag, place = data[begin : _after_tag(data, begin, limit)], offset
    children: list[bytes] = []
    while True:
        if length is None and data[place : place + 2] == _END and place + 2 <= limit:
            after = place + 2
            break
        if place == end:
            if length is None:
                raise DerError("no end of contents")
            after = end
            break
        child, place = _object(data, place, end, depth + 1, defects)
        children.append(child)
    if first == _SPLIT_OCTETS:
        defects.add(SPLIT_STRING)
        return _joined(children), after
    content = b"".join(children)
    if length is not None and content == data[offset:end]:
        return data[begin:end], after  # as it was issued, also where its length is longer than it need be
    return tag + _encoded_length(len(content)) + content, after


def _after_tag(data: bytes, offset: int, limit: int) -> int:
    if offset >= limit:
        raise DerError("cut within a tag")
    if data[offset] & 0x1F != 0x1F:
        return offset + 1
    for place in range(offset + 1, min(offset + 4, limit)):
        if not data[place] & 0x80:
            return place + 1
    raise DerError("cut within a tag")


def _length(data: bytes, offset: int, limit: int, defects: set[str]) -> tuple[int | None, int]:
    """The length (None: indefinite) and where the value begins."""
    if offset >= limit:
        raise DerError("cut within a length")
    first = data[offset]
    offset += 1
    if first < 0x80:
        return first, offset
    if first == 0x80:
        defects.add(INDEFINITE_LENGTH)
        return None, offset
    count = first & 0x7F
    if count > 8 or offset + count > limit:
        raise DerError("cut within a length")
    length = int.from_bytes(data[offset : offset + count], "big")
    if length < 0x80 or data[offset] == 0:
        defects.add(LONG_LENGTH)
    return length, offset + count


def _look_at(tag: int, value: bytes, defects: set[str]) -> None:
    if tag == 0x01 and value not in (b"\x00", b"\xff"):
        defects.add(LOOSE_BOOLEAN)
    if tag == 0x02:
        if not value:
            raise DerError("an integer of no bytes")
        if len(value) > 1 and (value[0], value[1] >> 7) in ((0x00, 0), (0xFF, 1)):
            defects.add(LOOSE_INTEGER)


def _joined(pieces: list[bytes]) -> bytes:
    content = b""
    for piece in pieces:
        if piece[:1] != b"\x04":
            raise DerError("a string of other pieces")
        ignored: set[str] = set()
        length, begin = _length(piece, 1, len(piece), ignored)
        assert length is not None
        content += piece[begin : begin + length]
    return b"\x04" + _encoded_length(len(content)) + content


def _encoded_length(length: int) -> bytes:
    if length < 0x80:
        return bytes([length])
    digits = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(digits)]) + digits
