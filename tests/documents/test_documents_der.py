"""DER, strictly: what is put right is named, what is right stays byte for byte, and nothing else is read."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from documents import der


def hexed(text: str) -> bytes:
    return bytes.fromhex(text)


@pytest.mark.parametrize(
    ("given_", "meant", "defects"),
    [
        ("3003020101", "3003020101", ()),
        ("30800201010000", "3003020101", ("indefinite_length",)),
        ("2480040101040202030000", "0403010203", ("indefinite_length", "split_string")),
        ("2407040101040202 03", "0403010203", ("split_string",)),
        ("308103020101", "308103020101", ("long_length",)),
        ("3003010101", "3003010101", ("loose_boolean",)),
        ("300402020001", "300402020001", ("loose_integer",)),
        ("3003020101 00", "3003020101", ("trailing_bytes",)),
        ("a080240804010104010204 0003 0000", None, None),
        ("bf8a3d03020101", "bf8a3d03020101", ()),  # a tag of three bytes
    ],
)
def test_known_defects(given_: str, meant: str | None, defects: tuple[str, ...] | None) -> None:
    if meant is None:
        with pytest.raises(der.DerError):
            der.read(hexed(given_))
        return
    assert der.read(hexed(given_)) == (hexed(meant), defects)


@pytest.mark.parametrize(
    "given_",
    ["", "30", "3003", "30030201", "0480", "30800201", "0200", "30ffffffffffffffffff01", "1f", "248003010000"],
)
def test_what_is_no_encoding_is_refused(given_: str) -> None:
    with pytest.raises(der.DerError):
        der.read(hexed(given_))


def test_depth_is_bounded() -> None:
    with pytest.raises(der.DerError, match="deep"):
        der.read(b"\x30\x80" * 5000)


@given(st.binary(max_size=300))
@settings(max_examples=400)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        encoded, defects = der.read(data)
    except der.DerError:
        return
    assert set(defects) <= der.DEFECTS
    again, left = der.read(encoded)
    assert again == encoded
    assert not {"indefinite_length", "split_string", "trailing_bytes"} & set(left)
    if not defects:
        assert encoded == data


_leaves = st.tuples(st.sampled_from([0x04, 0x0C, 0x13, 0x80]), st.binary(max_size=200))


@given(st.recursive(_leaves, lambda children: st.lists(children, max_size=4), max_leaves=12))
@settings(max_examples=200)
def test_der_stays_and_its_indefinite_form_comes_back_to_it(tree: object) -> None:
    def definite(node: object) -> bytes:
        if isinstance(node, tuple):
            tag, value = node
            return bytes([tag]) + length(len(value)) + value
        assert isinstance(node, list)
        body = b"".join(map(definite, node))
        return b"\x30" + length(len(body)) + body

    def indefinite(node: object) -> bytes:
        if isinstance(node, tuple):
            return definite(node)
        assert isinstance(node, list)
        return b"\x30\x80" + b"".join(map(indefinite, node)) + b"\x00\x00"

    def length(size: int) -> bytes:
        return (
            bytes([size]) if size < 128 else b"\x81" + bytes([size]) if size < 256 else b"\x82" + size.to_bytes(2)
        )

    assert der.read(definite(tree)) == (definite(tree), ())
    if isinstance(tree, list):
        assert der.read(indefinite(tree)) == (definite(tree), ("indefinite_length",))
