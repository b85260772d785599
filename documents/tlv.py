"""BER-TLV as the LDS and ISO/IEC 7816-4 use it: definite lengths, tags of one or two bytes."""

from __future__ import annotations

from collections.abc import Iterator


class TlvError(ValueError):
    """The bytes are not the TLV that was expected. The message holds no content."""


def encode(tag: int, value: bytes) -> bytes:
    """One data object; `tag` as written in the standards (0x77, 0x7F61)."""
    length = len(value)
    if length < 0x80:
        head = bytes([length])
    else:
        digits = length.to_bytes((length.bit_length() + 7) // 8, "big")
        head = bytes([0x80 | len(digits)]) + digits
    return tag.to_bytes(2 if tag > 0xFF else 1, "big") + head + value


def header(data: bytes, offset: int = 0) -> tuple[int, int, int]:
    """The tag, where its value begins, and the value's length. TlvError when the header is cut or indefinite."""
    try:
        tag = data[offset]
        offset += 1
        if tag & 0x1F == 0x1F:
            tag = tag << 8 | data[offset]
            offset += 1
            if tag & 0x80:
                raise TlvError("tag of more than two bytes")
        length = data[offset]
        offset += 1
        if length & 0x80:
            count = length & 0x7F
            if not 1 <= count <= 4:
                raise TlvError("indefinite or huge length")
            if len(data) < offset + count:
                raise TlvError("cut within the length")
            length = int.from_bytes(data[offset : offset + count], "big")
            offset += count
    except IndexError:
        raise TlvError("cut within the header") from None
    return tag, offset, length


def objects(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The data objects of `data`, one after the other. TlvError where one is cut."""
    offset = 0
    while offset < len(data):
        tag, begin, length = header(data, offset)
        offset = begin + length
        if offset > len(data):
            raise TlvError("cut within a value")
        yield tag, data[begin:offset]


def value(data: bytes, tag: int) -> bytes:
    """The value of the first object with `tag`. TlvError when there is none."""
    for found, content in objects(data):
        if found == tag:
            return content
    raise TlvError(f"no object {tag:X}")
