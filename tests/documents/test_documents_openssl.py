"""Security objects, chains and lists that OpenSSL made: every algorithm, every form, and what spoils them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import cms, x509
from openssl_issuer import GROUPS, KINDS, PART, OpensslAuthority, openssl

from contracts.checks import CheckName, Verdict
from documents import tlv
from documents.passive_authentication import authenticate, judge_signer, parse_sod
from documents.security_object import LDS_SECURITY_OBJECT
from documents.trust import Certificate, RevocationList, TrustStore

NOW = datetime.now(UTC) + timedelta(hours=1)  # after everything that is issued here
OK = (Verdict.PASSED, "ok")
FOUR = (CheckName.SOD_SIGNATURE, CheckName.DS_CHAIN, CheckName.DS_VALIDITY, CheckName.REVOCATION)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> OpensslAuthority:
    found = OpensslAuthority(tmp_path_factory.mktemp("p256"), KINDS["p256"])
    found.issue("ds")
    return found


def store(*certificates: bytes, lists: tuple[bytes, ...] = ()) -> TrustStore:
    return TrustStore(certificates, lists)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_every_algorithm_agrees_with_openssl(tmp_path: Path, kind: str) -> None:
    authority = OpensslAuthority(tmp_path, KINDS[kind])
    authority.issue("ds")
    trust = store(authority.certificate("csca"), lists=(authority.revocation_list(),))
    content = authority.security_object()
    # OpenSSL checks signatures under explicit parameters, and refuses them in a chain, whichever curve they spell.
    chain = ("-noverify",) if "explicit" in kind else ("-CAfile", "csca.pem", "-purpose", "any")
    openssl(tmp_path, "cms", "-verify", "-inform", "DER", "-in", "signed.der", "-binary", "-out", "seen", *chain)
    sod = parse_sod(content)
    assert judge_signer(sod, trust, NOW) == dict.fromkeys(FOUR, OK)
    assert sod.signed_at is not None
    assert sod.defects == ()
    found = authenticate(sod, GROUPS, frozenset(), frozenset(), frozenset({1, 2}), None, None, trust, NOW)
    assert found.answers[CheckName.DG_HASHES] == OK
    assert found.covered == {1, 2}
    altered = GROUPS | {2: b"another second group"}
    found = authenticate(sod, altered, frozenset(), frozenset(), frozenset({1, 2}), None, None, trust, NOW)
    assert found.answers[CheckName.DG_HASHES] == (Verdict.FAILED, "hash_mismatch_dg2")
    spoilt = content[:-1] + bytes([content[-1] ^ 1])
    assert parse_sod(spoilt).signature[0] is Verdict.FAILED


@pytest.mark.parametrize(
    ("options", "defects"),
    [
        (("-keyid",), ()),  # the signer by its key identifier
        (("-noattr",), ()),  # the signature straight over the content
        (("-stream",), ("indefinite_length", "split_string")),  # as a signer that does not know the end
    ],
    ids=["key_identifier", "no_attributes", "indefinite_length"],
)
def test_every_form_is_read_and_its_defects_are_named(
    authority: OpensslAuthority, options: tuple[str, ...], defects: tuple[str, ...]
) -> None:
    sod = parse_sod(authority.security_object(GROUPS, *options))
    assert sod.defects == defects
    assert sod.signature == (Verdict.PASSED, f"defect_{defects[0]}" if defects else "ok")
    assert sod.signer is not None
    assert sod.signer.der == authority.certificate("ds")


@pytest.mark.parametrize(
    ("content_type", "defect"),
    [
        ("1.2.840.113549.1.7.1", "plain_content_type"),  # id-data, as passports of China have it
        ("1.2.528.1.1006.1.20.1", "legacy_content_type"),
    ],
)
def test_a_security_object_under_another_type_is_read_and_its_type_named(
    authority: OpensslAuthority, content_type: str, defect: str
) -> None:
    sod = parse_sod(authority.security_object(GROUPS, content_type=content_type))
    assert sod.signature == (Verdict.PASSED, f"defect_{defect}")
    assert sod.defects == (defect,)
    assert judge_signer(sod, store(authority.certificate("csca")), NOW)[CheckName.DS_CHAIN] == OK


def test_a_type_that_no_issuer_uses_and_data_that_is_no_security_object(authority: OpensslAuthority) -> None:
    with pytest.raises(ValueError, match="sod_malformed"):
        parse_sod(authority.security_object(GROUPS, content_type="1.2.840.113549.1.9.16.1.4"))
    with pytest.raises(ValueError, match="sod_malformed"):
        parse_sod(tlv.encode(0x77, authority.sign(b"any data", "1.2.840.113549.1.7.1", "ds")))


def test_the_version_of_pkcs_7_under_a_younger_type(authority: OpensslAuthority) -> None:
    """OpenSSL reads it and says nothing."""
    for content_type, defects in (
        (LDS_SECURITY_OBJECT, ["signed_data_version"]),
        ("1.2.840.113549.1.7.1", ["plain_content_type"]),
    ):
        sound = authority.security_object(GROUPS, content_type=content_type)
        begin = sound.index(bytes.fromhex("020103" if content_type == LDS_SECURITY_OBJECT else "020101"))
        old = sound[: begin + 2] + b"\x01" + sound[begin + 3 :]
        (authority.directory / "old.der").write_bytes(tlv.value(old, 0x77))
        openssl(
            authority.directory, "cms", "-verify", "-inform", "DER", "-in", "old.der", "-binary", "-noverify",
            "-out", "seen",
        )  # fmt: skip
        assert list(parse_sod(old).defects) == defects
        assert parse_sod(old).signature[0] is Verdict.PASSED


def test_of_two_signatures_both_must_hold(authority: OpensslAuthority) -> None:
    authority.issue("second")
    both = authority.security_object(GROUPS, "-keyid", "-signer", "second.pem", "-inkey", "second.key")
    trust = store(authority.certificate("csca"))
    assert judge_signer(parse_sod(both), trust, NOW)[CheckName.SOD_SIGNATURE] == OK
    assert judge_signer(parse_sod(both), trust, NOW)[CheckName.DS_CHAIN] == OK
    signed = cms.ContentInfo.load(tlv.value(both, 0x77))["content"]
    assert len(signed["signer_infos"]) == 2
    for info in signed["signer_infos"]:
        place = both.index(info["signature"].native) + 20
        spoilt = both[:place] + bytes([both[place] ^ 1]) + both[place + 1 :]
        assert parse_sod(spoilt).signature[0] is Verdict.FAILED


def test_a_root_of_the_first_version_of_x_509(tmp_path: Path) -> None:
    """It can state no usage; it names itself, and whoever puts it into the store vouches for it."""
    authority = OpensslAuthority(tmp_path, KINDS["p256"])
    openssl(tmp_path, "req", "-new", "-key", "csca.key", "-out", "csca.csr", "-config", "csca.cnf")
    openssl(
        tmp_path, "x509", "-req", "-in", "csca.csr", "-signkey", "csca.key", "-out", "csca.pem", "-days", "3650"
    )
    root = authority.certificate("csca")
    assert Certificate(root).is_version_1
    authority.configure("DS", "ds")
    text = (tmp_path / "ds.cnf").read_text().replace("authorityKeyIdentifier = keyid", "")
    (tmp_path / "ds.cnf").write_text(text)
    assert Certificate(root).is_authority
    authority.make_key("ds")
    openssl(tmp_path, "req", "-new", "-key", "ds.key", "-out", "ds.csr", "-config", "ds.cnf")
    openssl(
        tmp_path, "x509", "-req", "-in", "ds.csr", "-CA", "csca.pem", "-CAkey", "csca.key", "-set_serial", "1",
        "-extfile", "ds.cnf", "-extensions", "signer", "-out", "ds.pem",
    )  # fmt: skip
    signer = Certificate(authority.certificate("ds"))
    assert not signer.is_authority
    assert store(root).chain(signer)[0] == OK
    assert store(OpensslAuthority(tmp_path / "other", KINDS["p256"]).certificate("csca")).chain(signer)[0] == (
        Verdict.FAILED,
        "chain_signature",
    )


@pytest.mark.parametrize("kind", ["rsa_v15", "rsa_pss"])
def test_every_byte_that_no_signature_covers_counts(tmp_path: Path, kind: str) -> None:
    """Of the signer's part of EF.SOD, and of what stands around the signature of its certificate."""
    authority = OpensslAuthority(tmp_path, KINDS[kind])
    signer = x509.Certificate.load(authority.issue("ds"))
    trust = store(authority.certificate("csca"), lists=(authority.revocation_list(),))
    sound = authority.security_object()
    infos = cms.ContentInfo.load(tlv.value(sound, 0x77))["content"]["signer_infos"].dump()
    begin, around = sound.rindex(infos), sound.index(signer["signature_value"].native)

    def believed(content: bytes) -> bool:
        try:
            answers = judge_signer(parse_sod(content), trust, NOW)
        except ValueError:
            return False
        return all(verdict is Verdict.PASSED for verdict, _ in answers.values())

    assert believed(sound)
    for place in (*range(around - 24, around), *range(begin, begin + len(infos) - 250)):
        spoilt = sound[:place] + bytes([sound[place] ^ 0x81]) + sound[place + 1 :]
        assert not believed(spoilt), f"byte {place}"


def named(content: bytes, change: Callable[[list[x509.RelativeDistinguishedName]], object]) -> bytes:
    """EF.SOD whose signer is named by a changed name; nothing signed changes."""
    signed = cms.ContentInfo.load(tlv.value(content, 0x77))
    sid = signed["content"]["signer_infos"][0]["sid"].chosen
    parts = list(sid["issuer"].chosen)
    change(parts)
    sid["issuer"] = x509.Name(name="", value=x509.RDNSequence(parts))
    return tlv.encode(0x77, signed.dump(force=True))


def test_a_signer_whose_name_is_written_in_another_order(authority: OpensslAuthority) -> None:
    """As passports of Malaysia name theirs: OpenSSL finds no such certificate, and there is one only."""
    sound = authority.security_object()
    assert parse_sod(named(sound, lambda parts: None)).defects == ()
    sod = parse_sod(named(sound, list.reverse))
    assert sod.signature == (Verdict.PASSED, "defect_signer_name_order")
    assert sod.defects == ("signer_name_order",)
    assert sod.signer is not None
    assert sod.signer.der == authority.certificate("ds")
    for change in (lambda parts: parts.pop(), lambda parts: parts.append(parts[0])):
        assert parse_sod(named(sound, change)).signature == (Verdict.FAILED, "signer_certificate_missing")


def test_a_signer_that_only_the_directory_knows(authority: OpensslAuthority) -> None:
    """The certificate left out of the security object, as 9303-10 allows, and found in the trust store."""
    sod = parse_sod(authority.security_object(GROUPS, "-nocerts"))
    root, signer = authority.certificate("csca"), authority.certificate("ds")
    assert sod.signature == (Verdict.FAILED, "signer_certificate_missing")
    assert judge_signer(sod, store(root), NOW)[CheckName.DS_CHAIN] == (
        Verdict.NOT_CHECKED,
        "signer_certificate_missing",
    )
    answers = judge_signer(sod, TrustStore((root,), (), (signer,)), NOW)
    assert answers[CheckName.SOD_SIGNATURE] == OK
    assert answers[CheckName.DS_CHAIN] == OK
    other = authority.issue("ds2")
    stranger = judge_signer(sod, TrustStore((root,), (), (other,)), NOW)
    assert stranger[CheckName.SOD_SIGNATURE][0] is Verdict.FAILED


def test_the_chain_over_a_link_certificate(tmp_path: Path) -> None:
    """The new key of a country, which a reader that knows the old one believes for the link between them."""
    authority = OpensslAuthority(tmp_path, KINDS["brainpool_explicit"])
    root = authority.certificate("csca")
    link = authority.issue("new", "root")
    authority.issue("ds", "signer", "new")
    signer = Certificate(authority.certificate("ds"))
    anchor = Certificate(root)

    answer, path = store(root, link).chain(signer)
    assert answer == OK
    assert [one.der for one in path] == [link, root]
    assert store(root).chain(signer)[0] == (Verdict.FAILED, "issuer_unknown")
    assert store().chain(signer)[0] == (Verdict.FAILED, "no_trust_anchor")

    # A link whose signature does not hold under the root that it names makes nobody believed.
    other = OpensslAuthority(tmp_path / "forger", KINDS["brainpool_explicit"])
    for name in ("new.key", "new.pem", "new.cnf"):
        (other.directory / name).write_bytes((tmp_path / name).read_bytes())
    forged = bytearray(link)
    forged[-1] ^= 1
    assert store(root, bytes(forged)).chain(signer)[0] == (Verdict.FAILED, "link_signature")
    assert anchor.is_self_signed
    assert not Certificate(link).is_self_signed


def test_the_list_of_the_newer_key_covers_what_the_older_one_signed(tmp_path: Path) -> None:
    authority = OpensslAuthority(tmp_path, KINDS["p256"])
    authority.issue("ds")
    old = authority.certificate("csca")
    signer = Certificate(authority.certificate("ds"))
    # The same country and the same name under a new key.
    new = OpensslAuthority(tmp_path / "new", KINDS["p256"])
    (new.directory / "ds.pem").write_bytes((tmp_path / "ds.pem").read_bytes())
    fresh = new.revocation_list()
    both = store(old, new.certificate("csca"), lists=(fresh,))
    path = both.chain(signer)[1]
    assert both.revocation(signer, path, NOW) == OK
    revoking = store(old, new.certificate("csca"), lists=(fresh, new.revocation_list("ds")))
    assert revoking.revocation(signer, path, NOW) == (Verdict.FAILED, "signer_revoked")
    alone = store(old, lists=(fresh,))
    assert alone.revocation(signer, path, NOW) == (Verdict.ERROR, "crl_signature")


def test_lists_in_every_state(authority: OpensslAuthority) -> None:
    root, signer = authority.certificate("csca"), Certificate(authority.certificate("ds"))
    empty = authority.revocation_list()
    path = store(root).chain(signer)[1]

    def asked(*lists: bytes, at: datetime = NOW) -> tuple[Verdict, str]:
        return store(root, lists=lists).revocation(signer, path, at)

    assert asked() == (Verdict.NOT_CHECKED, "no_crl")
    assert asked(empty) == OK
    assert asked(empty, at=NOW + timedelta(days=40)) == (Verdict.NOT_CHECKED, "crl_stale")
    assert asked(empty, at=NOW - timedelta(days=40)) == (Verdict.NOT_CHECKED, "crl_not_yet_valid")
    assert asked(empty[:-1] + bytes([empty[-1] ^ 1])) == (Verdict.ERROR, "crl_signature")
    revoked = authority.revocation_list("ds")
    assert asked(revoked) == (Verdict.FAILED, "signer_revoked")
    assert asked(revoked, empty) == (Verdict.FAILED, "signer_revoked")
    assert asked(revoked, at=NOW + timedelta(days=40)) == (Verdict.FAILED, "signer_revoked")


def test_a_list_is_only_about_the_part_that_it_names(tmp_path: Path) -> None:
    authority = OpensslAuthority(tmp_path, KINDS["p256"])
    root = authority.certificate("csca")
    config = tmp_path / "csca.cnf"
    whole = config.read_text()
    authority.issue("ds")
    nowhere = Certificate(authority.certificate("ds"))
    text = (tmp_path / "ds.cnf").read_text()
    (tmp_path / "ds.cnf").write_text(text.replace("[signer]", "[signer]\ncrlDistributionPoints = URI:http://a/1"))
    openssl(
        tmp_path, "x509", "-req", "-in", "ds.csr", "-CA", "csca.pem", "-CAkey", "csca.key", "-set_serial", "4711",
        "-extfile", "ds.cnf", "-extensions", "signer", "-out", "ds.pem",
    )  # fmt: skip
    signer = Certificate(authority.certificate("ds"))
    path = store(root).chain(signer)[1]

    parts: set[bytes] = set()

    def asked(part: str, certificate: Certificate = signer, *revoked: str) -> tuple[Verdict, str]:
        config.write_text(whole + PART.format(part))
        found = authority.revocation_list(*revoked)
        parts.add(RevocationList(found).part)
        return store(root, lists=(found,)).revocation(certificate, path, NOW)

    partial = (Verdict.ERROR, "crl_partial")
    assert asked("fullname = URI:http://a/1") == OK
    assert asked("fullname = URI:http://a/1\nonlyuser = TRUE") == OK
    assert asked("onlyuser = TRUE", nowhere) == OK
    assert asked("fullname = URI:http://a/2") == partial
    assert asked("fullname = URI:http://a/1", nowhere) == partial
    assert asked("onlyCA = TRUE") == partial
    assert asked("fullname = URI:http://a/1\nonlysomereasons = keyCompromise") == partial
    assert asked("fullname = URI:http://a/1\nindirectCRL = TRUE") == partial
    assert asked("fullname = URI:http://a/2", signer, "ds") == (Verdict.FAILED, "signer_revoked")
    assert len(parts) == 7 and b"" not in parts  # a store keeps the newest of each


def test_validity_is_judged_when_it_was_signed(authority: OpensslAuthority) -> None:
    trust = store(authority.certificate("csca"))
    dated, undated = (parse_sod(authority.security_object(GROUPS, *options)) for options in ((), ("-noattr",)))
    assert dated.signed_at is not None
    assert undated.signed_at is None
    later, much_later = NOW + timedelta(days=3100), NOW + timedelta(days=4000)

    def at(moment: datetime) -> list[str]:
        return [judge_signer(sod, trust, moment)[CheckName.DS_VALIDITY][1] for sod in (dated, undated)]

    assert at(NOW) == ["ok", "ok"]
    assert at(later) == ["signer_expired_since", "signer_expired"]
    assert at(much_later) == ["signer_expired_since", "signer_expired"]
    assert at(NOW - timedelta(days=2)) == ["signer_not_yet_valid", "signer_not_yet_valid"]


def test_a_certificate_for_another_purpose_signs_no_document(authority: OpensslAuthority) -> None:
    trust = store(authority.certificate("csca"))
    lists = Certificate(authority.issue("mls", "lists"))
    assert trust.chain(lists)[0] == (Verdict.FAILED, "signer_purpose")
    assert trust.chain(Certificate(authority.issue("sub", "root")))[0] == (Verdict.FAILED, "signer_usage")


def test_an_authority_of_another_country_signs_for_its_own(tmp_path: Path) -> None:
    authority = OpensslAuthority(tmp_path, KINDS["p256"], country="XY")
    authority.country = "UT"
    signer = Certificate(authority.issue("ds"))
    assert signer.country == "UT"
    answer, path = store(authority.certificate("csca")).chain(signer)
    assert answer == (Verdict.FAILED, "anchor_of_other_country")
    assert path == ()


def test_trailing_and_long_lengths_are_named(authority: OpensslAuthority) -> None:
    content = tlv.value(authority.security_object(), 0x77)
    tag, begin, length = tlv.header(content)
    assert (tag, begin) == (0x30, 4)
    longer = b"\x30\x83" + length.to_bytes(3, "big") + content[begin:]
    assert parse_sod(tlv.encode(0x77, longer)).signature == (Verdict.PASSED, "defect_long_length")
    assert parse_sod(tlv.encode(0x77, content + b"\x00")).signature == (Verdict.PASSED, "defect_trailing_bytes")
