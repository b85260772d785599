"""Spoilt certificates, lists and security objects: an answer or a ValueError, never PASSED for what is not."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.checks import CheckName, Verdict
from documents.passive_authentication import judge_signer, parse_sod
from documents.trust import Certificate, RevocationList, TrustStore
from hardware.specimens.issuer import SpecimenAuthority

NOW = datetime(2026, 11, 21, tzinfo=UTC)
UTOPIA = SpecimenAuthority("UTO")
TRUST = TrustStore((UTOPIA.csca_certificate,), (UTOPIA.revocation_list,))
SOD = UTOPIA.sign({1: b"a group", 2: b"another"})
SOUND = {"sod": SOD, "signer": UTOPIA.signer_certificate, "list": UTOPIA.revocation_list}


@st.composite
def spoilt(draw: st.DrawFn, sound: bytes) -> bytes:
    """Bytes replaced, a piece cut out, doubled or put in, or the rest cut off."""
    data = bytearray(sound)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(data)))
        way = draw(st.sampled_from(("replace", "cut", "double", "insert", "end")))
        size = draw(st.integers(1, 24))
        if way == "replace":
            data[place : place + 1] = draw(st.binary(min_size=1, max_size=1))
        elif way == "cut":
            del data[place : place + size]
        elif way == "double":
            data[place:place] = data[place : place + size]
        elif way == "insert":
            data[place:place] = draw(st.binary(min_size=1, max_size=size))
        else:
            del data[place:]
    return bytes(data)


@given(spoilt(SOD))
@settings(max_examples=200, deadline=None)
def test_a_spoilt_security_object(data: bytes) -> None:
    try:
        answers = judge_signer(parse_sod(data), TRUST, NOW)
    except ValueError:
        return
    assert answers.keys() == {
        CheckName.SOD_SIGNATURE,
        CheckName.DS_CHAIN,
        CheckName.DS_VALIDITY,
        CheckName.REVOCATION,
    }
    if answers[CheckName.SOD_SIGNATURE] == answers[CheckName.DS_CHAIN] == (Verdict.PASSED, "ok"):
        # What differs stands behind the object, which its own length leaves out: no answer changed.
        assert parse_sod(data).hashes == parse_sod(SOD).hashes
        assert parse_sod(data).signer is not None


@given(spoilt(UTOPIA.signer_certificate))
@settings(max_examples=150, deadline=None)
def test_a_spoilt_certificate(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        (verdict, _), path = TRUST.chain(Certificate(data))
        assert (verdict is Verdict.PASSED) == bool(path)
        if data != UTOPIA.signer_certificate:
            assert verdict is not Verdict.PASSED


@given(spoilt(UTOPIA.revocation_list))
@settings(max_examples=150, deadline=None)
def test_a_spoilt_list(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        RevocationList(data)
        signer = Certificate(UTOPIA.signer_certificate)
        store = TrustStore((UTOPIA.csca_certificate,), (data,))
        answer = store.revocation(signer, store.chain(signer)[1], NOW)
        if data != UTOPIA.revocation_list:
            assert answer != (Verdict.PASSED, "ok")


@pytest.mark.parametrize("name", SOUND)
@given(data=st.binary(max_size=120))
@settings(max_examples=60, deadline=None)
def test_no_sense_at_all(name: str, data: bytes) -> None:
    for read in (parse_sod, Certificate, RevocationList):
        with contextlib.suppress(ValueError):
            read(data)
        with contextlib.suppress(ValueError):
            read(data + SOUND[name])
