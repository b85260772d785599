"""Kiosks for officers and administrators: the grid, each device, who needs a person, suspend and resume."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flask import abort, current_app, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from central.access.guard import current_user
from central.access.permissions import Permission
from central.kiosks import StationHealth, set_suspended, stations
from central.messages import Words
from central.officer.shell import say, words_of_request
from central.service import Central, central_of
from contracts.api import DeviceState

ICONS = {
    "working": "check",
    "in_use": "user",
    "watch": "triangle-alert",
    "stopped": "power",
    "suspended": "hand",
    "silent": "wifi-off",
    "never_seen": "unlink",
}
EVERY_KIOSK = "*"


@dataclass(frozen=True)
class DeviceRow:
    name: str
    state: str
    detail: str
    driver: str
    attention: bool


@dataclass(frozen=True)
class KioskTile:
    name: str
    state: str
    word: str
    icon: str
    detail: str
    seen: str
    software: str
    suspended: bool
    devices: tuple[DeviceRow, ...]


@dataclass(frozen=True)
class Need:
    """One sentence about a kiosk that waits for a person."""

    icon: str
    name: str
    text: str


@dataclass(frozen=True)
class KiosksView:
    tiles: tuple[KioskTile, ...]
    needing: tuple[Need, ...]
    may_stop: bool
    base: str


def kiosks_view(central: Central, words: Words, base: str) -> KiosksView:
    """All kiosks of the site for whoever is signed in. Raises NotAllowed."""
    user = current_user()
    kiosks = [one for one in stations(central, user) if one.kind == "kiosk"]
    return KiosksView(
        tiles=tuple(_tile(kiosk, words) for kiosk in kiosks),
        needing=tuple(need for kiosk in kiosks for need in _needs(kiosk, words)),
        may_stop=user.may(Permission.KIOSKS_CHANGE, site_id=central.config.site_id),
        base=base,
    )


def page(template: str, base: str) -> str:
    words = words_of_request()
    return render_template(template, kiosks=kiosks_view(central_of(current_app), words, base))


def change(kiosk_id: str, *, suspended: bool, back: str) -> BaseResponse:
    """Suspend or resume one kiosk with a reason; without one nothing changes."""
    words, reason = words_of_request(), request.form.get("reason", "").strip()
    if len(reason) < 3:
        say("error", words("kiosks.reason_missing"))
        return redirect(back, code=303)
    try:
        set_suspended(central_of(current_app), current_user(), kiosk_id, suspended=suspended, reason=reason[:120])
    except LookupError:
        abort(404)
    say("done", words("kiosks.suspended_now" if suspended else "kiosks.resumed_now", kiosk=kiosk_id))
    return redirect(back, code=303)


def stop_page(action: str) -> str:
    central = central_of(current_app)
    view = kiosks_view(central, words_of_request(), action)
    running = [tile.name for tile in view.tiles if not tile.suspended]
    return render_template("officer/stop.html", stop={"may": view.may_stop, "kiosks": running, "action": action})


def stop(back: str) -> BaseResponse:
    """Suspend one kiosk or all of the site."""
    words, reason, which = (
        words_of_request(),
        request.form.get("reason", "").strip(),
        request.form.get("kiosk", ""),
    )
    central, user = central_of(current_app), current_user()
    kiosks = [one.station_id for one in stations(central, user) if one.kind == "kiosk" and not one.suspended]
    chosen = kiosks if which == EVERY_KIOSK else [which] if which in kiosks else []
    if len(reason) < 3 or not chosen:
        say("error", words("kiosks.reason_missing"))
        return redirect(back, code=303)
    for kiosk_id in chosen:
        set_suspended(central, user, kiosk_id, suspended=True, reason=reason[:120])
        say("done", words("kiosks.suspended_now", kiosk=kiosk_id))
    return redirect(back, code=303)


def _tile(kiosk: StationHealth, words: Words) -> KioskTile:
    drivers = {driver.device: driver for driver in kiosk.drivers}
    devices = []
    for device in kiosk.devices:
        driver = drivers.get(device.device)
        name = driver.driver if driver else ""
        devices.append(
            DeviceRow(
                name=device_name(device.device, words),
                state=words(f"device_state.{device.state.value}"),
                detail=device.detail,
                driver=words("kiosks.simulated", driver=name) if driver and driver.simulated else name,
                attention=device.state is not DeviceState.WORKING,
            )
        )
    first = next((device for device in kiosk.devices if device.state is not DeviceState.WORKING), None)
    waiting = words("kiosks.waiting", count=kiosk.outbox_waiting) if kiosk.outbox_waiting else ""
    seen = words("kiosks.seen", time=words.clock(kiosk.last_seen_at)) if kiosk.last_seen_at else ""
    return KioskTile(
        name=kiosk.station_id,
        state=kiosk.state,
        word=words(f"kiosk.{kiosk.state}"),
        icon=ICONS[kiosk.state],
        detail=device_name(first.device, words) if first and kiosk.state in ("watch", "stopped") else "",
        seen=" ".join(part for part in (seen or words("kiosks.never_seen"), waiting) if part),
        software=kiosk.software,
        suspended=kiosk.suspended,
        devices=tuple(devices),
    )


def _needs(kiosk: StationHealth, words: Words) -> Iterable[Need]:
    if kiosk.state in ("working", "in_use"):
        return
    icon = ICONS[kiosk.state]
    time = words.clock(kiosk.last_seen_at) if kiosk.last_seen_at else ""
    text = words(f"kiosks.need.{kiosk.state}", reason=kiosk.suspended_reason, time=time)
    broken = [
        words("kiosks.need.device", device=device_name(device.device, words), detail=device.detail)
        for device in kiosk.devices
        if device.state is not DeviceState.WORKING and device.detail
    ]
    yield Need(icon, kiosk.station_id, " ".join([text, *broken]))


def device_name(device: str, words: Words) -> str:
    return words.either(f"device.{device}", device.replace("_", " "))
