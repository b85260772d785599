"""The chip reader over PC/SC (pyscard): `pcsc:READER NAME`, or `pcsc:` for the first reader there is."""

from __future__ import annotations

import time
from typing import Any

from contracts.api import DeviceState
from contracts.errors import ErrorCode
from hardware.pcsc_daemon import READER_NAME
from hardware.ports import DeviceError, Health

_VIRTUAL = (READER_NAME, "Virtual PCD")
# Removed, not transacted, reset, no smart card; and success without an answer, which is a card lifted meanwhile.
_CARD_IS_GONE = {0x80100069, 0x80100016, 0x80100068, 0x8010000C, 0}
_LOOK_SECONDS = 0.05


class PcscReader:
    """One PC/SC reader slot. Raises DeviceError only."""

    name = "pcsc"

    def __init__(self, reader_name: str = "") -> None:
        self._wanted = reader_name
        self._reader_name = ""
        self._reader = self._find()

    @property
    def simulated(self) -> bool:
        """True for the virtual reader; by its name, which is all that PC/SC tells."""
        return any(name in self._reader_name for name in _VIRTUAL)

    def wait_for_card(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while True:
            if self._card_present():
                return True
            if time.monotonic() >= end:
                return False
            time.sleep(_LOOK_SECONDS)

    def connect(self) -> PcscCard:
        from smartcard.Exceptions import CardConnectionException, NoCardException, SmartcardException

        connection = self._reader.createConnection()
        try:
            connection.connect()
            atr = bytes(connection.getATR())
        except (NoCardException, CardConnectionException):
            raise DeviceError(ErrorCode.CARD_REMOVED, "no card in the field") from None
        except SmartcardException as error:
            raise DeviceError(
                ErrorCode.DEVICE_FAILED, f"the reader does not connect ({type(error).__name__})"
            ) from None
        return PcscCard(connection, atr)

    def health(self) -> Health:
        try:
            self._find()
        except DeviceError as error:
            return Health(DeviceState.STOPPED, error.what, error.code)
        return Health(DeviceState.WORKING, self._reader_name)

    def close(self) -> None:
        """Nothing is held between cards."""

    def _find(self) -> Any:
        from smartcard.pcsc.PCSCExceptions import BaseSCardException
        from smartcard.System import readers

        try:
            found = [reader for reader in readers() if self._wanted in str(reader)]
        except (BaseSCardException, OSError) as error:
            raise DeviceError(
                ErrorCode.DEVICE_FAILED,
                f"the PC/SC daemon does not answer ({type(error).__name__})",
                "Chips cannot be read.",
                "Start pcscd; a private one needs PCSCLITE_CSOCK_NAME in this process.",
            ) from None
        if not found:
            raise DeviceError(
                ErrorCode.DEVICE_MISSING,
                "no such chip reader",
                "Chips cannot be read.",
                "Plug the reader in, or correct its name; `pcsc_scan` lists what there is.",
            )
        self._reader_name = str(found[0])
        return found[0]

    def _card_present(self) -> bool:
        from smartcard.scard import (
            SCARD_PCI_T0,  # noqa: F401 (makes a missing library fail here, with its own words)
            SCARD_SCOPE_USER,
            SCARD_STATE_PRESENT,
            SCARD_STATE_UNAWARE,
            SCardEstablishContext,
            SCardGetStatusChange,
            SCardReleaseContext,
        )

        result, context = SCardEstablishContext(SCARD_SCOPE_USER)
        if result != 0:
            raise DeviceError(ErrorCode.DEVICE_FAILED, "the PC/SC daemon does not answer")
        try:
            result, states = SCardGetStatusChange(context, 0, [(self._reader_name, SCARD_STATE_UNAWARE)])
            return result == 0 and bool(states[0][1] & SCARD_STATE_PRESENT)
        finally:
            SCardReleaseContext(context)


class PcscCard:
    """An open channel to the card in the field."""

    def __init__(self, connection: Any, atr: bytes) -> None:
        self._connection = connection
        self.atr = atr

    def transmit(self, apdu: bytes) -> bytes:
        from smartcard.Exceptions import SmartcardException

        try:
            data, sw1, sw2 = self._connection.transmit(list(apdu))
        except SmartcardException as error:
            result = error.hresult & 0xFFFFFFFF
            if result in _CARD_IS_GONE:
                raise DeviceError(ErrorCode.CARD_REMOVED, "the card left the field") from None
            raise DeviceError(ErrorCode.DEVICE_FAILED, f"the reader failed ({result:#010x})") from None
        return bytes(data) + bytes((sw1, sw2))

    def close(self) -> None:
        """Let go of the card. Never raises."""
        from smartcard.Exceptions import SmartcardException

        try:
            self._connection.disconnect()
            self._connection.release()
        except (SmartcardException, OSError):
            return


def open_reader(address: str) -> PcscReader:
    """The reader of a URL `pcsc:NAME`; the scheme may be left out. Raises DeviceError when there is none."""
    return PcscReader(address.removeprefix("pcsc:"))
