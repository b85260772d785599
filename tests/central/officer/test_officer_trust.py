"""The trust store in the browser: files in, words out, two administrators, every language."""

from __future__ import annotations

import io
import re

import pytest
from central_scene import add_user
from officer_scene import Console
from werkzeug.test import TestResponse

from central.access.permissions import Role
from central.messages import LANGUAGES
from central.service import Central
from contracts.disposition import Agency
from hardware.specimens.issuer import SpecimenAuthority

UTOPIA, FOREIGN = SpecimenAuthority("UTO"), SpecimenAuthority("XYZ")


@pytest.fixture
def nina(console: Console) -> Console:
    return console.signs_in("nina")


@pytest.fixture
def oleg(console: Console, central: Central) -> Console:
    add_user(central, "oleg", (Role.ADMINISTRATOR, Agency.CUSTOMS))
    other = Console(console.app)
    assert other.submits("/sign-in", user_id="oleg", password="a long enough password").status_code == 303
    return other


def uploads(console: Console, *files: tuple[str, bytes], field: str = "files", **fields: str) -> TestResponse:
    token = re.search(r'name="csrf_token" value="([^"]+)"', console.client.get("/officer/me").text)
    assert token is not None
    data = {"csrf_token": token[1], **fields, field: [(io.BytesIO(content), name) for name, content in files]}
    return console.client.post("/admin/trust", data=data, content_type="multipart/form-data")


def test_one_proposes_another_approves(nina: Console, oleg: Console) -> None:
    assert "No trust store is kept here yet" in nina.sees("/admin/trust")
    sent = uploads(nina, ("uto.cer", UTOPIA.csca_certificate), ("uto.crl", UTOPIA.revocation_list), note="first")
    assert sent.status_code == 303
    page = nina.sees("/admin/trust")
    assert "Version 1 waits for another administrator." in page
    assert "Another administrator approves it." in page
    assert "/admin/trust/1/approve" not in page
    nina.submits("/admin/trust/1/approve")
    assert "Whoever proposed a version does not approve it." in nina.sees("/admin/trust")
    page = oleg.sees("/admin/trust")
    assert "/admin/trust/1/approve" in page
    assert "uto.crl" in page
    oleg.submits("/admin/trust/1/approve")
    page = oleg.sees("/admin/trust")
    assert "Version 1 is in force" in page
    assert "fresh until 1 Jan 2049" in page
    assert oleg.submits("/admin/trust/1/approve").status_code == 404


def test_refusals_name_the_file_and_keep_nothing(nina: Console) -> None:
    uploads(nina, ("notes.txt", b"hello"))
    assert "notes.txt: neither certificate nor list" in nina.sees("/admin/trust")
    uploads(nina)
    assert "Choose a file" in nina.sees("/admin/trust")
    uploads(nina, ("ds.cer", UTOPIA.signer_certificate), field="root")
    assert "ds.cer: not a root" in nina.sees("/admin/trust")


def test_a_file_larger_than_a_page_is_taken_and_one_without_end_is_not(nina: Console) -> None:
    many = b"".join(UTOPIA.csca_certificate for _ in range(1))
    padded = b"# a comment\n" * 40_000 + b"dn: x\nuserCertificate;binary:: "
    import base64

    assert uploads(nina, ("pkd.ldif", padded + base64.b64encode(many) + b"\n")).status_code == 303
    assert "Version 1 waits" in nina.sees("/admin/trust")
    token = re.search(r'name="csrf_token" value="([^"]+)"', nina.client.get("/officer/me").text)
    assert token is not None
    refused = nina.client.post("/admin/people", data={"csrf_token": token[1], "name": "x" * 300_000})
    assert refused.status_code == 413


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language(nina: Console, oleg: Console, language: str) -> None:
    uploads(nina, ("uto.cer", UTOPIA.csca_certificate))
    oleg.submits("/admin/trust/1/approve")
    uploads(nina, ("xyz.cer", FOREIGN.csca_certificate))
    oleg.submits("/officer/me", language=language)
    page = oleg.sees("/admin/trust")
    assert f'lang="{language}"' in page
    assert "trust." not in re.sub(r'(href|action|src)="[^"]*"', "", page)


def test_an_auditor_reads_and_changes_nothing(console: Console, nina: Console) -> None:
    ivan = Console(nina.app).signs_in("ivan")
    assert "/admin/trust" in ivan.sees("/admin/trust")
    assert '<form method="post" action="/admin/trust"' not in ivan.sees("/admin/trust")
    assert uploads(ivan, ("uto.cer", UTOPIA.csca_certificate)).status_code == 403
