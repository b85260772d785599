"""Master lists under pinned roots, and trust merged from many files with its provenance."""

from __future__ import annotations

import base64
import contextlib
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openssl_issuer import KINDS, OpensslAuthority, openssl

from contracts.checks import Verdict
from documents.certificates import Certificate
from documents.master_list import MASTER_LIST_TYPE, parse_master_list
from documents.security_object import CscaMasterList
from documents.trust_sources import Collection, SourceKind, collect, ldif_values

NOW = datetime.now(UTC) + timedelta(hours=1)
OK = (Verdict.PASSED, "ok")


class Country:
    """A State that publishes a list: its root, its list signer, and a list of three countries with one link."""

    def __init__(self, directory: Path) -> None:
        self.authority = OpensslAuthority(directory / "own", KINDS["brainpool_explicit"], "UT")
        self.authority.issue("mls", "lists")
        self.root = self.authority.certificate("csca")
        neighbour = OpensslAuthority(directory / "neighbour", KINDS["rsa_v15"], "XY")
        self.link = neighbour.issue("new", "root")
        self.signer = neighbour.issue("ds", "signer", "new")
        self.neighbour = neighbour.certificate("csca")
        self.far = OpensslAuthority(directory / "far", KINDS["p521_sha512"], "XZ")
        self.stray = self.far.issue("stray", "root")
        self.listed = (self.root, self.neighbour, self.link, self.stray)
        self.list = self.sign(self.listed)

    def sign(
        self,
        certificates: tuple[bytes, ...],
        signer: str = "mls",
        kind: str = MASTER_LIST_TYPE,
        beside: str = "csca.pem",
    ) -> bytes:
        content = CscaMasterList({"version": 0, "cert_list": []})
        body = b"".join(sorted(certificates))
        encoded = content.dump()
        assert encoded == bytes.fromhex("30050201003100")
        size = len(body).to_bytes(3)
        inner = b"\x02\x01\x00\x31\x83" + size + body
        return self.authority.sign(b"\x30\x83" + len(inner).to_bytes(3) + inner, kind, signer, "-certfile", beside)


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Country:
    return Country(tmp_path_factory.mktemp("country"))


def test_a_list_under_its_pinned_root(country: Country) -> None:
    found = parse_master_list(country.list, [Certificate(country.root)], NOW)
    assert found.answer == OK
    assert {certificate.der for certificate in found.certificates} == set(country.listed)
    assert found.unreadable == 0


def test_a_list_under_another_root_is_refused_though_it_brings_its_own(country: Country) -> None:
    assert parse_master_list(country.list, [Certificate(country.neighbour)], NOW).answer == (
        Verdict.FAILED,
        "other_root",
    )
    assert parse_master_list(country.list, [], NOW).answer == (Verdict.NOT_CHECKED, "no_root")


def test_any_changed_byte_is_noticed(country: Country) -> None:
    """Of the content, of the signature, and of every certificate enclosed, also of one that nothing depends on."""
    assert country.list.count(country.root) == 2  # in the list, and beside its signer
    roots = [Certificate(country.root)]
    enclosed = country.list.rindex(country.root)
    spared = enclosed + len(country.root)
    places = {*range(60, len(country.list), 97), *range(enclosed, spared, 7), spared - 1}
    for place in sorted(places):
        altered = bytearray(country.list)
        altered[place] ^= 0x01
        try:
            answer = parse_master_list(bytes(altered), roots, NOW).answer
        except ValueError:
            continue
        assert answer[0] in (Verdict.FAILED, Verdict.ERROR), place


def test_a_certificate_beside_the_signer_s_that_somebody_issued(country: Country) -> None:
    """A link of which the list and the pins know nothing, issued by the root that stands beside it."""
    stranger = country.authority.issue("stranger", "root")
    assert stranger not in country.listed
    listed = country.sign(country.listed, "mls", MASTER_LIST_TYPE, "stranger.pem")
    assert stranger in listed
    assert parse_master_list(listed, [Certificate(country.root)], NOW).answer == OK
    altered = listed.replace(stranger, stranger[:-1] + bytes([stranger[-1] ^ 1]))
    answer = parse_master_list(altered, [Certificate(country.root)], NOW).answer
    assert answer == (Verdict.FAILED, "enclosed_certificate")


def test_a_link_from_a_key_that_is_nowhere_here_cannot_be_checked_and_is_let_be(country: Country) -> None:
    link = country.far.issue("lone", "root")
    listed = country.sign(country.listed, "mls", MASTER_LIST_TYPE, "../far/lone.pem")
    assert link in listed
    assert parse_master_list(listed, [Certificate(country.root)], NOW).answer == OK


def test_a_signer_without_the_purpose_or_of_another_time(country: Country) -> None:
    country.authority.issue("ds", "signer")
    other = parse_master_list(country.sign(country.listed, "ds"), [Certificate(country.root)], NOW)
    assert other.answer == (Verdict.FAILED, "signer_purpose")
    early = parse_master_list(country.list, [Certificate(country.root)], NOW - timedelta(days=1))
    assert early.answer == (Verdict.FAILED, "signer_not_valid")


def test_what_is_no_list(country: Country) -> None:
    for content in (b"", country.root, country.sign((), kind="2.23.136.1.1.1")):
        with pytest.raises(ValueError, match=r"not|cut"):
            parse_master_list(content, [], NOW)


def merged(country: Country, *files: tuple[str, bytes], roots: tuple[bytes, ...] | None = None) -> Collection:
    pinned = (country.root,) if roots is None else roots
    return collect(files, [Certificate(root) for root in pinned], NOW)


def test_sources_are_merged_and_each_certificate_says_where_it_came_from(country: Country) -> None:
    crl = country.authority.revocation_list()
    found = merged(
        country, ("list.ml", country.list), ("root.cer", country.root), ("csca.crl", crl), ("notes.txt", b"hello")
    )
    answers = {source.name: (source.kind, source.answer) for source in found.sources}
    assert answers == {
        "list.ml": (SourceKind.MASTER_LIST, OK),
        "root.cer": (SourceKind.CERTIFICATES, OK),
        "csca.crl": (SourceKind.REVOCATION_LIST, OK),
        "notes.txt": (SourceKind.UNKNOWN, (Verdict.FAILED, "not_understood")),
    }
    assert found.sources[1].duplicates == 1
    standing = {one.certificate.der: one.standing for one in found.authorities}
    assert standing == {
        country.root: (Verdict.PASSED, "self_signed"),
        country.neighbour: (Verdict.PASSED, "self_signed"),
        country.link: (Verdict.PASSED, "linked"),
        country.stray: (Verdict.NOT_CHECKED, "issuer_missing"),
    }
    sources = {one.certificate.der: one.sources for one in found.authorities}
    assert sources[country.root] == ("list.ml", "root.cer")
    assert sources[country.link] == ("list.ml",)
    assert found.countries == {"UT": 1, "XY": 2, "XZ": 1}
    assert len(found.store.certificates) == 4
    assert found.store.crls == (crl,)
    signer = Certificate(country.signer)
    assert found.store.chain(signer)[0] == OK


def test_a_list_that_does_not_stand_brings_nothing(country: Country) -> None:
    found = merged(country, ("list.ml", country.list), roots=(country.neighbour,))
    assert found.sources[0].answer == (Verdict.FAILED, "other_root")
    assert found.store.certificates == ()
    unpinned = merged(country, ("list.ml", country.list), roots=())
    assert unpinned.sources[0].answer == (Verdict.NOT_CHECKED, "no_root")
    assert len(unpinned.store.certificates) == 4


def test_a_link_that_nobody_signed_is_left_out(country: Country) -> None:
    forged = country.link[:-1] + bytes([country.link[-1] ^ 1])
    found = merged(country, ("a.cer", country.neighbour), ("b.cer", forged))
    assert [one.standing[1] for one in found.authorities] == ["self_signed", "link_signature"]
    assert found.store.certificates == (country.neighbour,)


def test_a_root_in_every_form_that_files_come_in(country: Country, tmp_path: Path) -> None:
    """By openssl: PEM with and without words before it, and a bundle of certificates that nobody signed."""
    (tmp_path / "root.cer").write_bytes(country.root)
    openssl(tmp_path, "x509", "-inform", "DER", "-in", "root.cer", "-out", "root.pem")
    openssl(tmp_path, "x509", "-in", "root.pem", "-text", "-out", "words.pem")
    openssl(tmp_path, "crl2pkcs7", "-nocrl", "-certfile", "root.pem", "-outform", "DER", "-out", "root.p7b")
    openssl(tmp_path, "crl2pkcs7", "-nocrl", "-certfile", "root.pem", "-out", "root.p7c")
    forms = {name: (tmp_path / name).read_bytes() for name in ("root.pem", "words.pem", "root.p7b", "root.p7c")}
    forms |= {
        "crlf.pem": forms["root.pem"].replace(b"\n", b"\r\n"),
        "base64": base64.encodebytes(country.root),
        "hexadecimal": country.root.hex(" ").encode(),
        "newline": country.root + b"\n",
        "padded": country.root + bytes(200),
    }
    for name, content in forms.items():
        found = merged(country, (name, content))
        assert found.sources[0].answer == OK, name
        assert found.store.certificates == (country.root,), name
    both = merged(
        country, ("both", country.root + country.neighbour), ("list.b64", base64.b64encode(country.list))
    )
    assert both.store.certificates[:2] == (country.root, country.neighbour)
    assert [source.kind for source in both.sources] == [SourceKind.CERTIFICATES, SourceKind.MASTER_LIST]
    spoilt = merged(country, ("spoilt", country.root + b"0\x03\x02\x01\x01"))
    assert spoilt.sources[0].answer == (Verdict.FAILED, "not_understood")
    assert spoilt.store.certificates == ()


def ldif(*entries: tuple[str, bytes]) -> bytes:
    """As the PKD writes it: base64 values folded at 76 characters (RFC 2849)."""
    lines = ["version: 1", ""]
    for attribute, value in entries:
        text = f"{attribute}:: {base64.b64encode(value).decode()}"
        folded = [text[:76], *(" " + text[place : place + 75] for place in range(76, len(text), 75))]
        lines += ["dn: cn=x,o=dsc,c=XY,dc=data,dc=download,dc=pkd,dc=icao,dc=int", "sn: 4711", *folded, ""]
    return "\n".join(lines).encode()


def test_the_directory_of_icao(country: Country) -> None:
    crl = country.authority.revocation_list()
    content = ldif(
        ("userCertificate;binary", country.signer),
        ("certificateRevocationList;binary", crl),
        ("pkdMasterListContent", country.list),
        ("userCertificate;binary", b"no certificate"),
    )
    for text in (content, content.replace(b"\n", b"\r\n")):
        found = merged(country, ("icaopkd.ldif", text))
        (source,) = found.sources
        assert (source.kind, source.answer) == (SourceKind.LDIF, OK)
        assert (source.certificates, source.signers, source.revocation_lists, source.unreadable) == (4, 1, 1, 1)
        assert found.store.signers == (country.signer,)


@given(st.binary(max_size=400))
@settings(max_examples=200)
def test_any_file_has_an_answer(data: bytes) -> None:
    found = collect([("a", data), ("b", b"dn: x\n" + data)], [], NOW)
    assert len(found.sources) == 2
    list(ldif_values(data))


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_spoilt_list_never_raises_anything_else(country: Country, data: st.DataObject) -> None:
    content = bytearray(country.list)
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    with contextlib.suppress(ValueError):
        parse_master_list(bytes(content[:cut]) if data.draw(st.booleans()) else bytes(content), [], NOW)


def run(*arguments: str | Path) -> tuple[int, dict[str, object]]:
    ran = subprocess.run(
        [sys.executable, "corridor.py", "evaluate", *map(str, arguments)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    lines = ran.stdout.splitlines()
    return ran.returncode, json.loads(lines[-1]) if lines else {}


def test_the_evaluations_print_what_they_promise(country: Country, tmp_path: Path) -> None:
    (tmp_path / "list.ml").write_bytes(country.list)
    (tmp_path / "root.cer").write_bytes(country.root)
    (tmp_path / "other.cer").write_bytes(country.neighbour)
    (tmp_path / "altered.ml").write_bytes(country.list.replace(country.far.country.encode(), b"XQ", 1))
    figures = {"certificates": 4, "usable_keys": 4, "countries": 3, "self_signed_ok": 2, "link_certificates": 2}
    rows = tmp_path / "rows.jsonl"
    status, said = run(
        "masterlist", tmp_path / "list.ml", "--root", tmp_path / "root.cer", "--at", NOW.isoformat(),
        "--predictions", rows,
    )  # fmt: skip
    assert (status, said) == (0, figures | {"signature": {"verdict": "PASSED", "reason": "ok"}})
    assert len(rows.read_text().splitlines()) == 4
    status, said = run("masterlist", tmp_path / "list.ml", "--root", tmp_path / "other.cer")
    assert said["signature"] == {"verdict": "FAILED", "reason": "other_root"}
    status, said = run("masterlist", tmp_path / "altered.ml", "--root", tmp_path / "root.cer")
    assert said["signature"] == {"verdict": "FAILED", "reason": "message_digest_mismatch"}
    status, said = run("masterlist", tmp_path / "root.cer", "--root", tmp_path / "root.cer")
    assert (status, said["signature"]) == (0, {"verdict": "FAILED", "reason": "list_malformed"})
    assert set(said) == {*figures, "signature"}

    country.authority.issue("ds", "signer")
    (tmp_path / "EF_SOD.bin").write_bytes(country.authority.security_object())
    (tmp_path / "csca.crl").write_bytes(country.authority.revocation_list())
    sources = [tmp_path / name for name in ("root.cer", "csca.crl", "list.ml")]
    status, said = run("sod", tmp_path / "EF_SOD.bin", "--csca", *sources, "--at", NOW.isoformat())
    passed = {"verdict": "PASSED", "reason": "ok"}
    assert (status, said) == (
        0,
        {"checks": dict.fromkeys(("sod_signature", "ds_chain", "ds_validity", "revocation"), passed)},
    )
    status, said = run("sod", tmp_path / "EF_SOD.bin", "--csca", tmp_path / "other.cer", "--at", NOW.isoformat())
    checks = said["checks"]
    assert isinstance(checks, dict)
    assert checks["ds_chain"] == {"verdict": "FAILED", "reason": "no_trust_anchor"}
    status, said = run("sod", tmp_path / "root.cer", "--csca", tmp_path)
    checks = said["checks"]
    assert isinstance(checks, dict)
    assert checks["sod_signature"] == {"verdict": "FAILED", "reason": "sod_malformed"}
