"""Face comparison as administrators read it: what kiosks compare with, measurements, and whether groups differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from central import face_measurements, face_referrals
from central.access.permissions import Permission, User
from central.admin.det_chart import DetChart, det_chart, rate_in_words
from central.face_measurements import MATCH_RATES, Measurement
from central.face_referrals import Found, GroupRate
from central.messages import Words
from central.service import Central
from central.storage.models import Station
from contracts.api import Heartbeat
from contracts.face_measurement import FaceFigures, FaceGroupFigures, FaceModels
from contracts.fairness import Difference

ENGINES = ("fused", "sface", "dlib")
DIFFERENCE_ICONS = {
    Difference.SHOWN: "triangle-alert",
    Difference.NOT_SHOWN: "minus",
    Difference.NOT_ENOUGH_DATA: "circle-question-mark",
}


@dataclass(frozen=True)
class Cell:
    """One rate: the figure, its interval, of how many, and what can be said of a difference."""

    value: str
    interval: str
    of: str
    difference: str = ""  # shown | not_shown | not_enough_data
    says: str = ""
    icon: str = ""


@dataclass(frozen=True)
class RateTable:
    """Groups against rates; `note` says what is left out."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell | None, ...]], ...]
    note: str = ""


@dataclass(frozen=True)
class ModelsRow:
    """Kiosks that compare with the same."""

    kiosks: str
    match: str
    doubt: str
    printed: str
    calibration: str
    models: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class MeasurementRow:
    number: int
    asked: str
    what: str
    station: str
    state: str
    state_words: str
    icon: str
    eer: str
    fnmr: str
    fmr: str


@dataclass(frozen=True)
class Choice:
    value: str
    words: str


@dataclass(frozen=True)
class ReferralsView:
    """What officers found, or that nobody has counted yet."""

    says: str
    figures: tuple[tuple[str, Cell], ...]
    tables: tuple[RateTable, ...]
    basis: str
    running: str
    done: int
    total: int


@dataclass(frozen=True)
class FacesView:
    models: tuple[ModelsRow, ...]
    differ: bool
    silent: str  # kiosks that have not said what they compare with
    measurements: tuple[MeasurementRow, ...]
    referrals: ReferralsView
    stations: tuple[str, ...]
    engines: tuple[Choice, ...]
    rates: tuple[Choice, ...]
    may_measure: bool


@dataclass(frozen=True)
class MeasurementView:
    number: int
    title: str
    state: str
    state_words: str
    icon: str
    says: str
    note: str
    running: str
    hint: str
    done: int
    total: int
    may_stop: bool
    figures: tuple[tuple[str, Cell], ...]
    accepted: tuple[tuple[str, Cell], ...]
    curve: DetChart | None
    groups: RateTable | None
    models: ModelsRow | None
    pace: str


def faces_view(central: Central, user: User, words: Words) -> FacesView:
    """The page of face comparison. Raises NotAllowed."""
    said = _models(central)
    by_models: dict[str, list[str]] = {}
    for station_id, models in said.items():
        if models is not None:
            by_models.setdefault(models.model_dump_json(), []).append(station_id)
    silent = [station_id for station_id, models in said.items() if models is None]
    return FacesView(
        models=tuple(
            _models_row(FaceModels.model_validate_json(models), ", ".join(names), words)
            for models, names in by_models.items()
        ),
        differ=len(by_models) > 1,
        silent=words("faces.silent", kiosks=", ".join(silent)) if silent else "",
        measurements=tuple(_measurement_row(one, words) for one in face_measurements.measurements(central, user)),
        referrals=_referrals(central, user, words),
        stations=tuple(said),
        engines=tuple(Choice(name, words(f"faces.engine.{name}")) for name in ENGINES),
        rates=(
            Choice("", words("faces.at_own_rate")),
            *(Choice(str(rate), rate_in_words(rate, words)) for rate in MATCH_RATES),
        ),
        may_measure=user.may(Permission.FACES_MEASURE, site_id=central.config.site_id),
    )


def measurement_view(central: Central, user: User, number: int, words: Words) -> MeasurementView:
    """One measurement. Raises NotAllowed or UnknownMeasurement."""
    one = face_measurements.measurement(central, user, number)
    figures = one.figures
    at = (
        words("faces.at_own_rate")
        if one.match_rate is None
        else words("faces.at_this_rate", rate=rate_in_words(one.match_rate, words))
    )
    said = words(
        "faces.asked",
        name=one.asked_by,
        moment=words.moment(one.asked_at),
        station=one.station_id,
        engine=words(f"faces.engine.{one.engine}"),
        rate=at,
    )
    return MeasurementView(
        number=one.number,
        title=words("faces.measurement", number=one.number),
        state=one.state,
        state_words=words(f"faces.state.{one.state}"),
        icon=_icon(one.state),
        says=f"{_what(one, words)} {said}",
        note=one.note,
        running=running_words(one, words) if one.is_open else _ended(one, words),
        hint=words("faces.start_worker", station=one.station_id) if one.state == face_measurements.WAITING else "",
        done=one.done,
        total=max(one.total, 1),
        may_stop=one.is_open and user.may(Permission.FACES_MEASURE, site_id=central.config.site_id),
        figures=_figures(figures, words) if figures else (),
        accepted=_accepted(figures, words) if figures else (),
        curve=det_chart(figures, words) if figures else None,
        groups=_groups(figures, one.groups, words) if figures and figures.by_group else None,
        models=_models_row(figures.models, one.station_id, words) if figures else None,
        pace=_pace(figures, words) if figures else "",
    )


def running_words(one: Measurement, words: Words) -> str:
    """How far an open measurement is."""
    if one.state != face_measurements.RUNNING:
        return words(f"faces.running.{one.state}")
    return words(f"faces.running.{one.stage}", done=words.number(one.done), total=words.number(one.total))


def refusal(reason: str, place: str, words: Words) -> str:
    """Why a set was not taken, and what it is about."""
    return words("faces.refused", why=words(f"faces.refused.{reason}", place=place))


# --- what kiosks compare with -------------------------------------------------------------------------------


def _models(central: Central) -> dict[str, FaceModels | None]:
    """By kiosk that may work, what it said in its last heartbeat."""
    with central.storage.read() as session:
        rows = session.scalars(
            select(Station)
            .where(
                Station.site_id == central.config.site_id,
                Station.kind == "kiosk",
                Station.suspended.is_(False),
            )
            .order_by(Station.station_id)
        ).all()
    return {
        row.station_id: Heartbeat.model_validate(row.heartbeat).faces if row.heartbeat else None for row in rows
    }


def _models_row(models: FaceModels, kiosks: str, words: Words) -> ModelsRow:
    return ModelsRow(
        kiosks=kiosks,
        match=rate_in_words(models.match_rate, words),
        doubt=rate_in_words(models.doubt_rate, words),
        printed=rate_in_words(models.printed_match_rate, words),
        calibration=words(
            "faces.calibration_says", version=models.calibration, digest=models.calibration_sha256[:8]
        ),
        models=tuple(sorted(models.models.items())),
    )


# --- measurements -------------------------------------------------------------------------------------------


def _measurement_row(one: Measurement, words: Words) -> MeasurementRow:
    figures = one.figures
    return MeasurementRow(
        number=one.number,
        asked=words("trust.by", name=one.asked_by, moment=words.moment(one.asked_at)),
        what=one.note or _what(one, words),
        station=one.station_id,
        state=one.state,
        state_words=words(f"faces.state.{one.state}"),
        icon=_icon(one.state),
        eer=_rate(figures.eer, words) if figures else "",
        fnmr=_rate(figures.fnmr, words) if figures else "",
        fmr=_rate(figures.fmr, words) if figures else "",
    )


def _what(one: Measurement, words: Words) -> str:
    return words(
        "faces.set",
        pictures=words.number(one.pictures),
        people=words.number(one.people),
        groups=words.number(len(one.groups)),
    )


def _icon(state: str) -> str:
    return {"done": "circle-check", "failed": "triangle-alert", "expired": "clock", "stopped": "x"}.get(
        state, "refresh-cw"
    )


def _ended(one: Measurement, words: Words) -> str:
    if one.problem is not None:
        return words(f"faces.problem.{one.problem}")
    return words(f"faces.ended.{one.state}", moment=words.moment(one.ended_at) if one.ended_at else "")


def _figures(figures: FaceFigures, words: Words) -> tuple[tuple[str, Cell], ...]:
    eer = Cell(_rate(figures.eer, words), "", words("faces.eer_note"))
    fmr = _cell(figures.fmr, figures.fmr_ci, figures.impostor, words, "faces.of_impostor")
    fnmr = _cell(figures.fnmr, figures.fnmr_ci, figures.genuine, words, "faces.of_genuine")
    share = figures.failure_to_detect / figures.images if figures.images else None
    failed = Cell(_rate(share, words), "", words("faces.of_pictures", count=figures.images))
    threshold = Cell(words.number(figures.threshold, 3), "", words("faces.threshold_note"))
    return (
        (words("faces.eer"), eer),
        (words("faces.fmr_here"), fmr),
        (words("faces.fnmr_here"), fnmr),
        (words("faces.threshold"), threshold),
        (words("faces.failure_to_detect"), failed),
    )


def _accepted(figures: FaceFigures, words: Words) -> tuple[tuple[str, Cell], ...]:
    return tuple(
        (
            rate_in_words(float(name), words),
            _cell(figures.tar_at_fmr[name], figures.tar_ci.get(name), figures.genuine, words, "faces.of_genuine"),
        )
        for name in sorted(figures.tar_at_fmr, key=float, reverse=True)
    )


def _groups(figures: FaceFigures, names: Sequence[str], words: Words) -> RateTable:
    def row(group: FaceGroupFigures) -> tuple[str, tuple[Cell | None, ...]]:
        share = group.failure_to_detect / group.images if group.images else None
        said = group.differences
        return names[group.group], (
            _cell(share, group.failure_to_detect_ci, group.images, words, "faces.of_pictures",
                  said["failure_to_detect"]),
            _cell(group.fnmr, group.fnmr_ci, group.genuine, words, "faces.of_genuine", said["fnmr"]),
            _cell(group.fmr, group.fmr_ci, group.impostor, words, "faces.of_impostor", said["fmr"]),
        )  # fmt: skip

    return RateTable(
        words("faces.by_group"),
        (words("faces.group"), words("faces.failure_to_detect"), words("faces.fnmr"), words("faces.fmr")),
        tuple(row(group) for group in figures.by_group),
        words("faces.by_group_note"),
    )


def _pace(figures: FaceFigures, words: Words) -> str:
    return words(
        "faces.pace",
        seconds=words.number(figures.seconds),
        each=words.number(figures.ms_per_image_median or 0.0),
        pairs=words.number(figures.pairs),
    )


# --- the site's own referrals -------------------------------------------------------------------------------


def _referrals(central: Central, user: User, words: Words) -> ReferralsView:
    progress, found = central.face_referrals.progress, face_referrals.latest(central, user)
    basis = central.config.faces.legal_basis
    return ReferralsView(
        says=_found_words(found, words) if found else "",
        figures=tuple(
            (words(f"faces.rate.{rate}"), _group_cell(one, words))
            for rate, one in (found.overall.items() if found else ())
        ),
        tables=tuple(_dimension(found, name, words) for name in found.groups) if found else (),
        basis=words("faces.basis", law=basis) if basis else words("faces.no_groups"),
        running=words("rules.effect_running", done=words.number(progress[0]), total=words.number(progress[1]))
        if progress
        else "",
        done=progress[0] if progress else 0,
        total=max(progress[1], 1) if progress else 1,
    )


def _found_words(found: Found, words: Words) -> str:
    said = words(
        f"faces.counted.{found.state}",
        people=words.number(found.people),
        records=words.number(found.records),
        name=found.asked_by,
        moment=words.moment(found.asked_at),
    )
    if found.undecided:
        said += " " + words("faces.undecided", count=found.undecided)
    if found.unreadable:
        said += " " + words("rules.effect_erased", count=found.unreadable)
    return said


def _dimension(found: Found, dimension: str, words: Words) -> RateTable:
    by_rate = found.groups[dimension]
    names = sorted({name for groups in by_rate.values() for name in groups})
    withheld = max(found.withheld.get(dimension, {}).values(), default=0)
    return RateTable(
        words(f"faces.dimension.{dimension}"),
        (words("faces.group"), *(words(f"faces.rate.{rate}") for rate in face_referrals.RATES)),
        tuple(
            (
                _group_name(dimension, name, words),
                tuple(
                    _group_cell(by_rate[rate][name], words) if name in by_rate.get(rate, {}) else None
                    for rate in face_referrals.RATES
                ),
            )
            for name in names
        ),
        words("faces.withheld", count=withheld, least=found.least) if withheld else "",
    )


def _group_name(dimension: str, name: str, words: Words) -> str:
    if dimension == "issuer" and name != "unknown":
        return name
    return words(f"faces.{dimension}.{name}")


def _group_cell(one: GroupRate, words: Words) -> Cell:
    interval = one.interval
    pair = (interval[0], interval[1]) if interval else None
    return _cell(one.share, pair, one.trials, words, "faces.of_people", one.difference)


# --- small --------------------------------------------------------------------------------------------------


def _cell(
    value: float | None,
    interval: tuple[float, float] | None,
    trials: int,
    words: Words,
    of: str,
    difference: Difference | None = None,
) -> Cell:
    if value is None or interval is None:
        return Cell(words("faces.none"), "", words(of, count=trials))
    return Cell(
        rate_in_words(value, words),
        words("faces.interval", low=rate_in_words(interval[0], words), high=rate_in_words(interval[1], words)),
        words(of, count=trials),
        difference.value if difference else "",
        words(f"faces.difference.{difference.value}") if difference else "",
        DIFFERENCE_ICONS[difference] if difference else "",
    )


def _rate(value: float | None, words: Words) -> str:
    return words("faces.none") if value is None else rate_in_words(value, words)
