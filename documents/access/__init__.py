"""How a reader gets into a chip: PACE where the chip offers it, basic access control otherwise.

A chip that offers PACE and is opened with BAC has been downgraded, by a defect or by somebody on the line. It is
opened all the same, because a defect is the likelier, and the way in says so: `downgrade` leads to an officer.
"""

from __future__ import annotations

from dataclasses import dataclass

from documents.access.bac import BacKeys, BasicAccessControl, session_of
from documents.access.pace import CardAccessNumber, Pace, PaceSession, Password, preferred
from documents.apdu import AccessRefused, ChipError, Command, Transceiver, exchange
from documents.files import select_application
from documents.mrz import MrzKey
from documents.secure_messaging import SecuredTransceiver
from documents.security_infos import PaceInfo, SecurityInfos

__all__ = [
    "BacKeys",
    "BasicAccessControl",
    "CardAccessNumber",
    "Gate",
    "Opened",
    "Pace",
    "PaceSession",
    "Password",
    "session_of",
]

_MOST_WAYS = 3
_SELECT_MASTER_FILE = Command(0x00, 0xA4, 0x00, 0x0C, b"\x3f\x00")


@dataclass(frozen=True, repr=False)
class Opened:
    """A chip that let the reader in.

    `line` is secured; the application is selected after BAC and not yet after PACE. `protocol` is bac, pace_gm,
    pace_im or pace_cam. `downgrade` says why PACE, which the chip offers, was not what opened it.
    """

    line: SecuredTransceiver
    protocol: str
    password: Password
    pace: PaceSession | None = None
    downgrade: str | None = None


class Gate:
    """The ways into one chip; `open` tries them in their order and remembers the one that worked.

    `passwords` are tried in the order given; a CAN opens with PACE only.
    """

    def __init__(
        self, transceiver: Transceiver, offered: SecurityInfos | None, passwords: tuple[Password, ...]
    ) -> None:
        self._bare = transceiver
        self._offered = offered
        self._passwords = passwords
        self._way: tuple[Pace | BasicAccessControl, Password, str | None] | None = None

    def open(self) -> Opened:
        """AccessRefused when nothing opens the chip, ChipError when it is no travel document."""
        if self._way is not None:
            exchange(self._bare, _SELECT_MASTER_FILE)  # PACE begins there; a chip that has none goes on regardless
            way, password, downgrade = self._way
            return self._try(way, password, downgrade)
        refusals: list[str] = []
        if self._offered is not None and self._offered.offers_pace:
            opened = self._pace(preferred(self._offered.pace)[:_MOST_WAYS], refusals)
            if opened is not None:
                return opened
        return self._basic(refusals)

    def _pace(self, infos: list[PaceInfo], refusals: list[str]) -> Opened | None:
        if not infos:
            refusals.append("pace_not_supported")
        for place, info in enumerate(infos):
            # A chip that refused every password once has refused it; the next way is for a defect of the first.
            for password in self._passwords if place == 0 else self._passwords[:1]:
                for names_parameter in (self._is_ambiguous(info), True):
                    try:
                        return self._try(Pace(info, names_parameter=names_parameter), password, None)
                    except AccessRefused as refused:
                        refusals.append(refused.reason)
                    if refusals[-1] != "pace_refused_setup" or names_parameter:
                        break
                if refusals[-1] != "key_refused":
                    break
        return None

    def _is_ambiguous(self, info: PaceInfo) -> bool:
        offered = self._offered.pace if self._offered is not None else ()
        return any(other.parameter != info.parameter for other in offered)

    def _basic(self, refusals: list[str]) -> Opened:
        downgrade = refusals[0] if refusals else None
        keys = [password for password in self._passwords if isinstance(password, MrzKey)]
        for key in keys:
            try:
                return self._try(BasicAccessControl(), key, downgrade)
            except AccessRefused as refused:
                refusals.append(refused.reason)
                if refused.reason != "key_refused":
                    break
        if "key_refused" in refusals:
            raise AccessRefused("key_refused")
        raise AccessRefused(refusals[0] if refusals else "no_access_protocol")

    def _try(self, way: Pace | BasicAccessControl, password: Password, downgrade: str | None) -> Opened:
        if isinstance(way, Pace):
            pace = way.open(self._bare, password)
            opened = Opened(pace.line, way.name, password, pace)
        else:
            if not select_application(self._bare):
                raise ChipError("no_application")
            if not isinstance(password, MrzKey):
                raise AccessRefused("no_access_protocol")
            opened = Opened(way.open(self._bare, password), way.name, password, None, downgrade)
        self._way = (way, password, downgrade)
        return opened
