"""Commands and answers of ISO/IEC 7816-4, and what can go wrong between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Transceiver(Protocol):
    """Anything that takes a command APDU and gives the answer with its status word.

    It may raise whatever its driver raises; an exception with a `code` (contracts.errors.ErrorCode) is told
    apart by it.
    """

    def transmit(self, apdu: bytes) -> bytes: ...


class ChipError(Exception):
    """The conversation with the chip cannot go on. `reason` is a stable code without content."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class FileSpoilt(ChipError):
    """The chip delivers a file that cannot be the one that was issued: cut short, too large, of another kind."""


class AccessRefused(ChipError):
    """The chip does not accept the key, or does not prove that it knows it."""


class SessionBroken(ChipError):
    """A secured answer does not prove where it comes from; nothing after it can be believed."""


class SessionLost(ChipError):
    """The chip has closed the secured session of its own accord; it may be opened again."""


@dataclass(frozen=True)
class Command:
    """A command APDU. `expected` is Ne: 0 for none, up to 256 short, up to 65536 extended."""

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes = b""
    expected: int = 0

    def encode(self) -> bytes:
        """Short where it fits, extended where not (ISO/IEC 7816-4 §5.2)."""
        head = bytes((self.cla, self.ins, self.p1, self.p2))
        if len(self.data) <= 255 and self.expected <= 256:
            body = bytes([len(self.data)]) + self.data if self.data else b""
            return head + body + (bytes([self.expected & 0xFF]) if self.expected else b"")
        body = b"\x00" + len(self.data).to_bytes(2, "big") + self.data if self.data else b"\x00"
        return head + body + ((self.expected & 0xFFFF).to_bytes(2, "big") if self.expected else b"")

    @classmethod
    def parse(cls, apdu: bytes) -> Command:
        """The command in these bytes. ValueError when they are none."""
        if len(apdu) < 4:
            raise ValueError("shorter than a command header")
        cla, ins, p1, p2 = apdu[:4]
        body = apdu[4:]
        if not body:
            return cls(cla, ins, p1, p2)
        if len(body) == 1:
            return cls(cla, ins, p1, p2, expected=body[0] or 256)
        if body[0]:
            length, data, rest = body[0], body[1 : 1 + body[0]], body[1 + body[0] :]
            extended = False
        elif len(body) == 3:
            return cls(cla, ins, p1, p2, expected=int.from_bytes(body[1:], "big") or 65536)
        else:
            length = int.from_bytes(body[1:3], "big")
            data, rest, extended = body[3 : 3 + length], body[3 + length :], True
        if len(data) != length or len(rest) not in ((0, 2) if extended else (0, 1)):
            raise ValueError("lengths do not add up")
        whole = 65536 if extended else 256
        return cls(cla, ins, p1, p2, data, (int.from_bytes(rest, "big") or whole) if rest else 0)


@dataclass(frozen=True)
class Answer:
    """A response APDU: data and status word."""

    data: bytes
    status: int

    @classmethod
    def parse(cls, response: bytes) -> Answer:
        """ChipError when there is not even a status word."""
        if len(response) < 2:
            raise ChipError("answer_too_short")
        return cls(response[:-2], int.from_bytes(response[-2:], "big"))

    @property
    def ok(self) -> bool:
        return self.status == 0x9000

    def encode(self) -> bytes:
        return self.data + self.status.to_bytes(2, "big")


def exchange(transceiver: Transceiver, command: Command) -> Answer:
    """Send a command; follow 61XX (more to fetch) and 6CXX (exact length), as T=0 readers need it."""
    answer = Answer.parse(transceiver.transmit(command.encode()))
    if answer.status >> 8 == 0x6C and not answer.data:
        exact = Command(
            command.cla, command.ins, command.p1, command.p2, command.data, answer.status & 0xFF or 256
        )
        answer = Answer.parse(transceiver.transmit(exact.encode()))
    collected = answer.data
    for _ in range(256):
        if answer.status >> 8 != 0x61:
            return Answer(collected, answer.status)
        more = Command(command.cla & 0x10, 0xC0, 0, 0, expected=answer.status & 0xFF or 256)
        answer = Answer.parse(transceiver.transmit(more.encode()))
        collected += answer.data
    raise ChipError("answer_without_end")
