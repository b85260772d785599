"""Measurements of face comparison at central: what a set may be, who gets its pictures, and that none stays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from central_scene import KIOSK, SITE, Clock, Sender, add_user, enrolled
from faces_scene import LIST, PICTURES, faces, figures, ordered, outcome, packed
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from central import face_measurements, kiosks, retention
from central.access.permissions import Role, User
from central.face_measurements import UnknownMeasurement, measurement, measurements
from central.face_sets import FaceSet, InvalidSet, read_set
from central.referrals import NotAllowed
from central.service import Central
from central.storage.models import AuditEvent, FaceMeasurement, FaceMeasurementPicture
from contracts.disposition import Agency
from contracts.face_measurement import FaceOrder, FaceProgress, FaceWork
from contracts.fairness import Difference

PLACE = "/api/v1/face-measurements"


@pytest.fixture
def nina(central: Central) -> User:
    return add_user(central, "nina", (Role.ADMINISTRATOR, Agency.CUSTOMS))


def takes(station: Sender, *, has_folder: bool = False) -> FaceOrder | None:
    asked = {"site_id": SITE, "kiosk_id": station.station_id, "has_folder": has_folder}
    answer = station.send("POST", PLACE, json.dumps(asked).encode())
    assert answer.status_code == 200, answer.text
    return FaceWork.model_validate_json(answer.data).order


def goes_on(station: Sender, number: int, attempt: int = 1, done: int = 1) -> bool:
    said = FaceProgress(attempt=attempt, stage="pictures", done=done, total=4)
    answer = station.send("POST", f"{PLACE}/{number}/progress", said.model_dump_json().encode())
    assert answer.status_code == 200 and answer.json is not None, answer.text
    return bool(answer.json["go_on"])


def kept(central: Central) -> int:
    with central.storage.read() as session:
        return session.scalar(select(func.count()).select_from(FaceMeasurementPicture)) or 0


def on_disk(central: Central) -> bytes:
    """Everything that the service has written."""
    return b"".join(path.read_bytes() for path in Path(central.config.data_dir).glob("central.sqlite*"))


# --- what a set may be --------------------------------------------------------------------------------------


def test_a_set_becomes_numbers() -> None:
    found = faces("left,right,same\na-1.jpg,b-2.jpg,\na-1.jpg,a-2.jpg,1\n")
    assert [(one.identity, one.group, one.path) for one in found.pictures] == [
        (0, 0, None), (0, 0, None), (1, 1, None), (1, 1, None),
    ]  # fmt: skip
    assert (found.groups, found.people) == (("north", "south"), 2)
    assert found.pairs is not None
    assert [(pair.left, pair.right, pair.same) for pair in found.pairs] == [(0, 3, None), (0, 1, True)]
    assert list(found.contents()) == list(PICTURES.values())


def test_a_zip_may_hold_its_lists_in_a_folder() -> None:
    inside = {f"set/{name}": content for name, content in PICTURES.items()}
    archive = packed({"set/images.csv": LIST.encode(), "set/pairs.csv": b"left,right\na-1.jpg,b-1.jpg\n"} | inside)
    found = read_set(listed=b"", pairs=b"", archive=archive)
    assert list(found.contents()) == list(PICTURES.values())
    assert found.pairs is not None and len(found.pairs) == 1


def test_a_list_alone_keeps_the_paths_for_the_station() -> None:
    found = read_set(listed="\ufeffPath, Identity\nx/1.jpg,\ny.jpg,ann\n".encode(), pairs=b"", archive=b"")
    assert [(one.path, one.identity) for one in found.pictures] == [("x/1.jpg", None), ("y.jpg", 0)]
    assert found.archive is None


@pytest.mark.parametrize(
    ("listed", "pairs", "archive", "reason"),
    [
        (b"", b"", b"", "no_list"),
        (b"", b"", packed({"a.jpg": b"x"}), "no_list"),
        (b"file\na\n", b"", b"", "no_column"),
        (b"path\n", b"", b"", "no_pictures"),
        (b"path,identity\n,a\n", b"", b"", "no_path"),
        (b"path\na\na\n", b"", b"", "twice"),
        (b"path\n\xff\n", b"", b"", "list_unreadable"),
        (b"path\na\n", b"", packed({"b": b""}), "not_in_archive"),
        (b"path\na\n", b"", b"PK nonsense", "archive_unreadable"),
        (b"path\na\nb\n", b"left\na\n", b"", "no_column"),
        (b"path\na\nb\n", b"left,right\n", b"", "no_pairs"),
        (b"path\na\nb\n", b"left,right\na,c\n", b"", "pair_unknown"),
        (b"path\na\nb\n", b"left,right,same\na,b,perhaps\n", b"", "pair_same"),
        (b"path,group\n" + b"".join(b"%d,g%d\n" % (n, n) for n in range(61)), b"", b"", "too_many_groups"),
        (b"path\n" + b"".join(b"%d\n" % n for n in range(20_001)), b"", b"", "too_many_pictures"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # an archive's bytes have the time of day in them
)
def test_what_cannot_be_measured_says_why(listed: bytes, pairs: bytes, archive: bytes, reason: str) -> None:
    with pytest.raises(InvalidSet) as refused:
        read_set(listed=listed, pairs=pairs, archive=archive)
    assert refused.value.reason == reason


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=300), st.binary(max_size=60), st.binary(max_size=300))
def test_any_bytes_are_a_set_or_refused(listed: bytes, pairs: bytes, archive: bytes) -> None:
    for packed_as in (b"", archive, packed({"images.csv": listed, "a": archive})):
        try:
            found = read_set(listed=listed, pairs=pairs, archive=packed_as)
            assert isinstance(found, FaceSet)
            list(found.contents())
        except InvalidSet:
            pass


def test_a_damaged_picture_in_a_zip_leaves_nothing(central: Central, kiosk: Sender, nina: User) -> None:
    archive = bytearray(packed({"images.csv": b"path\na\nb\n", "a": b"A" * 50, "b": b"B" * 50}))
    archive[archive.index(b"B" * 50)] ^= 1  # its CRC no longer holds
    broken = read_set(listed=b"", pairs=b"", archive=bytes(archive))
    with pytest.raises(InvalidSet):
        face_measurements.order(central, nina, broken, station_id=KIOSK)
    assert kept(central) == 0
    (one,) = measurements(central, nina)
    assert (one.state, one.problem) == ("failed", "archive")


# --- the way of a measurement -------------------------------------------------------------------------------


def test_a_measurement_from_its_order_to_its_figures(central: Central, kiosk: Sender, nina: User) -> None:
    number = ordered(central, nina, KIOSK, note=" autumn ")
    one = measurement(central, nina, number)
    assert (one.state, one.note, one.pictures, one.people, one.groups) == (
        "waiting",
        "autumn",
        4,
        2,
        ("north", "south"),
    )
    order = takes(kiosk)
    assert order is not None and (order.number, order.attempt, order.engine) == (number, 1, "fused")
    for place, content in enumerate(PICTURES.values()):
        answer = kiosk.send("GET", f"{PLACE}/{number}/pictures/{place}")
        assert (answer.status_code, answer.data) == (200, content)
    assert goes_on(kiosk, number, done=3)
    one = measurement(central, nina, number)
    assert (one.state, one.stage, one.done, one.total) == ("running", "pictures", 3, 4)
    answer = kiosk.send("POST", f"{PLACE}/{number}/outcome", outcome().model_dump_json().encode())
    assert answer.json == {"go_on": True}
    one = measurement(central, nina, number)
    assert one.state == "done" and one.figures == figures()
    assert one.figures is not None and one.figures.by_group[0].differences["fmr"] is Difference.SHOWN
    assert takes(kiosk) is None
    assert kiosk.send("GET", f"{PLACE}/{number}/pictures/0").status_code == 404
    with central.storage.read() as session:
        assert all(report.intact for report in central.audit.verify(session))
        tags = [event.tag for event in session.scalars(select(AuditEvent)) if event.tag.startswith("faces:")]
    assert sorted(tags) == [
        "faces:measurement:ended",
        "faces:measurement:ordered",
        "faces:measurement:taken",
        "faces:pictures:erased",
    ]


def test_pictures_are_ciphertext_while_they_wait_and_gone_afterwards(
    central: Central, kiosk: Sender, nina: User, caplog: pytest.LogCaptureFixture
) -> None:
    number = ordered(central, nina, KIOSK)
    personal = (*PICTURES.values(), b"Secret Name", b"a-1.jpg")
    assert kept(central) == 4
    assert [one for one in personal if one in on_disk(central)] == []
    takes(kiosk)
    kiosk.send("POST", f"{PLACE}/{number}/outcome", outcome().model_dump_json().encode())
    assert kept(central) == 0
    with central.storage.read() as session:
        row = session.get_one(FaceMeasurement, (SITE, number))
        assert row.wrapped_key is None and row.sealed_order is None
    assert [one for one in personal if one in on_disk(central) or one.decode() in caplog.text] == []


@pytest.mark.parametrize("end", ["stopped", "failed", "expired"])
def test_every_end_erases_the_pictures(
    central: Central, kiosk: Sender, nina: User, clock: Clock, end: str
) -> None:
    number = ordered(central, nina, KIOSK)
    takes(kiosk)
    if end == "stopped":
        face_measurements.stop(central, nina, number)
        face_measurements.stop(central, nina, number)  # a second time changes nothing
    elif end == "failed":
        kiosk.send("POST", f"{PLACE}/{number}/outcome", b'{"attempt": 1, "problem": "weights"}')
    else:
        clock.advance(days=2, seconds=1)
        retention.run(central)
    one = measurement(central, nina, number)
    assert (one.state, one.figures, kept(central)) == (end, None, 0)
    assert one.problem == ("weights" if end == "failed" else None)
    assert not goes_on(kiosk, number)
    assert takes(kiosk) is None
    late = kiosk.send("POST", f"{PLACE}/{number}/outcome", outcome().model_dump_json().encode())
    assert late.json == {"go_on": False}
    assert measurement(central, nina, number).state == end


def test_an_order_that_is_taken_again_begins_anew(central: Central, kiosk: Sender, nina: User) -> None:
    number = ordered(central, nina, KIOSK)
    takes(kiosk)
    again = takes(kiosk)
    assert again is not None and again.attempt == 2
    assert not goes_on(kiosk, number, attempt=1)
    assert goes_on(kiosk, number, attempt=2)
    late = kiosk.send("POST", f"{PLACE}/{number}/outcome", outcome(attempt=1).model_dump_json().encode())
    assert late.json == {"go_on": False}


def test_no_other_station_gets_near_it(
    app: Flask, central: Central, clock: Clock, kiosk: Sender, exit_gate: Sender, nina: User
) -> None:
    other = enrolled(app, central, clock, "B4", "kiosk")
    number = ordered(central, nina, KIOSK)
    assert takes(other) is None
    takes(kiosk)
    said = FaceProgress(attempt=1, stage="pictures", done=1, total=4).model_dump_json().encode()
    for station, status in ((other, 404), (exit_gate, 403)):
        for method, place, body in (
            ("GET", "pictures/0", b""),
            ("POST", "progress", said),
            ("POST", "outcome", outcome().model_dump_json().encode()),
        ):
            assert station.send(method, f"{PLACE}/{number}/{place}", body).status_code == status, place
    assert app.test_client().get(f"{PLACE}/{number}/pictures/0").status_code == 401
    in_another_name = {"site_id": SITE, "kiosk_id": KIOSK, "has_folder": False}
    assert other.send("POST", PLACE, json.dumps(in_another_name).encode()).status_code == 403
    supervisor = add_user(central, "sergei", (Role.SUPERVISOR, Agency.CUSTOMS))
    kiosks.set_suspended(central, supervisor, KIOSK, suspended=True, reason="stolen")
    assert kiosk.send("GET", f"{PLACE}/{number}/pictures/0").status_code == 403
    assert measurement(central, nina, number).state == "running"


def test_pictures_are_not_handed_out_before_the_order_is_taken(
    central: Central, kiosk: Sender, nina: User
) -> None:
    number = ordered(central, nina, KIOSK)
    for place in (
        f"{number}/pictures/0",
        "9/pictures/0",
        f"{number}/pictures/9",
        "x/pictures/0",
        f"{10**9}/pictures/0",
    ):
        assert kiosk.send("GET", f"{PLACE}/{place}").status_code == 404, place


def test_a_list_without_pictures_waits_for_a_station_with_a_folder(
    central: Central, kiosk: Sender, nina: User
) -> None:
    listed = read_set(listed=b"path\na.jpg\nb.jpg\n", pairs=b"", archive=b"")
    number = face_measurements.order(central, nina, listed, station_id=KIOSK)
    assert takes(kiosk) is None
    order = takes(kiosk, has_folder=True)
    assert order is not None and order.number == number
    assert [one.path for one in order.pictures] == ["a.jpg", "b.jpg"]


def test_nothing_but_figures_comes_back(central: Central, kiosk: Sender, nina: User) -> None:
    number = ordered(central, nina, KIOSK)
    takes(kiosk)
    good = figures().model_dump(mode="json")
    more: tuple[dict[str, Any], ...] = (
        {"names": ["Ann"]},
        {"figures": good | {"template": [0.1, 0.2]}},
        {"figures": good | {"fmr": 3}},
        {"figures": good | {"det": [[0.1, 0.1]] * 101}},
    )
    for one in more:
        body = json.dumps({"attempt": 1, **one}).encode()
        assert kiosk.send("POST", f"{PLACE}/{number}/outcome", body).status_code == 422
    assert measurement(central, nina, number).state == "running"


def test_figures_of_a_group_that_the_set_does_not_have_are_not_kept(
    central: Central, kiosk: Sender, nina: User
) -> None:
    number = ordered(central, nina, KIOSK)
    takes(kiosk)
    wrong = figures().by_group[0].model_copy(update={"group": 7})
    said = outcome(by_group=(wrong,)).model_dump_json().encode()
    kiosk.send("POST", f"{PLACE}/{number}/outcome", said)
    one = measurement(central, nina, number)
    assert (one.state, one.problem, one.figures) == ("failed", "failed", None)


def test_only_who_may_measure_measures(central: Central, kiosk: Sender, officer: User, nina: User) -> None:
    auditor = add_user(central, "ivan", (Role.AUDITOR, Agency.CUSTOMS))
    number = ordered(central, nina, KIOSK)
    assert len(measurements(central, auditor)) == 1
    for user in (auditor, officer):
        with pytest.raises(NotAllowed):
            ordered(central, user, KIOSK)
        with pytest.raises(NotAllowed):
            face_measurements.stop(central, user, number)
    with pytest.raises(NotAllowed):
        measurements(central, officer)
    with pytest.raises(UnknownMeasurement):
        measurement(central, nina, 99)


def test_an_order_names_a_kiosk_that_may_work(
    central: Central, kiosk: Sender, exit_gate: Sender, nina: User
) -> None:
    for station_id in ("B9", "E1", ""):
        with pytest.raises(InvalidSet, match="no_station"):
            ordered(central, nina, station_id)
    with pytest.raises(InvalidSet, match="match_rate"):
        ordered(central, nina, KIOSK, match_rate=0.5)
    assert kept(central) == 0
