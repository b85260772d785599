"""Ours and `openssl cms -verify`, `openssl verify` on the same bytes: both say yes or both say no, except where
OpenSSL cannot be asked. The exceptions are listed in docs/trust.md and held here with OpenSSL's own words."""

from __future__ import annotations

import hashlib
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from openssl_issuer import GROUPS, KINDS, OpensslAuthority

from contracts.checks import CheckName, Verdict
from documents import tlv
from documents.passive_authentication import judge_signer, parse_sod
from documents.trust import TrustStore

NOW = datetime.now(UTC) + timedelta(hours=1)
EXPLICIT = "Certificate public key has explicit ECC parameters"
FORMS = {"by_name": (), "by_key_identifier": ("-keyid",), "no_attributes": ("-noattr",), "streamed": ("-stream",)}


def said(directory: Path, *arguments: str) -> tuple[bool, str]:
    """OpenSSL's yes or no, and its words."""
    ran = subprocess.run(["openssl", *arguments], cwd=directory, capture_output=True, text=True, check=False)
    return ran.returncode == 0, ran.stderr + ran.stdout


def signature(directory: Path, file: str, *more: str) -> tuple[bool, str]:
    """The signature over the content by the signer that the object names, whoever that is."""
    return said(directory, "cms", "-verify", "-inform", "DER", "-in", file, "-binary", "-out", "seen", *more)


def chained(directory: Path, anchor: str = "csca.pem", *more: str) -> tuple[bool, str]:
    return said(directory, "verify", "-CAfile", anchor, "-purpose", "any", *more, "ds.pem")


def ours(content: bytes, *authorities: bytes) -> tuple[bool, bool]:
    """Signature and chain, yes or no."""
    answers = judge_signer(parse_sod(tlv.encode(0x77, content)), TrustStore(authorities), NOW)
    names = (CheckName.SOD_SIGNATURE, CheckName.DS_CHAIN)
    signed, chain = (answers[name][0] is Verdict.PASSED for name in names)
    return signed, chain


@pytest.fixture(scope="module", params=KINDS, ids=str)
def authority(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> OpensslAuthority:
    made = OpensslAuthority(tmp_path_factory.mktemp(request.param), KINDS[request.param])
    made.issue("ds")
    return made


# Streamed RSA-PSS is what OpenSSL 3.0 is not able to write.
@pytest.mark.parametrize(
    ("authority", "form"),
    [(kind, form) for kind in KINDS for form in FORMS if (kind, form) != ("rsa_pss", "streamed")],
    indirect=["authority"],
)
def test_a_sound_object_and_its_chain(authority: OpensslAuthority, form: str) -> None:
    directory = authority.directory
    content = tlv.value(authority.security_object(GROUPS, *FORMS[form]), 0x77)
    (directory / "sod.der").write_bytes(content)
    assert ours(content, authority.certificate("csca")) == (True, True)
    assert signature(directory, "sod.der", "-noverify")[0]
    yes, words = chained(directory)
    whole, more_words = signature(directory, "sod.der", "-CAfile", "csca.pem", "-purpose", "any")
    if "explicit" in directory.name:  # the only kind of chain that OpenSSL is not able to judge
        assert (yes, whole) == (False, False)
        assert EXPLICIT in words and EXPLICIT in more_words
    else:
        assert (yes, whole) == (True, True)


@pytest.mark.parametrize("what", ["content", "signature"])
def test_an_altered_object(authority: OpensslAuthority, what: str) -> None:
    content = bytearray(tlv.value(authority.security_object(), 0x77))
    hashed = hashlib.new(authority.kind.md, GROUPS[2]).digest()
    place = bytes(content).index(hashed) if what == "content" else len(content) - 1
    content[place] ^= 1
    (authority.directory / "altered.der").write_bytes(content)
    assert not signature(authority.directory, "altered.der", "-noverify")[0]
    assert ours(bytes(content), authority.certificate("csca"))[0] is False


def test_another_authority_of_the_same_name(authority: OpensslAuthority, tmp_path: Path) -> None:
    """The issuer named is there by name, with another key."""
    forger = OpensslAuthority(tmp_path, authority.kind)
    content = tlv.value(authority.security_object(), 0x77)
    anchor = forger.certificate("csca")
    assert ours(content, anchor) == (True, False)
    assert not chained(authority.directory, str(tmp_path / "csca.pem"))[0]


def test_a_chain_over_a_link_certificate(tmp_path: Path) -> None:
    authority = OpensslAuthority(tmp_path, KINDS["brainpool_named"])
    root, link = authority.certificate("csca"), authority.issue("new", "root")
    authority.issue("ds", "signer", "new")
    content = tlv.value(authority.security_object(), 0x77)
    assert ours(content, root, link) == (True, True)
    assert ours(content, root) == (True, False)
    assert not chained(tmp_path)[0]
    # A CSCA may sign document signers only (pathlen 0, 9303-12 Table 6), so OpenSSL takes no link below it.
    yes, words = chained(tmp_path, "csca.pem", "-untrusted", "new.pem")
    assert not yes and "path length constraint exceeded" in words
    assert chained(tmp_path, "new.pem", "-partial_chain")[0]
