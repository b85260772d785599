"""Reading the chip's files: by short identifier where possible, in blocks that the chip accepts."""

from __future__ import annotations

from collections.abc import Callable

from documents import tlv
from documents.apdu import ChipError, Command, FileSpoilt, Transceiver, exchange
from documents.lds import APPLICATION, CARD_ACCESS, ElementaryFile

FIRST_BLOCK = 223  # the most that fits a short secured answer
CAREFUL_BLOCK = 160  # what early Dutch passports still accept
_MOST_BLOCKS = 4000
_SHORT_OFFSETS = 0x8000


class FileMissing(Exception):
    """The chip says that it has no such file."""


def select_application(transceiver: Transceiver) -> bool:
    """Select the eMRTD application; False when the chip has none."""
    return exchange(transceiver, Command(0x00, 0xA4, 0x04, 0x0C, APPLICATION)).ok


def has_card_access(transceiver: Transceiver) -> bool:
    """True when EF.CardAccess is there (9303-11 §9.2.8): the chip offers PACE. Before `select_application`."""
    return exchange(transceiver, _select(CARD_ACCESS)).ok


def readable_in_clear(transceiver: Transceiver, file: ElementaryFile) -> bool:
    """True when a file of the application can be read without any access control."""
    return exchange(transceiver, _select(file)).ok and len(exchange(transceiver, _binary(0, 1)).data) == 1


class FileReader:
    """Reads whole files over one session, remembering the block size that the chip accepted."""

    def __init__(self, transceiver: Transceiver, block: int = FIRST_BLOCK) -> None:
        self._transceiver = transceiver
        self._block = block
        self._blocks_left = _MOST_BLOCKS

    def read(self, file: ElementaryFile, progress: Callable[[float], None] = lambda share: None) -> bytes:
        """The file's raw bytes, outer tag included.

        FileMissing when the chip has none, FileSpoilt for one that cannot be what was issued, ChipError for one
        that the chip does not give. `progress` is told the share read, 0 to 1.
        """
        content = self._open(file)
        try:
            tag, begin, length = tlv.header(content)
        except tlv.TlvError:
            raise FileSpoilt("file_malformed") from None
        size = begin + length
        if tag != file.tag:
            raise FileSpoilt("file_malformed")
        if size > file.limit:
            raise FileSpoilt("file_too_large")
        while len(content) < size:
            progress(len(content) / size)
            content += self._next(len(content), size - len(content))
        progress(1.0)
        return content[:size]

    def _open(self, file: ElementaryFile) -> bytes:
        """The first block; through the short identifier, or through SELECT where that is not understood."""
        answer = exchange(
            self._transceiver, Command(0x00, 0xB0, 0x80 | file.short_identifier, 0, expected=self._block)
        )
        if answer.data and answer.status in (0x9000, 0x6282):
            return answer.data
        selected = exchange(self._transceiver, _select(file))
        if selected.status == 0x6A82:
            raise FileMissing
        if not selected.ok:
            raise ChipError("file_refused")
        return self._next(0, self._block)

    def _next(self, offset: int, missing: int) -> bytes:
        while True:
            self._blocks_left -= 1
            if self._blocks_left < 0:
                raise ChipError("too_many_blocks")
            answer = exchange(self._transceiver, _binary(offset, min(self._block, missing)))
            data = answer.data
            if data and offset >= _SHORT_OFFSETS:
                try:
                    data = tlv.value(data, 0x53)
                except tlv.TlvError:
                    raise FileSpoilt("file_malformed") from None
            if data and answer.status in (0x9000, 0x6282):
                return data[:missing]
            if answer.status == 0x6700 and self._block > CAREFUL_BLOCK:
                self._block = CAREFUL_BLOCK
                continue
            if answer.status in (0x9000, 0x6282, 0x6B00):
                raise FileSpoilt("file_cut_short")
            raise ChipError("file_refused")


def _select(file: ElementaryFile) -> Command:
    return Command(0x00, 0xA4, 0x02, 0x0C, file.identifier.to_bytes(2, "big"))


def _binary(offset: int, length: int) -> Command:
    if offset < _SHORT_OFFSETS:
        return Command(0x00, 0xB0, offset >> 8, offset & 0xFF, expected=length)
    place = tlv.encode(0x54, offset.to_bytes((offset.bit_length() + 7) // 8, "big"))
    return Command(0x00, 0xB1, 0, 0, place, expected=min(length + 4, 256))  # four for 53 and its length
