"""A labelled set of faces as an administrator brings it: a list, perhaps pairs, perhaps the pictures in a ZIP.

The list and the pairs are those of `corridor evaluate faces` (path, identity, group; left, right, same). Of a list
only numbers are kept: who is who, and which group. Names of files and people end here, but for the paths of a list
without pictures, which the station needs to find them in its own folder.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from contracts.face_measurement import (
    LARGEST_PICTURE,
    MOST_GROUPS,
    MOST_PAIRS,
    MOST_PICTURES,
    FacePair,
    FacePicture,
)

LARGEST_SET = 512 * 1024 * 1024  # bytes of pictures, unpacked
LARGEST_LIST = 32 * 1024 * 1024
LIST = "images.csv"
PAIRS = "pairs.csv"
_SAID = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": None}


class InvalidSet(ValueError):
    """A set that cannot be measured; `reason` is a stable code, `place` the file and line it is about."""

    def __init__(self, reason: str, place: str = "") -> None:
        super().__init__(reason)
        self.reason, self.place = reason, place


@dataclass(frozen=True, repr=False)
class FaceSet:
    """A set that can be measured. `archive` has the pictures, in order under `members`; or a station has them."""

    pictures: tuple[FacePicture, ...]
    pairs: tuple[FacePair, ...] | None
    groups: tuple[str, ...]
    people: int
    archive: bytes | None = None
    members: tuple[str, ...] = ()

    def contents(self) -> Iterator[bytes]:
        """The pictures in order, one at a time. Raises InvalidSet for one that cannot be unpacked."""
        if self.archive is None:
            return
        with zipfile.ZipFile(io.BytesIO(self.archive)) as archive:
            for name in self.members:
                try:
                    with archive.open(name) as file:
                        content = file.read(LARGEST_PICTURE + 1)
                except Exception as problem:  # zlib, encryption, a method nobody knows
                    raise InvalidSet("archive_unreadable", name[-80:]) from problem
                if len(content) > LARGEST_PICTURE:
                    raise InvalidSet("picture_too_large", name[-80:])
                yield content


def read_set(*, listed: bytes, pairs: bytes, archive: bytes) -> FaceSet:
    """The set of the files that were sent; each may be empty. Raises InvalidSet.

    A ZIP may hold `images.csv` and `pairs.csv` itself, and its paths count from where the list stands in it.
    """
    members: dict[str, str] = {}
    if archive:
        members, packed = _opened(archive)
        listed, pairs = listed or packed.get(LIST, b""), pairs or packed.get(PAIRS, b"")
    if not listed:
        raise InvalidSet("no_list")
    rows = list(_table(listed, LIST, ("path",)))
    names: dict[str, int] = {}
    for line, row in rows:
        name = row["path"]
        if not name or len(name) > 500:
            raise InvalidSet("no_path", f"{LIST}, {line}")
        if name in names:
            raise InvalidSet("twice", f"{LIST}, {line}")
        if archive and name not in members:
            raise InvalidSet("not_in_archive", f"{LIST}, {line}")
        names[name] = len(names)
    if not names:
        raise InvalidSet("no_pictures", LIST)
    if len(names) > MOST_PICTURES:
        raise InvalidSet("too_many_pictures", LIST)
    people = _numbered(row.get("identity", "") for _, row in rows)
    groups = _numbered(row.get("group", "") for _, row in rows)
    if len(groups) > MOST_GROUPS:
        raise InvalidSet("too_many_groups", LIST)
    return FaceSet(
        pictures=tuple(
            FacePicture(
                identity=people.get(row.get("identity", "")),
                group=groups.get(row.get("group", "")),
                path=None if archive else row["path"],
            )
            for _, row in rows
        ),
        pairs=_pairs(pairs, names) if pairs else None,
        groups=tuple(name[:120] for name in groups),
        people=len(people),
        archive=archive or None,
        members=tuple(members[name] for name in names) if archive else (),
    )


def _opened(archive: bytes) -> tuple[dict[str, str], dict[str, bytes]]:
    """Of a ZIP: the name of each file as a list would call it, with its name in the ZIP; and the lists in it."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            entries = [entry for entry in opened.infolist() if not entry.is_dir()]
            if len(entries) > MOST_PICTURES + 100 or sum(entry.file_size for entry in entries) > LARGEST_SET:
                raise InvalidSet("archive_too_large")
            lists = sorted((one.filename for one in entries if one.filename.split("/")[-1] == LIST), key=len)
            base = lists[0].removesuffix(LIST) if lists else ""
            packed = {}
            for name in (LIST, PAIRS):
                if base + name in opened.namelist():
                    with opened.open(base + name) as file:
                        packed[name] = file.read(LARGEST_LIST)
            return {one.filename.removeprefix(base): one.filename for one in entries}, packed
    except InvalidSet:
        raise
    except Exception as problem:  # a hostile archive says anything
        raise InvalidSet("archive_unreadable") from problem


def _pairs(content: bytes, names: Mapping[str, int]) -> tuple[FacePair, ...]:
    found: list[FacePair] = []
    for line, row in _table(content, PAIRS, ("left", "right")):
        if row["left"] not in names or row["right"] not in names:
            raise InvalidSet("pair_unknown", f"{PAIRS}, {line}")
        said = row.get("same", "").lower()
        if said not in _SAID:
            raise InvalidSet("pair_same", f"{PAIRS}, {line}")
        if len(found) == MOST_PAIRS:
            raise InvalidSet("too_many_pairs", PAIRS)
        found.append(FacePair(left=names[row["left"]], right=names[row["right"]], same=_SAID[said]))
    if not found:
        raise InvalidSet("no_pairs", PAIRS)
    return tuple(found)


def _numbered(names: Iterator[str]) -> dict[str, int]:
    return {name: place for place, name in enumerate(sorted(set(names) - {""}))}


def _table(content: bytes, name: str, required: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a CSV file with their line numbers. Raises InvalidSet."""
    if len(content) > LARGEST_LIST:
        raise InvalidSet("list_too_large", name)
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), restval="")
        columns = [column.strip().lower() for column in reader.fieldnames or ()]
        for column in required:
            if column not in columns:
                raise InvalidSet("no_column", f"{name}: {column}")
        reader.fieldnames = columns
        for row in reader:
            values = {key: value.strip() for key, value in row.items() if key and isinstance(value, str)}
            if any(values.values()):
                yield reader.line_num, values
    except (UnicodeDecodeError, csv.Error) as problem:
        raise InvalidSet("list_unreadable", name) from problem
