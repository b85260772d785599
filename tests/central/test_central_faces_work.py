"""The station that measures and the central that orders it, over the wire: figures back, pictures gone."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from central_scene import SITE, add_user, write_config
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from faces_scene import packed
from werkzeug.serving import make_server

from central import create_app, face_measurements, kiosks
from central.access.permissions import Role, User
from central.face_measurements import Measurement
from central.face_sets import read_set
from central.keys import base64url
from central.service import Central, central_of, now
from contracts.disposition import Agency
from kiosk.central_client import CentralClient
from kiosk.config import FaceRates
from kiosk.faces import work
from kiosk.faces.fusion import Calibration, Policy
from kiosk.faces.work import FaceWork
from kiosk.keys import create_keys, load_signing_key

ROOT = Path(__file__).parents[2]
PORTRAITS = ROOT / "hardware" / "specimens" / "portraits"
MODELS = Path(sys.prefix) / "share" / "corridor" / "models"
STATION = "B3"


@dataclass
class Site:
    """A served central, an administrator, and a kiosk's key."""

    central: Central
    address: str
    nina: User
    key_file: Path

    def work(self, folder: Path | None = None) -> FaceWork:
        client = CentralClient(self.address, STATION, load_signing_key(self.key_file), 30.0)
        return FaceWork(client, SITE, MODELS, FaceRates(), folder)

    def orders(self, listed: str, files: dict[str, bytes] | None = None, pairs: str = "", **how: Any) -> int:
        archive = packed(files) if files else b""
        found = read_set(listed=listed.encode(), pairs=pairs.encode(), archive=archive)
        return face_measurements.order(self.central, self.nina, found, station_id=STATION, **how)

    def result(self, number: int) -> Measurement:
        return face_measurements.measurement(self.central, self.nina, number)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("site")
    app = create_app(write_config(directory / "central"), now)
    central = central_of(app)
    public = create_keys(directory / "keys", demonstration=True)
    kiosks.enroll(central, station_id=STATION, kind="kiosk", public_key=public, by="test", demo=True)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    nina = add_user(central, "nina", (Role.ADMINISTRATOR, Agency.CUSTOMS))
    yield Site(central, f"http://127.0.0.1:{server.server_port}", nina, directory / "keys" / "signing.pem")
    server.shutdown()
    serving.join()
    server.server_close()
    central.close()


class Grey:
    """An engine for arithmetic: a picture is its mean grey, two are as alike as their greys, black is no face."""

    name = "sface"
    policy = Policy(match=-5.0, doubt=-20.0)
    made: list[Grey]
    before_each: Callable[[], None] = staticmethod(lambda: None)

    def __init__(self, models: Path) -> None:
        self.made.append(self)
        self.greys = np.zeros(0)

    def expect(self, pictures: int) -> None:
        self.greys = np.zeros(pictures)

    def embed(self, index: int, image: Any) -> bool:
        self.before_each()
        self.greys[index] = image.mean()
        return bool(self.greys[index] > 8)

    def compare(self, left: Any, right: Any) -> Any:
        # Somewhere on the scale of the real engine: alike above its threshold, others below.
        return np.where(np.abs(self.greys[left] - self.greys[right]) < 5, 0.9, 0.1)


@pytest.fixture
def grey(monkeypatch: pytest.MonkeyPatch) -> type[Grey]:
    class Fresh(Grey):
        made: list[Grey] = []  # noqa: RUF012 - one for each test

    monkeypatch.setitem(work.ENGINES, "sface", Fresh)
    return Fresh


def drawn(level: int) -> bytes:
    ok, encoded = cv2.imencode(".png", np.full((40, 40, 3), level, dtype=np.uint8))
    assert ok
    return bytes(encoded)


SET = {"a1": drawn(100), "a2": drawn(103), "b1": drawn(150), "b2": drawn(190), "c1": drawn(101), "black": drawn(0)}
LIST = "path,identity,group\na1,a,x\na2,a,x\nb1,b,y\nb2,b,y\nc1,c,x\nblack,c,x\n"


def test_the_figures_are_those_of_the_command_line(site: Site, grey: type[Grey]) -> None:
    number = site.orders(LIST, SET, engine="sface")
    assert site.work().step()
    found = site.result(number)
    assert found.state == "done" and found.figures is not None
    figures = found.figures
    assert (figures.images, figures.failure_to_detect, figures.pairs) == (6, 1, 15)
    # a1-a2 match; b1-b2 are too far apart; c1-black could not be compared. c1 is grey like a1 and a2.
    assert figures.fnmr == pytest.approx(2 / 3, abs=1e-6)
    assert figures.fmr == pytest.approx(2 / 12, abs=1e-6)
    assert [(one.group, one.images, one.fnmr) for one in figures.by_group] == [(0, 4, 0.5), (1, 2, 1.0)]
    assert figures.models.match_rate == FaceRates().match_rate and len(figures.models.models) >= 4
    scale = Calibration.load().scales["sface"]
    assert figures.threshold == pytest.approx(scale.score(FaceRates().match_rate), abs=1e-6)
    (engine,) = grey.made
    assert not engine.greys.any(), "vectors are overwritten"
    assert not site.work().step()


def test_listed_pairs_are_compared_and_no_others(site: Site, grey: type[Grey]) -> None:
    pairs = "left,right,same\na1,a2,\na1,c1,1\na1,b1,\n"
    number = site.orders(LIST, SET, pairs=pairs, engine="sface", match_rate=0.0005)
    site.work().step()
    figures = site.result(number).figures
    assert figures is not None
    assert (figures.pairs, figures.genuine, figures.impostor, figures.fnmr) == (3, 2, 1, 0.0)
    assert figures.threshold == pytest.approx(Calibration.load().scales["sface"].score(0.0005), abs=1e-6)


def test_a_list_without_pictures_reads_the_folder_and_nothing_beside_it(
    site: Site, grey: type[Grey], tmp_path: Path
) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    for name in ("a1", "a2"):
        (folder / name).write_bytes(SET[name])
    (tmp_path / "outside").write_bytes(SET["a1"])
    (folder / "link").symlink_to(tmp_path / "outside")
    number = site.orders(
        f"path,identity\na1,a\na2,a\n../outside,a\n{tmp_path / 'outside'},a\nlink,a\n", engine="sface"
    )
    assert not site.work().step(), "who has no folder gets no list"
    assert site.work(folder).step()
    figures = site.result(number).figures
    assert figures is not None and (figures.images, figures.failure_to_detect) == (5, 3)


def test_a_set_of_nothing_that_can_be_read_says_so(site: Site, grey: type[Grey]) -> None:
    number = site.orders("path\nx\ny\n", {"x": b"no picture", "y": b""}, engine="sface")
    site.work().step()
    assert (site.result(number).state, site.result(number).problem) == ("failed", "no_picture")


def test_stopped_in_the_middle_it_ends_and_sends_nothing(site: Site, grey: type[Grey]) -> None:
    number = site.orders(LIST, SET, engine="sface")
    looked = []

    def stops() -> None:
        looked.append(1)
        if len(looked) == 2:
            face_measurements.stop(site.central, site.nina, number)

    grey.before_each = staticmethod(stops)
    assert site.work().step()
    assert (site.result(number).state, site.result(number).figures, len(looked)) == ("stopped", None, 2)
    assert not grey.made[0].greys.any()


def test_a_station_that_dies_begins_anew(site: Site, grey: type[Grey]) -> None:
    number = site.orders(LIST, SET, engine="sface")
    first = site.work()
    grey.before_each = staticmethod(first.close)  # closed while it works: as a signal does
    first.run()
    assert site.result(number).state == "running"
    grey.before_each = staticmethod(lambda: None)
    site.work().run(once=True)
    assert site.result(number).state == "done"


def test_an_error_nobody_foresaw_is_told_by_its_place(
    site: Site, grey: type[Grey], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(*_: Any) -> Any:
        raise ValueError("Secret Name in a1")

    monkeypatch.setattr(Grey, "compare", breaks)
    number = site.orders(LIST.replace("a1,a", "a1,Secret Name"), SET, engine="sface")
    with caplog.at_level(logging.INFO):
        site.work().step()
    assert (site.result(number).state, site.result(number).problem) == ("failed", "failed")
    assert "ValueError at test_central_faces_work.py" in caplog.text
    assert "Secret" not in caplog.text and "a1" not in caplog.text


def test_an_unknown_key_gets_no_work(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    stranger = CentralClient(site.address, STATION, Ed25519PrivateKey.generate(), 30.0)
    assert base64url(stranger.key.public_key().public_bytes_raw())
    assert not FaceWork(stranger, SITE, MODELS, FaceRates()).step()
    assert "SIGNATURE_INVALID" in caplog.text


CONFIG = """
profile = "test"
site_id = "{site}"
site_name = "Minsk 2"
kiosk_id = "{station}"
data_dir = "data"
central_url = "{address}"
signing_key_file = "{key}"
outbox_key_file = "outbox.key"
trust_dir = "trust"
[devices]
"""


def test_the_command_measures_people_who_do_not_exist_and_writes_nothing(site: Site, tmp_path: Path) -> None:
    people = [f"{person}-{mood}" for person in ("anna", "greta") for mood in ("neutral", "smile")]
    files = {name: (PORTRAITS / f"{name}.jpg").read_bytes() for name in people}
    listed = "path,identity,group\n" + "".join(f"{name},{name.split('-')[0]},f\n" for name in people)
    number = site.orders(listed, files)
    config = tmp_path / "kiosk.toml"
    config.write_text(CONFIG.format(site=SITE, station=STATION, address=site.address, key=site.key_file))
    command = [sys.executable, str(ROOT / "corridor.py"), "kiosk", "faces", "--config", str(config), "--once"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=tmp_path, env={"TMPDIR": str(tmp_path)}
    )
    assert done.returncode == 0, done.stderr
    figures = site.result(number).figures
    assert figures is not None
    assert (figures.failure_to_detect, figures.genuine, figures.fnmr, figures.fmr) == (0, 2, 0.0, 0.0)
    left = {path.name for path in tmp_path.rglob("*")} - {".ses"}  # onnxruntime numbers its sessions there
    assert left == {"kiosk.toml"}, "nothing reached the disk"
    assert "anna" not in done.stderr and "Traceback" not in done.stderr
