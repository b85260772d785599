"""Reading the chip's files: by short identifier where possible, in blocks that the chip accepts."""

from __future__ import annotations

from collections.abc import Callable

from documents import tlv
from documents.apdu import Answer, ChipError, Command, FileSpoilt, Transceiver, exchange
from documents.lds import APPLICATION, CARD_ACCESS, ElementaryFile

CARD_SECURITY = ElementaryFile("CardSecurity", 0x011D, 0x30, 16 * 1024)  # in the master file; EF.SOD is elsewhere
ATR_INFO = ElementaryFile("ATR_INFO", 0x2F01, 0x43, 1024)

FIRST_BLOCK = 223  # the most that fits a short secured answer
CAREFUL_BLOCK = 160  # what early Dutch passports still accept
_MOST_BLOCK = 0x7000
_SECURED_OVERHEAD = 48  # around an answer's data: 87 with length and padding, 99, 8E, and the status word
_MOST_BLOCKS = 4000
_SHORT_OFFSETS = 0x8000
_WRAPPING = 4  # tag 53 and a length of up to three bytes


class FileMissing(Exception):
    """The chip says that it has no such file."""


def select_application(transceiver: Transceiver) -> bool:
    """Select the eMRTD application; False when the chip has none."""
    # Some chips want an answer to be asked for, others refuse to be asked (P2 0C): both are tried.
    first = exchange(transceiver, Command(0x00, 0xA4, 0x04, 0x0C, APPLICATION))
    if first.ok or first.status == 0x6A82:
        return first.ok
    return exchange(transceiver, Command(0x00, 0xA4, 0x04, 0x00, APPLICATION, expected=256)).ok


def read_card_access(transceiver: Transceiver) -> bytes | None:
    """EF.CardAccess (9303-11 §9.2.11), None when the chip has none. Before anything is selected.

    FileSpoilt when the file is there and cannot be what was issued.
    """
    if not exchange(transceiver, _select(CARD_ACCESS)).ok:
        return None
    return FileReader(transceiver).read_selected(CARD_ACCESS)


def extended_block(transceiver: Transceiver) -> int | None:
    """The bytes that one answer may hold where the chip states its buffers (EF.ATR/INFO, 9303-11 §9.3.1.2); None
    where it does not: then nobody may use extended length for reading."""
    if not exchange(transceiver, _select(ATR_INFO)).ok:
        return None
    content = exchange(transceiver, _binary(0, 256)).data
    try:
        buffers = tlv.value(content if content[:1] != b"\x43" else tlv.value(content, 0x43), 0x7F66)
        commands, answers = (int.from_bytes(value, "big") for tag, value in tlv.objects(buffers) if tag == 0x02)
    except ValueError:
        return None
    block = min(answers - _SECURED_OVERHEAD, _MOST_BLOCK)
    return block if block > FIRST_BLOCK and commands >= 64 else None


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
        return self._rest(file, self._open(file), progress)

    def read_selected(self, file: ElementaryFile) -> bytes:
        """The same for a file that is selected already."""
        return self._rest(file, self._next(0, self._block), lambda share: None)

    def _rest(self, file: ElementaryFile, content: bytes, progress: Callable[[float], None]) -> bytes:
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
        first = Command(0x00, 0xB0, 0x80 | file.short_identifier, 0, expected=self._block)
        answer = exchange(self._transceiver, first)
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
            # Beyond the short offsets the data comes wrapped, and the wrapping must fit too.
            most = self._block if offset < _SHORT_OFFSETS else self._block - _WRAPPING
            answer = exchange(self._transceiver, _binary(offset, min(most, missing)))
            data = self._data(answer, offset)
            if data:
                return data[:missing]
            if self._smaller(answer.status):
                continue
            if answer.status in (0x9000, 0x6282, 0x6B00):
                raise FileSpoilt("file_cut_short")
            raise ChipError("file_refused")

    def _data(self, answer: Answer, offset: int) -> bytes:
        if not answer.data or answer.status not in (0x9000, 0x6282):
            return b""
        if offset < _SHORT_OFFSETS:
            return answer.data
        try:
            return tlv.value(answer.data, 0x53)
        except tlv.TlvError:
            raise FileSpoilt("file_malformed") from None

    def _smaller(self, status: int) -> bool:
        """True when a smaller block is worth a try: wrong length, or a chip out of its depth at once."""
        if status not in (0x6700, 0x6C00, 0x6F00, 0x6985) or self._block <= CAREFUL_BLOCK:
            return False
        self._block = FIRST_BLOCK if self._block > FIRST_BLOCK else CAREFUL_BLOCK
        return True


def _select(file: ElementaryFile) -> Command:
    return Command(0x00, 0xA4, 0x02, 0x0C, file.identifier.to_bytes(2, "big"))


def _binary(offset: int, length: int) -> Command:
    if offset < _SHORT_OFFSETS:
        return Command(0x00, 0xB0, offset >> 8, offset & 0xFF, expected=length)
    place = tlv.encode(0x54, offset.to_bytes((offset.bit_length() + 7) // 8, "big"))
    return Command(0x00, 0xB1, 0, 0, place, expected=length + _WRAPPING)
