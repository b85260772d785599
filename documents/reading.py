"""Reading a chip from end to end: access, files, passive and active authentication.

`read_chip` always comes back, and always with an answer to every question about the chip: what could not be
looked at is NOT_CHECKED, and why. docs/checks.md lists the reasons.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from contracts.checks import DOCUMENT_CHECKS, PRINTED_CHECKS, Check, CheckName, Verdict
from contracts.errors import ErrorCode
from contracts.party import NameSource, TravelDocument
from documents import active_authentication, passive_authentication
from documents.access import PROTOCOLS
from documents.apdu import AccessRefused, ChipError, FileSpoilt, SessionBroken, SessionLost, Transceiver
from documents.files import (
    CAREFUL_BLOCK,
    FileMissing,
    FileReader,
    has_card_access,
    readable_in_clear,
    select_application,
)
from documents.lds import COM, GROUPS, SOD, Com, ElementaryFile, LdsError, parse_com, parse_dg1, parse_dg2
from documents.mrz import Mrz, MrzKey
from documents.passive_authentication import PassiveAuthentication, authenticate, parse_sod
from documents.trust import PASSED, Answer, TrustStore

CHIP_CHECKS: tuple[CheckName, ...] = tuple(name for name in DOCUMENT_CHECKS if name not in PRINTED_CHECKS)
"""Every check a chip reading answers, in their order."""

# Identity, portrait, the keys of chip and active authentication. Nothing else is read: what a border does not
# need (addresses, signatures, fingerprints) stays in the chip.
WANTED_GROUPS = frozenset({1, 2, 14, 15})

Progress = Callable[[str, float], None]
"""Told the phase (access, files, portrait, authenticity, done) and the share of the whole, 0 to 1."""

_NOT_READ: Answer = (Verdict.NOT_CHECKED, "not_read")


@dataclass(frozen=True, repr=False)
class ChipReading:
    """What a chip said and what that is worth.

    `groups` holds the raw files by name (COM, SOD, DG1 …), `portrait` the JPEG or JPEG 2000 of DG2, `document`
    and `mrz` the content of DG1, `trust_anchor` the SHA-256 of the CSCA certificate relied upon, `seconds` what
    each phase took. `checks` has one answer for each of CHIP_CHECKS.
    """

    checks: tuple[Check, ...]
    groups: Mapping[str, bytes] = field(default_factory=dict)
    document: TravelDocument | None = None
    mrz: Mrz | None = None
    portrait: bytes | None = None
    trust_anchor: str | None = None
    access_protocol: str | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"ChipReading({', '.join(sorted(self.groups))})"

    def check(self, name: CheckName) -> Check:
        return next(check for check in self.checks if check.name == name)


def unread_chip(verdict: Verdict, reason: str) -> ChipReading:
    """A reading that did not take place: `access` says why, nothing else was checked."""
    return ChipReading(_checks({CheckName.ACCESS: (verdict, reason)}))


def read_chip(
    transceiver: Transceiver,
    key: MrzKey | None,
    trust: TrustStore,
    now: datetime,
    optical: Mrz | None = None,
    progress: Progress | None = None,
) -> ChipReading:
    """Read and judge the chip behind `transceiver`. Never raises for what a card says or a reader does.

    `key` opens the chip; `now` (aware) is the moment at which certificates must be valid; `optical` is the
    printed zone, as far as it was read, for the comparison with DG1.
    """
    if key is None:
        return unread_chip(Verdict.NOT_CHECKED, "no_key")
    conversation = _Conversation(transceiver, key, progress or (lambda phase, share: None))
    conversation.run(trust, now)
    return conversation.judge(now, optical)


class _Conversation:
    """One chip on the reader: what it said so far, and how the conversation stands."""

    def __init__(self, transceiver: Transceiver, key: MrzKey, progress: Progress) -> None:
        self._bare = transceiver
        self._key = key
        self._progress = progress
        self._opened_with: MrzKey | None = None
        self._files: dict[str, bytes] = {}
        self._absent: set[int] = set()
        self._spoilt: set[int] = set()
        self._access: Answer = _NOT_READ
        self._protocol: str | None = None
        self._card_access: bool | None = None
        self._com: Com | None = None
        self._com_answer: Answer | None = None
        self._dg1: Mrz | None = None
        self._sod: passive_authentication.Sod | None = None
        self._sod_answer: Answer = _NOT_READ
        self._passive: PassiveAuthentication | None = None
        self._active: Answer = _NOT_READ
        self._seconds: dict[str, float] = {}
        self._reopened = False

    # ------------------------------------------------------------------------------------ the conversation

    def run(self, trust: TrustStore, now: datetime) -> None:
        """Talk until the end or until the conversation breaks; `judge` tells what came of it."""
        try:
            self._timed("access", self._open_application)
            if self._protocol is None and self._access[1] != "no_access_control":
                return
            self._timed("files", self._read_files)
        except AccessRefused as refusal:
            self._access = (Verdict.FAILED, refusal.reason)
        except SessionBroken as broken:
            self._access = (Verdict.FAILED, broken.reason)
        except ChipError as error:
            self._access = (Verdict.ERROR, error.reason)
        except Exception as error:
            # The transceiver's own: a card that left, a reader that failed. Told apart by the stable code.
            self._access = (Verdict.ERROR, _transmission_reason(error))
        self._progress("authenticity", 0.9)
        try:
            self._timed("passive_authentication", lambda: self._authenticate_passively(trust, now))
        except Exception:
            # No content may stop the journey. Known malformations have their own reasons; this is for the others.
            self._passive, self._sod_answer = None, (Verdict.ERROR, "not_understood")
        try:
            self._timed("active_authentication", self._authenticate_actively)
        except SessionBroken as broken:
            self._active = (Verdict.FAILED, broken.reason)
        except ChipError as error:
            self._active = (Verdict.FAILED, "no_answer" if isinstance(error, SessionLost) else error.reason)
        except Exception as error:
            self._active = (Verdict.ERROR, _transmission_reason(error))
        self._progress("done", 1.0)

    def _open_application(self) -> None:
        self._progress("access", 0.0)
        self._card_access = has_card_access(self._bare)
        self._line = self._open_session()
        self._reader = FileReader(self._line)

    def _open_session(self) -> Transceiver:
        if not select_application(self._bare):
            raise ChipError("no_application")
        refusal = AccessRefused("no_access_protocol")
        for protocol in PROTOCOLS:
            for key in self._key.readings if self._opened_with is None else (self._opened_with,):
                try:
                    line = protocol.open(self._bare, key)
                except AccessRefused as refused:
                    refusal = refused
                    if refused.reason != "key_refused":
                        break
                else:
                    self._protocol, self._opened_with = protocol.name, key
                    self._access = PASSED if key == self._key else (Verdict.PASSED, "filler_read_as_letter")
                    return line
        if refusal.reason == "no_challenge" and readable_in_clear(self._bare, COM):
            self._access = (Verdict.NOT_PRESENT, "no_access_control")
            return self._bare
        raise refusal

    def _read_files(self) -> None:
        self._progress("files", 0.1)
        self._read(COM)
        self._read(SOD, lambda share: self._progress("files", 0.1 + 0.05 * share))
        self._read(GROUPS[1])
        listed: set[int] = set()
        if (com := self._files.get("COM")) is not None:
            try:
                self._com = parse_com(com)
                listed |= self._com.groups
            except LdsError:
                self._com_answer = (Verdict.FAILED, "com_malformed")
        if (sod := self._files.get("SOD")) is not None:
            try:
                self._sod = parse_sod(sod)
                listed |= self._sod.hashes.keys()
            except ValueError:
                self._sod_answer = (Verdict.FAILED, "sod_malformed")
        for number in (14, 15):
            if number in listed:
                self._read(GROUPS[number])
        self._read(GROUPS[2], lambda share: self._progress("portrait", 0.2 + 0.65 * share))

    def _read(self, file: ElementaryFile, progress: Callable[[float], None] = lambda share: None) -> None:
        """Read one file; a chip that closed its session is asked once more, in smaller blocks."""
        try:
            content = self._reader.read(file, progress)
        except SessionLost:
            if self._reopened:
                raise
            self._reopened = True
            self._line = self._open_session()
            self._reader = FileReader(self._line, CAREFUL_BLOCK)
            self._read(file, progress)
            return
        except FileMissing:
            if file.name.startswith("DG"):
                self._absent.add(int(file.name[2:]))
            elif file is SOD:
                self._sod_answer = (Verdict.FAILED, "sod_missing")
            else:
                self._com_answer = (Verdict.FAILED, "com_missing")
            return
        except FileSpoilt as spoilt:
            if file.name.startswith("DG"):
                self._spoilt.add(int(file.name[2:]))
            elif file is SOD:
                self._sod_answer = (Verdict.FAILED, spoilt.reason)
            else:
                self._com_answer = (Verdict.FAILED, spoilt.reason)
            return
        except (AccessRefused, SessionBroken):
            raise
        except ChipError as error:
            if file is SOD:
                self._sod_answer = (Verdict.ERROR, error.reason)
            return  # this file cannot be read; the others may be
        self._files[file.name] = content

    def _timed(self, phase: str, work: Callable[[], None]) -> None:
        begin = time.monotonic()
        try:
            work()
        finally:
            self._seconds[phase] = time.monotonic() - begin

    # ----------------------------------------------------------------------------------------- the judging

    def _group_files(self) -> dict[int, bytes]:
        return {int(name[2:]): data for name, data in self._files.items() if name.startswith("DG")}

    def _authenticate_passively(self, trust: TrustStore, now: datetime) -> None:
        if (dg1 := self._files.get("DG1")) is not None:
            try:
                self._dg1 = parse_dg1(dg1, now.date())
            except LdsError:
                self._dg1 = None
        if self._sod is None:
            return
        self._passive = authenticate(
            self._sod,
            self._group_files(),
            frozenset(self._absent),
            frozenset(self._spoilt),
            WANTED_GROUPS,
            self._com,
            self._dg1,
            trust,
            now,
        )

    def _authenticate_actively(self) -> None:
        """Ask the chip to prove its key, when there is a key worth proving."""
        signed = self._passive is not None and 15 in self._passive.signed_groups
        listed = signed or (self._com is not None and 15 in self._com.groups)
        key = self._files.get("DG15")
        if key is None:
            if 15 in self._absent:
                self._active = (Verdict.FAILED, "key_removed") if signed else (Verdict.NOT_PRESENT, "no_dg15")
            elif 15 in self._spoilt:
                self._active = (Verdict.NOT_CHECKED, "key_not_covered")
            elif self._passive is not None and not listed:
                self._active = (Verdict.NOT_PRESENT, "no_dg15")
            return
        if self._passive is None or 15 not in self._passive.covered:
            self._active = (Verdict.NOT_CHECKED, "key_not_covered")
            return
        if self._access[0] in (Verdict.PASSED, Verdict.NOT_PRESENT):
            self._active = active_authentication.authenticate(self._line, key)

    def judge(self, now: datetime, optical: Mrz | None) -> ChipReading:
        answers: dict[CheckName, Answer] = {
            CheckName.ACCESS: self._access,
            CheckName.SOD_SIGNATURE: self._sod_answer,
            CheckName.CARDACCESS_DG14: self._card_access_answer(),
            CheckName.CHIP_AUTHENTICATION: self._chip_authentication_answer(),
            CheckName.ACTIVE_AUTHENTICATION: self._active,
            CheckName.DG1_MRZ: self._dg1_mrz(optical),
        }
        if self._passive is not None:
            answers |= self._passive.answers
        if self._com_answer is not None:
            answers[CheckName.COM_SOD] = self._com_answer
        portrait = None
        if (dg2 := self._files.get("DG2")) is not None:
            try:
                portrait = parse_dg2(dg2)
            except LdsError:
                portrait = None  # the face comparison answers for a portrait that is not there
        anchor = self._passive.anchor if self._passive is not None else None
        return ChipReading(
            checks=_checks(answers),
            groups=dict(self._files),
            document=self._document(),
            mrz=self._dg1,
            portrait=portrait,
            trust_anchor=anchor.fingerprint if anchor is not None else None,
            access_protocol=self._protocol,
            seconds=dict(self._seconds),
        )

    def _document(self) -> TravelDocument | None:
        if self._dg1 is None:
            return None
        hashes = {name: hashlib.sha256(data).hexdigest() for name, data in self._files.items()}
        named = self._dg1.document.name_source is NameSource.MRZ
        return self._dg1.document.model_copy(
            update={
                "name_source": NameSource.DG1 if named else NameSource.NONE,
                "has_chip": True,
                "group_hashes": hashes,
            }
        )

    def _card_access_answer(self) -> Answer:
        if self._card_access is None:
            return _NOT_READ
        if self._card_access:
            return Verdict.NOT_CHECKED, "pace_not_supported"  # opened with BAC although PACE is offered
        return (
            (Verdict.NOT_CHECKED, "cardaccess_missing")
            if self._has_dg14()
            else self._without_dg14("no_cardaccess")
        )

    def _chip_authentication_answer(self) -> Answer:
        return (Verdict.NOT_CHECKED, "not_supported") if self._has_dg14() else self._without_dg14("no_dg14")

    def _has_dg14(self) -> bool:
        signed = self._passive is not None and 14 in self._passive.signed_groups
        return signed or "DG14" in self._files or (self._com is not None and 14 in self._com.groups)

    def _without_dg14(self, reason: str) -> Answer:
        known = self._com is not None or self._passive is not None
        return (Verdict.NOT_PRESENT, reason) if known else _NOT_READ

    def _dg1_mrz(self, optical: Mrz | None) -> Answer:
        if self._dg1 is None:
            spoilt = "DG1" in self._files or 1 in self._spoilt
            return (Verdict.FAILED, "dg1_malformed") if spoilt else _NOT_READ
        if optical is None:
            return Verdict.NOT_CHECKED, "no_optical_mrz"
        if self._dg1.key is None:
            return Verdict.FAILED, "dg1_check_digits"
        if optical.key is None:
            return Verdict.NOT_CHECKED, "no_optical_mrz"
        for name in _COMPARED:
            printed = getattr(optical, name)
            if name == "number" and self._opened_with is not None and printed == self._key.number:
                printed = self._opened_with.number  # the reading of the printed number that the chip accepted
            if printed is not None and printed != getattr(self._dg1, name):
                return Verdict.FAILED, f"differs_{name}"
        return PASSED


# What an optical reader left out is None and is not compared.
_COMPARED = ("number", "birth", "expiry", "issuer", "nationality", "sex", "surname", "given_names")


def _checks(answers: Mapping[CheckName, Answer]) -> tuple[Check, ...]:
    return tuple(
        Check(name=name, verdict=verdict, reason=reason)
        for name in CHIP_CHECKS
        for verdict, reason in (answers.get(name, _NOT_READ),)
    )


def _transmission_reason(error: Exception) -> str:
    code = getattr(error, "code", None)
    if code is ErrorCode.CARD_REMOVED:
        return "card_removed"
    if code in (ErrorCode.CARD_MUTE, ErrorCode.DEVICE_TIMEOUT):
        return "card_mute"
    return "reader_failed"
