"""Versions of a declaration: what was certified is never overwritten; a correction is the next of a row.

Each version names the SHA-256 of the bytes of the one before, as they were kept. Those bytes are never made anew:
a later release may write the same statement in other bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from contracts.canonical import canonical_json
from contracts.declaration import Declaration


class BrokenRow(ValueError):
    """Versions that do not follow from one another; the text says which and why."""


def kept(declaration: Declaration) -> bytes:
    """The bytes to keep of a version."""
    return canonical_json(declaration)


def amendment(before: bytes, **changes: Any) -> Declaration:
    """The next version after the one that was kept as `before`: not certified, whoever changed it.

    Raises ValueError for changes that make no declaration or change nothing, and for the 100th version.
    """
    earlier = Declaration.model_validate_json(before)
    whole = earlier.model_dump() | changes | {"certified_at": None}
    next_one = Declaration.model_validate(
        whole | {"version": earlier.version + 1, "amends": hashlib.sha256(before).hexdigest()}
    )
    unchanged = {"version": earlier.version, "amends": earlier.amends, "certified_at": earlier.certified_at}
    if next_one.model_copy(update=unchanged) == earlier:
        raise ValueError("nothing was changed")
    return next_one


def row(versions: Sequence[bytes]) -> tuple[Declaration, ...]:
    """The versions, oldest first, proven to be a whole row. Raises BrokenRow."""
    read: list[Declaration] = []
    for position, one in enumerate(versions, start=1):
        try:
            declaration = Declaration.model_validate_json(one)
        except ValidationError:
            raise BrokenRow(f"version {position} is no declaration") from None
        before = hashlib.sha256(versions[position - 2]).hexdigest() if position > 1 else None
        if declaration.version != position:
            raise BrokenRow(f"version {position} is missing")
        if declaration.amends != before:
            raise BrokenRow(f"version {position} amends another one than version {position - 1}")
        read.append(declaration)
    return tuple(read)
