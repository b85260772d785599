"""Reading a chip from end to end: access, files, passive authentication, and the chip's proof of itself.

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
from documents import active_authentication, chip_authentication, passive_authentication
from documents.access import CardAccessNumber, Gate, Opened, Password
from documents.apdu import AccessRefused, ChipError, FileSpoilt, SessionBroken, SessionLost, Transceiver
from documents.card_security import CardSecurity, parse_card_security
from documents.files import (
    CARD_SECURITY,
    CAREFUL_BLOCK,
    FIRST_BLOCK,
    FileMissing,
    FileReader,
    extended_block,
    read_card_access,
    readable_in_clear,
    select_application,
)
from documents.lds import COM, GROUPS, SOD, Com, ElementaryFile, LdsError, parse_com, parse_dg1
from documents.lds_biometrics import Portrait, parse_portraits
from documents.mrz import Mrz, MrzKey
from documents.passive_authentication import PassiveAuthentication, authenticate, parse_sod
from documents.security_infos import ChipKey, SecurityInfos, parse_dg14, parse_security_infos
from documents.trust import PASSED, Answer, TrustStore

CHIP_CHECKS: tuple[CheckName, ...] = tuple(name for name in DOCUMENT_CHECKS if name not in PRINTED_CHECKS)
"""Every check a chip reading answers, in their order."""

# Identity, portrait, the keys of chip and active authentication. Nothing else is read: what a border does not
# need (addresses, signatures, fingerprints) stays in the chip.
WANTED_GROUPS = frozenset({1, 2, 14, 15})
READABLE_GROUPS = frozenset(range(1, 17)) - {3, 4}
"""All that anybody may read who can open the chip; fingerprints and irises are left alone."""

Progress = Callable[[str, float], None]
"""Told the phase (access, files, portrait, authenticity, done) and the share of the whole, 0 to 1."""

_NOT_READ: Answer = (Verdict.NOT_CHECKED, "not_read")


@dataclass(frozen=True, repr=False)
class ChipReading:
    """What a chip said and what that is worth.

    `groups` holds the raw files by name (COM, SOD, DG1 …), `portrait` the JPEG or JPEG 2000 of DG2, `document`
    and `mrz` the content of DG1, `trust_anchor` the SHA-256 of the CSCA certificate relied upon, `access_protocol`
    bac or pace_gm, pace_im, pace_cam, `seconds` what each phase took, `apdus` and `transferred` how many commands
    and bytes went over the line. `checks` has one answer for each of CHIP_CHECKS.
    """

    checks: tuple[Check, ...]
    groups: Mapping[str, bytes] = field(default_factory=dict)
    document: TravelDocument | None = None
    mrz: Mrz | None = None
    portrait: bytes | None = None
    trust_anchor: str | None = None
    access_protocol: str | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    apdus: int = 0
    transferred: int = 0

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
    can: CardAccessNumber | None = None,
    wanted: frozenset[int] = WANTED_GROUPS,
) -> ChipReading:
    """Read and judge the chip behind `transceiver`. Never raises for what a card says or a reader does.

    `key` opens the chip, or `can` where the key does not; `now` (aware) is the moment at which certificates must
    be valid; `optical` is the printed zone, as far as it was read, for the comparison with DG1. `wanted` are the
    groups that are read where the chip lists or signs them; DG1 and DG2 always are.
    """
    passwords: tuple[Password, ...] = (*(key.readings if key is not None else ()), *((can,) if can else ()))
    if not passwords:
        return unread_chip(Verdict.NOT_CHECKED, "no_key")
    conversation = _Conversation(transceiver, key, passwords, progress or (lambda phase, share: None), wanted)
    conversation.run(trust, now)
    return conversation.judge(now, optical)


class _Counting:
    """A transceiver that counts what goes over it."""

    def __init__(self, transceiver: Transceiver) -> None:
        self._transceiver = transceiver
        self.apdus = 0
        self.transferred = 0

    def transmit(self, apdu: bytes) -> bytes:
        self.apdus += 1
        self.transferred += len(apdu)
        answer = self._transceiver.transmit(apdu)
        self.transferred += len(answer)
        return answer


class _Conversation:
    """One chip on the reader: what it said so far, and how the conversation stands."""

    def __init__(
        self,
        transceiver: Transceiver,
        key: MrzKey | None,
        passwords: tuple[Password, ...],
        progress: Progress,
        wanted: frozenset[int],
    ) -> None:
        self._bare = _Counting(transceiver)
        self._key = key
        self._passwords = passwords
        self._progress = progress
        self._wanted = wanted | {1, 2}
        self._opened: Opened | None = None
        self._files: dict[str, bytes] = {}
        self._absent: set[int] = set()
        self._spoilt: set[int] = set()
        self._access: Answer = _NOT_READ
        self._is_open = False
        self._card_access: SecurityInfos | None = None  # as the chip shows it, unsigned
        self._card_access_answer: Answer | None = None
        self._card_security: CardSecurity | None = None
        self._card_security_missing = False
        self._card_security_asked = False
        self._infos: SecurityInfos | None = None  # of a DG14 or an EF.CardSecurity that is believed
        self._proven_by_mapping: Answer | None = None
        self._chip: Answer = _NOT_READ
        self._com: Com | None = None
        self._com_answer: Answer | None = None
        self._dg1: Mrz | None = None
        self._sod: passive_authentication.Sod | None = None
        self._sod_answer: Answer = _NOT_READ
        self._passive: PassiveAuthentication | None = None
        self._active: Answer = _NOT_READ
        self._seconds: dict[str, float] = {}
        self._dg14_malformed = False
        self._reopened = False

    # ------------------------------------------------------------------------------------ the conversation

    def run(self, trust: TrustStore, now: datetime) -> None:
        """Talk until the end or until the conversation breaks; `judge` tells what came of it."""
        try:
            self._timed("access", self._open_application)
            self._timed("files", self._read_files)
        except AccessRefused as refusal:
            self._broken((Verdict.FAILED, refusal.reason))
        except SessionBroken as broken:
            self._broken((Verdict.FAILED, broken.reason))
        except ChipError as error:
            self._broken((Verdict.ERROR, error.reason))
        except Exception as error:
            # The transceiver's own: a card that left, a reader that failed. Told apart by the stable code.
            self._broken((Verdict.ERROR, _transmission_reason(error)))
        self._progress("authenticity", 0.9)
        try:
            self._timed("passive_authentication", lambda: self._authenticate_passively(trust, now))
        except Exception:
            # No content may stop the journey. Known malformations have their own reasons; this is for the others.
            self._passive, self._sod_answer = None, (Verdict.ERROR, "not_understood")
        self._active = self._proof("active_authentication", self._authenticate_actively)
        self._chip = self._proof("chip_authentication", self._authenticate_chip)
        self._progress("done", 1.0)

    def _broken(self, answer: Answer) -> None:
        self._access, self._is_open = answer, False

    def _proof(self, phase: str, ask: Callable[[], Answer]) -> Answer:
        """The chip's answer to a question about itself; one that it does not survive is an answer too."""
        begin = time.monotonic()
        try:
            return ask()
        except SessionBroken as broken:
            self._is_open = False
            return Verdict.FAILED, broken.reason
        except ChipError as error:
            self._is_open = False
            return Verdict.FAILED, "no_answer" if isinstance(error, SessionLost) else error.reason
        except Exception as error:
            self._is_open = False
            return Verdict.ERROR, _transmission_reason(error)
        finally:
            self._seconds[phase] = time.monotonic() - begin

    def _open_application(self) -> None:
        self._progress("access", 0.0)
        block = None
        try:
            card_access = read_card_access(self._bare)
            if card_access is not None:
                self._card_access = parse_security_infos(card_access)
                block = extended_block(self._bare)
        except (FileSpoilt, LdsError):
            self._card_access_answer = (Verdict.FAILED, "cardaccess_malformed")
        self._gate = Gate(self._bare, self._card_access, self._passwords)
        try:
            self._line = self._open_session()
        except SessionLost:
            self._reopened = True
            self._line = self._open_session()
        self._reader = FileReader(self._line, block or FIRST_BLOCK)

    def _open_session(self) -> Transceiver:
        try:
            opened = self._gate.open()
        except AccessRefused as refusal:
            if refusal.reason == "no_challenge" and readable_in_clear(self._bare, COM):
                self._access, self._is_open = (Verdict.NOT_PRESENT, "no_access_control"), True
                return self._bare
            raise
        self._opened = opened
        self._access = PASSED if opened.password in (self._key, *self._cans()) else _FILLER
        if opened.downgrade is not None:
            self._access = _DOWNGRADED
        if opened.pace is not None:
            if opened.pace.chip_data is not None and not self._card_security_asked:
                self._read_card_security(opened.line)
                self._card_security_asked = True
            if not select_application(opened.line):
                raise ChipError("no_application")
        self._is_open = True
        return opened.line

    def _cans(self) -> tuple[Password, ...]:
        return tuple(password for password in self._passwords if isinstance(password, CardAccessNumber))

    def _read_card_security(self, line: Transceiver) -> None:
        """EF.CardSecurity, whose key the chip has just proven; without it the proof is worth nothing."""
        try:
            self._card_security = parse_card_security(FileReader(line).read(CARD_SECURITY))
        except FileMissing:
            self._card_security_missing = True
        except (SessionBroken, SessionLost):
            raise
        except (ChipError, LdsError):
            self._card_security = None  # no file that could be believed

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
        for number in sorted(self._wanted - {1, 2}):
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
            self._judge_infos(trust, now)
            return
        self._passive = authenticate(
            self._sod,
            self._group_files(),
            frozenset(self._absent),
            frozenset(self._spoilt),
            self._wanted,
            self._com,
            self._dg1,
            trust,
            now,
        )
        self._judge_infos(trust, now)

    def _country(self) -> str | None:
        signer = self._sod.signer if self._sod is not None else None
        return signer.country if signer is not None else None

    def _covered_infos(self) -> SecurityInfos | None:
        """What a DG14 that is covered says. LdsError for one that is covered and says nothing."""
        dg14 = self._files.get("DG14")
        covered = self._passive is not None and 14 in self._passive.covered
        return parse_dg14(dg14) if dg14 is not None and covered else None

    def _authenticate_actively(self) -> Answer:
        """Ask the chip to prove its key, when there is a key worth proving."""
        signed = self._passive is not None and 15 in self._passive.signed_groups
        listed = signed or (self._com is not None and 15 in self._com.groups)
        key = self._files.get("DG15")
        if key is None:
            if 15 in self._absent:
                return (Verdict.FAILED, "key_removed") if signed else (Verdict.NOT_PRESENT, "no_dg15")
            if 15 in self._spoilt:
                return Verdict.NOT_CHECKED, "key_not_covered"
            return (Verdict.NOT_PRESENT, "no_dg15") if self._passive is not None and not listed else _NOT_READ
        if self._passive is None or 15 not in self._passive.covered:
            return Verdict.NOT_CHECKED, "key_not_covered"
        if not self._is_open:
            return _NOT_READ
        named = self._infos.active_authentication_hash if self._infos is not None else None
        return active_authentication.authenticate(self._line, key, named)

    def _authenticate_chip(self) -> Answer:
        """What the chip proved in PACE, or else chip authentication with the key of DG14."""
        if self._proven_by_mapping is not None and self._proven_by_mapping[0] is not Verdict.NOT_CHECKED:
            return self._proven_by_mapping
        answer = self._chip_authentication()
        if self._proven_by_mapping is not None and answer[0] in (Verdict.NOT_PRESENT, Verdict.NOT_CHECKED):
            return self._proven_by_mapping
        return answer

    def _chip_authentication(self) -> Answer:
        signed = self._passive is not None and 14 in self._passive.signed_groups
        if "DG14" not in self._files:
            if 14 in self._absent:
                return (Verdict.FAILED, "key_removed") if signed else (Verdict.NOT_PRESENT, "no_dg14")
            if 14 in self._spoilt:
                return Verdict.NOT_CHECKED, "key_not_covered"
            listed = signed or (self._com is not None and 14 in self._com.groups)
            return (Verdict.NOT_PRESENT, "no_dg14") if self._passive is not None and not listed else _NOT_READ
        if self._passive is None or 14 not in self._passive.covered:
            return Verdict.NOT_CHECKED, "key_not_covered"
        if self._dg14_malformed or self._infos is None:
            return Verdict.FAILED, "key_malformed"
        if not self._is_open:
            return _NOT_READ
        answer, rekeyed = chip_authentication.authenticate(self._line, self._bare, self._infos)
        if rekeyed is not None:
            self._line = rekeyed
        return answer

    def _judge_infos(self, trust: TrustStore, now: datetime) -> None:
        """What the signed lists of protocols say of the unsigned one, and of the key that PACE has proven."""
        try:
            self._infos = self._covered_infos()
        except LdsError:
            self._dg14_malformed = True
        believed: CardSecurity | None = None
        if self._card_security is not None and self._card_security.is_believed(trust, now, self._country()):
            believed = self._card_security
        signed = self._infos or (believed.infos if believed is not None else None)
        if self._opened is not None:
            compared = self._compare_card_access(signed)
            self._card_access_answer = self._card_access_answer or compared
        pace = self._opened.pace if self._opened is not None else None
        if pace is None or pace.chip_data is None:
            return
        keys: tuple[ChipKey, ...] = believed.infos.chip_keys if believed is not None else ()
        keys += self._infos.chip_keys if self._infos is not None else ()
        if not keys and self._card_security_missing:
            self._proven_by_mapping = (Verdict.FAILED, "cardsecurity_missing")
        else:
            self._proven_by_mapping = chip_authentication.judge_mapping(pace, keys)

    def _compare_card_access(self, signed: SecurityInfos | None) -> Answer | None:
        if self._dg14_malformed:
            return Verdict.FAILED, "dg14_malformed"
        if signed is None:
            if self._has_dg14():
                return Verdict.NOT_CHECKED, "dg14_not_covered"
            return None if self._card_access is None else (Verdict.NOT_CHECKED, "no_dg14")
        wrong = signed.disagreement(self._card_access)
        if wrong is not None:
            if self._opened is not None and self._opened.pace is None and self._access[0] is Verdict.PASSED:
                self._access = _DOWNGRADED  # somebody has taken PACE out of what the chip shows
            return Verdict.FAILED, wrong
        return PASSED if self._card_access is not None else (Verdict.NOT_PRESENT, "no_cardaccess")

    # ---------------------------------------------------------------------------------------- the answers

    def judge(self, now: datetime, optical: Mrz | None) -> ChipReading:
        answers: dict[CheckName, Answer] = {
            CheckName.ACCESS: self._access,
            CheckName.SOD_SIGNATURE: self._sod_answer,
            CheckName.CARDACCESS_DG14: self._card_access_answer or self._without_dg14("no_cardaccess"),
            CheckName.CHIP_AUTHENTICATION: self._chip,
            CheckName.ACTIVE_AUTHENTICATION: self._active,
            CheckName.DG1_MRZ: self._dg1_mrz(optical),
        }
        if self._passive is not None:
            answers |= self._passive.answers
        if self._com_answer is not None:
            answers[CheckName.COM_SOD] = self._com_answer
        portrait = self._portrait()
        anchor = self._passive.anchor if self._passive is not None else None
        return ChipReading(
            checks=_checks(answers, self._defects(portrait)),
            groups=dict(self._files),
            document=self._document(),
            mrz=self._dg1,
            portrait=portrait.image if portrait is not None else None,
            trust_anchor=anchor.fingerprint if anchor is not None else None,
            access_protocol=self._opened.protocol if self._opened is not None else None,
            seconds=dict(self._seconds),
            apdus=self._bare.apdus,
            transferred=self._bare.transferred,
        )

    def _portrait(self) -> Portrait | None:
        """The portrait of DG2; for one that is not there, the face comparison answers."""
        dg2 = self._files.get("DG2")
        try:
            return parse_portraits(dg2)[0] if dg2 is not None else None
        except LdsError:
            return None

    def _defects(self, portrait: Portrait | None) -> dict[CheckName, tuple[str, ...]]:
        """What was read although its encoding misses the standard, with the check that looked at it."""
        passive = self._passive or self._sod
        return {
            CheckName.SOD_SIGNATURE: passive.defects if passive is not None else (),
            CheckName.DG_HASHES: portrait.defects if portrait is not None else (),
            CheckName.CHIP_AUTHENTICATION: self._card_security.signed.defects if self._card_security else (),
        }

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
            opened_with = self._opened.password if self._opened is not None else None
            if name == "number" and isinstance(opened_with, MrzKey) and self._key is not None:
                # the reading of the printed number that the chip accepted
                printed = opened_with.number if printed == self._key.number else printed
            if printed is not None and printed != getattr(self._dg1, name):
                return Verdict.FAILED, f"differs_{name}"
        return PASSED


_FILLER: Answer = (Verdict.PASSED, "filler_read_as_letter")
_DOWNGRADED: Answer = (Verdict.FAILED, "pace_downgraded")
# What an optical reader left out is None and is not compared.
_COMPARED = ("number", "birth", "expiry", "issuer", "nationality", "sex", "surname", "given_names")


def _checks(
    answers: Mapping[CheckName, Answer], defects: Mapping[CheckName, tuple[str, ...]] | None = None
) -> tuple[Check, ...]:
    return tuple(
        Check(name=name, verdict=verdict, reason=reason, defects=(defects or {}).get(name, ()))
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
