"""Face comparison in the browser: files in, words out, the curve, groups, and what each role sees."""

from __future__ import annotations

import io
import itertools
import re
from statistics import NormalDist
from zoneinfo import ZoneInfo

import pytest
from central_scene import KIOSK, SITE, Clock, Sender
from faces_scene import LIST, MODELS, PICTURES, figures, outcome, packed
from hypothesis import given, settings
from hypothesis import strategies as st
from officer_scene import DOUBTFUL_FACE, ORDINARY, Console, arrives
from werkzeug.test import TestResponse

from central import face_measurements
from central.admin.det_chart import det_chart, rate_in_words
from central.admin.faces_view import ENGINES, refusal
from central.face_referrals import AGE_BANDS, LAST_BAND, RATES
from central.messages import LANGUAGES, Catalogue, Words
from central.service import Central
from contracts.api import Heartbeat
from contracts.face_measurement import FaceProblem
from contracts.fairness import Difference

CATALOGUE = Catalogue.load()
HERE = ZoneInfo("Europe/Minsk")
ENGLISH = Words(CATALOGUE, "en", HERE)


@pytest.fixture
def nina(console: Console, kiosk: Sender) -> Console:
    return console.signs_in("nina")


def sends(console: Console, files: dict[str, tuple[str, bytes]], **fields: str) -> TestResponse:
    token = re.search(r'name="csrf_token" value="([^"]+)"', console.client.get("/officer/me").text)
    assert token is not None
    form = {"station": KIOSK, "engine": "fused", "match_rate": "", "csrf_token": token[1], **fields}
    data = form | {field: (io.BytesIO(content), name) for field, (name, content) in files.items()}
    return console.client.post("/admin/faces", data=data, content_type="multipart/form-data")


ARCHIVE = {"pictures": ("set.zip", packed({"images.csv": LIST.encode()} | PICTURES))}


def test_a_set_is_measured_and_its_figures_are_told(
    nina: Console, console: Console, central: Central, kiosk: Sender
) -> None:
    assert "Nothing has been measured here yet." in nina.sees("/admin/faces")
    sent = sends(nina, ARCHIVE, note="gate cameras")
    assert (sent.status_code, sent.location) == (303, "/admin/faces/1")
    page = nina.sees("/admin/faces/1")
    assert "Measurement 1 waits for its kiosk." in page and "Pictures: 4, people: 2, groups: 2." in page
    assert "corridor kiosk faces" in page and "as the kiosk is configured" in page
    assert nina.client.get("/admin/faces/1/progress").json == {
        "running": True, "done": 0, "total": 4, "says": "Waiting for the kiosk.",
    }  # fmt: skip
    assert face_measurements.take(central, KIOSK, has_folder=False) is not None
    assert face_measurements.finish(central, KIOSK, 1, outcome())
    assert nina.client.get("/admin/faces/1/progress").json == {"running": False}
    page = nina.sees("/admin/faces/1")
    for told in (
        "0.45%", "0.02%", "0.012% to 0.031%", "of 100,000 pairs of two people", "0.753", "99.2%", "Configured",
        "EES asks 0.05%", "north", "south", "Difference shown", "Difference not shown", "Not enough data",
        "The pictures are erased.", "0b" * 32,
    ):  # fmt: skip
        assert told in page, told
    page = nina.sees("/admin/faces")
    assert "gate cameras" in page and "Done" in page and "0.45%" in page
    auditor = Console(console.app).signs_in("ivan")
    for place in ("/admin/faces", "/admin/faces/1"):
        assert "<form" not in auditor.sees(place).split('id="main"')[1], place
    assert nina.client.get("/admin/faces/2").status_code == 404


def test_refusals_say_what_to_do_and_keep_nothing(nina: Console, central: Central) -> None:
    for files, fields, says in (
        ({}, {}, "there is no list"),
        ({"list": ("l.csv", b"file\n")}, {}, "a column is missing: images.csv: path"),
        ({"list": ("l.csv", b"path\na\na\n")}, {}, "images.csv, 3: this picture stands in the list twice."),
        ({"pictures": ("x.zip", b"nothing")}, {}, "the ZIP cannot be read."),
        (ARCHIVE, {"station": "B9"}, "choose a kiosk that is let in"),
        (ARCHIVE, {"engine": "best"}, "choose what is measured"),
        (ARCHIVE, {"match_rate": "often"}, "choose a false match rate"),
    ):
        sent = sends(nina, files, **fields)
        assert (sent.status_code, sent.location) == (303, "/admin/faces")
        page = nina.sees("/admin/faces")
        assert "Nothing was measured: " in page and says in page, says
    assert "Nothing has been measured here yet." in page


def test_a_measurement_is_stopped(nina: Console) -> None:
    sends(nina, ARCHIVE, match_rate="5e-05")
    assert "match from 0.005%." in nina.sees("/admin/faces/1")
    nina.submits("/admin/faces/1/stop")
    page = nina.sees("/admin/faces/1")
    assert "Stopped. The pictures are erased." in page and "data-progress" not in page
    assert nina.submits("/admin/faces/9/stop").status_code == 404


def test_kiosks_that_compare_with_other_models_are_shown_apart(nina: Console, kiosk: Sender, clock: Clock) -> None:
    assert "No kiosk has said yet what it compares with." in nina.sees("/admin/faces")
    said = Heartbeat(
        site_id=SITE, kiosk_id=KIOSK, sent_at=clock(), state="working", software="corridor-1", faces=MODELS
    )
    assert kiosk.send("POST", "/api/v1/heartbeats", said.model_dump_json().encode()).status_code == 200
    page = nina.sees("/admin/faces")
    assert "Kiosks: B3" in page and "0.005%" in page and "0b" * 32 in page
    assert "different models" not in page


def test_what_officers_found_is_counted_and_told(nina: Console, central: Central) -> None:
    for guest in (DOUBTFUL_FACE, ORDINARY, ORDINARY):
        arrives(central, guest)
    page = nina.sees("/admin/faces")
    assert "No groups are counted here" in page
    nina.submits("/admin/faces/referrals")
    central.face_referrals.wait(60)
    assert nina.client.get("/admin/faces/referrals/progress").json == {"running": False}
    page = nina.sees("/admin/faces")
    assert "3 people of 3 records" in page and "Of 1 person who did not match nobody has said either." in page
    assert "33%" in page and "cannot be told" in page
    assert "HADDAD" not in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_that_is_composed_exists(language: str) -> None:
    words = Words(CATALOGUE, language, HERE)
    wanted = [f"faces.engine.{name}" for name in ENGINES]
    states = ("arriving", "waiting", "running", "done", "stopped", "failed", "expired")
    wanted += [f"faces.state.{state}" for state in states]
    wanted += [f"faces.ended.{state}" for state in states[3:]]
    wanted += [f"faces.running.{stage}" for stage in ("arriving", "waiting", "pictures", "pairs")]
    wanted += [f"faces.problem.{problem.value}" for problem in FaceProblem] + ["faces.problem.archive"]
    wanted += [f"faces.difference.{difference.value}" for difference in Difference]
    wanted += [f"faces.rate.{rate}" for rate in RATES]
    wanted += [f"faces.counted.{state}" for state in ("done", "stopped", "failed")]
    wanted += [f"faces.dimension.{name}" for name in ("sex", "age_band", "issuer")]
    bands = [name for _, name in AGE_BANDS]
    wanted += [f"faces.age_band.{name}" for name in (*bands, LAST_BAND, "unknown")]
    wanted += [f"faces.sex.{name}" for name in ("F", "M", "X", "unknown")] + ["faces.issuer.unknown"]
    assert [message for message in wanted if not words.has(message)] == []
    assert refusal("twice", "images.csv, 3", words)


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (0.0, "0%"),
        (1e-6, "0.0001%"),
        (0.0002, "0.02%"),
        (0.0128, "1.3%"),
        (0.25, "25%"),
        (0.9921, "99.21%"),
        (1.0, "100%"),
    ],
)
def test_small_rates_keep_their_figures(rate: float, text: str) -> None:
    assert rate_in_words(rate, ENGLISH) == text
    assert rate_in_words(0.0002, Words(CATALOGUE, "be", HERE)).replace("\u00a0", "") == "0,02%"


def test_bell_shaped_scores_make_a_straight_line() -> None:
    """Of two heaps of the same width, d apart, the normal deviates of the two rates always add up to -d."""
    bell = NormalDist()
    det = tuple((bell.cdf(-at), bell.cdf(at - 3)) for at in (0.5, 1.0, 1.5, 2.0, 2.5))
    chart = det_chart(figures(det=det, genuine=1000, impostor=1000), ENGLISH)
    corners = [float(text) for text in re.findall(r"[\d.]+", chart.trace)]
    points = list(zip(corners[::2], corners[1::2], strict=True))
    slopes = [(two[1] - one[1]) / (two[0] - one[0]) for one, two in itertools.pairwise(points)]
    assert slopes == pytest.approx([slopes[0]] * 4, abs=0.01)


rate_values = st.floats(0, 1)


@settings(deadline=None)
@given(
    st.lists(st.tuples(rate_values, rate_values), min_size=1, max_size=20),
    rate_values, rate_values, st.integers(1, 10**8), st.integers(1, 10**6),
)  # fmt: skip
def test_every_curve_stays_on_its_paper(
    det: list[tuple[float, float]], fmr: float, fnmr: float, impostor: int, genuine: int
) -> None:
    told = figures(det=det, fmr=fmr, fnmr=fnmr, impostor=impostor, genuine=genuine, fmr_ci=(0.0, 1.0))
    chart = det_chart(told, ENGLISH)
    assert chart.point is not None
    corners = [(line.x1, line.y1) for line in chart.spans] + [(line.x2, line.y2) for line in chart.spans]
    for x, y in (chart.point, *corners, *((label.x, label.y) for label in chart.labels)):
        assert 0 <= x <= chart.width and 0 <= y <= chart.height


def test_without_both_kinds_of_pairs_there_is_no_curve() -> None:
    chart = det_chart(figures(det=(), fmr=None, fmr_ci=None, eer=None), ENGLISH)
    assert chart.empty and not chart.trace
