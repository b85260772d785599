"""XML from outside: read exactly, or refused with the place, whatever it tries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from declarations.bounded_xml import DEEPEST, Element, XmlRefused, parse


def test_names_attributes_text_and_order_are_kept() -> None:
    root = parse('<a xmlns="urn:x" b="1">\n<c>ж &amp; ü</c><c xmlns=""/><d><![CDATA[<e>]]></d></a>'.encode())
    assert root.name == "{urn:x}a" and root.local == "a" and root.attributes == {"b": "1"}
    assert [(child.name, child.text, child.line) for child in root.children] == [
        ("{urn:x}c", "ж & ü", 2),
        ("c", "", 2),
        ("{urn:x}d", "<e>", 2),
    ]


LAUGHS = "<!DOCTYPE a [<!ENTITY b 'ha'><!ENTITY c '&b;&b;&b;&b;'>]><a>&c;</a>"


@pytest.mark.parametrize(
    ("document", "reason", "place"),
    [
        (LAUGHS, "document type", "line 1, "),
        ("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", "document type", "line 1, "),
        ("<a>\n<b>&undefined;</b></a>", "undefined entity", "line 2, column 4"),
        ("<a>\n</b>", "mismatched tag", "line 2, "),
        ("<a/><a/>", "junk", "line 1, "),
        ("", "no element found", "line 1, "),
        ("<?xml version='1.0' encoding='UTF-16'?><a/>", "UTF-8", "line 1, "),
        ("<?run me?><a/>", "processing instruction", "line 1, "),
        ("<a>" * (DEEPEST + 1), "deeper", "line 1, "),
        ("<a>" + "<b/>" * 60_001 + "</a>", "elements", "line 1, "),
        ("<a>" + " " * 2_000_000 + "</a>", "larger", "line 1, "),
        ("<a>\x00</a>", "", "line 1, "),
        ("<a b='1' b='2'/>", "duplicate", "line 1, "),
        ("<x:a/>", "", "line 1, "),
    ],
)
def test_what_is_not_allowed_is_refused_with_its_place(document: str, reason: str, place: str) -> None:
    with pytest.raises(XmlRefused) as refused:
        parse(document.encode())
    assert reason in refused.value.reason and refused.value.place.startswith(place)


@given(st.binary(max_size=200) | st.text(alphabet="<>a/&;!?[]'\" =xmlns:", max_size=60).map(str.encode))
def test_any_bytes_are_an_element_or_a_refusal(data: bytes) -> None:
    try:
        assert isinstance(parse(data), Element)
    except XmlRefused as refused:
        assert refused.place.startswith("line ")
