"""The bench: every simulated device of one kiosk in one process, and hands to put things on and take them off.

Chip card (on the vpcd port of the PC/SC daemon), three cameras (MJPEG over loopback HTTP), a scale (pty). The
kiosk meets them only through its own drivers. Control is JSON over the same loopback port, with a bearer token:

| request | body | does |
|---|---|---|
| `POST /document` | `{"page": PATH, "chip": DIR, "fault", "radio", "remove_after", …}` | lays one down |
| `DELETE /document` | | takes it off |
| `POST /face` | `{"feed": PATH}` | somebody stands there: an MJPEG film, played over and over; or a picture |
| `DELETE /face` | | nobody stands there |
| `POST /bag` | `{"weight_kg": 18.4, "tag": PATH or null}` | puts a bag on the scale, its tag in view |
| `DELETE /bag` | | takes it off |
| `POST /fault` | `{"device": …, "fault": … or null}` | breaks or mends a device |
| `GET /state` | | addresses, what lies where, which faults are on |

`chip`, `fault`, `radio` (`none`, `424`, `848`), `remove_after` (command APDUs) and `tag` may be null or left out.
`infrared` and `ultraviolet` are the pictures that the cameras of `--infrared` and `--ultraviolet` see; left out,
they are made out of the page, as of black ink on security paper.
Devices of `/fault`: `document_camera`, `face_camera`, `tag_camera` (frozen, black, no_frames, garbage, replaced,
looped) and `scale` (unstable, overload, underload, busy, mute, garbage). Faults of the chip come with `/document`.
"""

from __future__ import annotations

import argparse
import contextlib
import hmac
import json
import logging
import os
import secrets
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np

from hardware.ports import DeviceError, Frame
from hardware.simulators.camera import (
    CAMERA_FAULTS,
    CameraFault,
    SimulatedCamera,
    belt,
    booth,
    dark_glass,
    in_infrared,
    in_ultraviolet,
    stream,
)
from hardware.simulators.scale import SCALE_FAULTS, ScaleFault, SimulatedScale

_log = logging.getLogger(__name__)
_MAX_BODY = 65_536


class Card(Protocol):
    """The simulated e-passport reader field (`hardware.simulators.card.SimulatedReader`)."""

    def insert(
        self, card_directory: Path, fault: str | None = None, radio: str = "none", remove_after: int | None = None
    ) -> None: ...

    def remove(self) -> None: ...

    def close(self) -> None: ...


# The other light in which a document reader may see its glass, and how a page looks in it.
OTHER_LIGHT: dict[str, Callable[[Frame], Frame]] = {"infrared": in_infrared, "ultraviolet": in_ultraviolet}


class Refused(Exception):
    """A control request that cannot be done; the text goes into the answer."""


class Bench:
    """The devices and what lies on them. Every method returns when the change can be seen by the kiosk."""

    def __init__(self, card: Card | None, light: Sequence[str] = ()) -> None:
        """`light`: names of `OTHER_LIGHT`, of the document reader."""
        self._card = card
        self._hands = threading.Lock()  # one thing at a time
        self.cameras = {
            "document": SimulatedCamera(dark_glass()),
            "face": SimulatedCamera(booth(), pattern=2.0),
            "tag": SimulatedCamera(belt()),
        }
        self._light = tuple(light)
        for name in self._light:
            self.cameras[name] = SimulatedCamera(OTHER_LIGHT[name](dark_glass()))
        self.scale = SimulatedScale()
        self._lying: dict[str, Any] = {"document": None, "face": None, "bag": None}

    def lay_document(self, request: dict[str, Any]) -> None:
        page = _path(request, "page")
        chip = _optional_path(request, "chip")
        pictures = {name: _optional_path(request, name) for name in self._light}
        remove_after = request.get("remove_after")
        if remove_after is not None and not isinstance(remove_after, int):
            raise Refused("remove_after is a number of command APDUs")
        with self._hands:
            self._lift_card()
            for name, picture in pictures.items():  # before the page is seen, or the kiosk might be quicker
                self._show_in_other_light(name, page, picture)
            self.cameras["document"].show_picture(page)
            if chip is not None:
                if self._card is None:
                    raise Refused("this bench has no chip reader (no --vpcd-port)")
                self._card.insert(
                    chip, fault=request.get("fault"), radio=request.get("radio", "none"), remove_after=remove_after
                )
            self._lying["document"] = {"page": str(page), "chip": str(chip) if chip else None}

    def _show_in_other_light(self, name: str, page: Path, picture: Path | None) -> None:
        import cv2

        if picture is not None:
            self.cameras[name].show_picture(picture)
            return
        scene = cv2.imread(str(page), cv2.IMREAD_COLOR)
        if scene is None:
            raise ValueError(f"{page.name} is no picture")
        self.cameras[name].show_scene(OTHER_LIGHT[name](np.asarray(scene, np.uint8)))

    def lift_document(self) -> None:
        with self._hands:
            self._lift_card()
            self.cameras["document"].show_nothing()
            for name in self._light:
                self.cameras[name].show_nothing()
            self._lying["document"] = None

    def _lift_card(self) -> None:
        if self._card is not None:
            self._card.remove()

    def stand_before_camera(self, request: dict[str, Any]) -> None:
        feed = _path(request, "feed")
        with self._hands:
            if feed.suffix.lower() in (".png", ".jpg", ".jpeg"):
                self.cameras["face"].show_picture(feed)
            else:
                self.cameras["face"].show_film(feed)
            self._lying["face"] = {"feed": str(feed)}

    def step_away(self) -> None:
        with self._hands:
            self.cameras["face"].show_nothing()
            self._lying["face"] = None

    def put_bag(self, request: dict[str, Any]) -> None:
        weight = request.get("weight_kg")
        if weight is not None and not (isinstance(weight, int | float) and 0 <= weight <= 1000):
            raise Refused("weight_kg is a number of kilograms, 0 to 1000, or null")
        tag = _optional_path(request, "tag")
        with self._hands:
            self.scale.set_weight(float(weight or 0))
            if tag is None:
                self.cameras["tag"].show_nothing()
            else:
                self.cameras["tag"].show_picture(tag)
            self._lying["bag"] = {"weight_kg": weight, "tag": str(tag) if tag else None}

    def take_bag(self) -> None:
        with self._hands:
            self.scale.set_weight(0.0)
            self.cameras["tag"].show_nothing()
            self._lying["bag"] = None

    def set_fault(self, request: dict[str, Any]) -> None:
        device, fault = request.get("device"), request.get("fault")
        if device == "scale":
            self._known(fault, SCALE_FAULTS)
            self.scale.fault = cast(ScaleFault | None, fault)
            return
        camera = self.cameras.get(str(device).removesuffix("_camera"))
        if camera is None:
            names = ", ".join(f"{name}_camera" for name in self.cameras)
            raise Refused(f"device is one of {names}, scale")
        self._known(fault, CAMERA_FAULTS)
        camera.fault = cast(CameraFault | None, fault)

    @staticmethod
    def _known(fault: object, faults: tuple[str, ...]) -> None:
        if fault is not None and fault not in faults:
            raise Refused(f"fault is one of {', '.join(faults)}, or null")

    def state(self) -> dict[str, Any]:
        faults = {f"{name}_camera": camera.fault for name, camera in self.cameras.items()}
        return {"lying": dict(self._lying), "faults": {**faults, "scale": self.scale.fault}}

    def close(self) -> None:
        for camera in self.cameras.values():
            camera.close()
        self.scale.close()
        if self._card is not None:
            self._card.close()


class BenchServer:
    """The bench over loopback HTTP. `addresses` is what the state file holds."""

    def __init__(self, bench: Bench, token: str, port: int = 0) -> None:
        self._bench = bench
        self._token = token
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(bench, self))
        self._server.daemon_threads = True
        self._server.block_on_close = False  # camera streams end by themselves when the cameras close
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.2,), daemon=True)
        self._thread.start()

    @property
    def addresses(self) -> dict[str, str]:
        base = f"http://127.0.0.1:{self._server.server_address[1]}"
        return {
            "control": base,
            "token": self._token,
            **{f"{name}_camera": f"{base}/cameras/{name}.mjpeg" for name in self._bench.cameras},
            "scale": self._bench.scale.path,
        }

    def admits(self, authorization: str) -> bool:
        return hmac.compare_digest(authorization.encode(), f"Bearer {self._token}".encode())

    def close(self) -> None:
        self._server.shutdown()
        self._bench.close()
        self._server.server_close()
        self._thread.join(timeout=2.0)


def _handler(bench: Bench, server: BenchServer) -> type[BaseHTTPRequestHandler]:
    actions = {
        ("POST", "/document"): bench.lay_document,
        ("DELETE", "/document"): lambda request: bench.lift_document(),
        ("POST", "/face"): bench.stand_before_camera,
        ("DELETE", "/face"): lambda request: bench.step_away(),
        ("POST", "/bag"): bench.put_bag,
        ("DELETE", "/bag"): lambda request: bench.take_bag(),
        ("POST", "/fault"): bench.set_fault,
    }

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        timeout = 30

        def do_GET(self) -> None:
            name = self.path.removeprefix("/cameras/").removesuffix(".mjpeg")
            if self.path == f"/cameras/{name}.mjpeg" and name in bench.cameras:
                stream(self, bench.cameras[name])
            elif not server.admits(self.headers.get("Authorization", "")):
                self._answer(401, {"error": "a bearer token is needed"})
            elif self.path == "/state":
                self._answer(200, {**server.addresses, "token": None, **bench.state()})
            else:
                self._answer(404, {"error": "no such path"})

        def do_POST(self) -> None:
            self._act("POST")

        def do_DELETE(self) -> None:
            self._act("DELETE")

        def _act(self, method: str) -> None:
            try:
                length = int(self.headers.get("Content-Length") or 0)
            except ValueError:
                length = -1
            if not 0 <= length <= _MAX_BODY:
                self.close_connection = True
                return self._answer(413, {"error": "the body is too large"})
            body = self.rfile.read(length)
            action = actions.get((method, self.path))
            if not server.admits(self.headers.get("Authorization", "")):
                return self._answer(401, {"error": "a bearer token is needed"})
            if action is None:
                return self._answer(404, {"error": "no such path"})
            try:
                request = json.loads(body or b"{}")
                if not isinstance(request, dict):
                    raise Refused("a JSON object is expected")
                action(request)
            except (Refused, ValueError, OSError, DeviceError) as error:
                return self._answer(422, {"error": str(error)})
            return self._answer(200, bench.state())

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            payload = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, format: str, *arguments: object) -> None:
            _log.debug(format, *arguments)

    return Handler


def _path(request: dict[str, Any], name: str) -> Path:
    given = request.get(name)
    if not isinstance(given, str) or not given:
        raise Refused(f"{name} is the path of a file")
    path = Path(given)
    if not path.exists():
        raise Refused(f"{name}: {path.name} does not exist")
    return path


def _optional_path(request: dict[str, Any], name: str) -> Path | None:
    return None if request.get(name) is None else _path(request, name)


def write_state_file(path: Path, addresses: dict[str, str]) -> None:
    """Write the addresses and the token, readable by this user only, whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        json.dump(addresses, opened, indent=1)
    partial.replace(path)


def _wait_for_end_of_stdin(over: threading.Event) -> None:
    while os.read(0, 1024):
        pass
    over.set()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="hardware.simulators.bench", description="All simulated devices of one kiosk."
    )
    parser.add_argument(
        "--vpcd-port", type=int, help="port of the virtual reader; without it there is no chip reader"
    )
    parser.add_argument("--port", type=int, default=0, help="loopback port of cameras and control (0: any)")
    parser.add_argument("--state-file", type=Path, help="written with mode 0600 when everything is ready")
    for name in OTHER_LIGHT:
        parser.add_argument(f"--{name}", action="store_true", help=f"the document reader has {name} light too")
    parser.add_argument("--until-stdin-closes", action="store_true", help="end with the process that started it")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING)

    token = os.environ.pop("CORRIDOR_BENCH_TOKEN", "") or secrets.token_urlsafe(24)
    card: Card | None = None
    if options.vpcd_port is not None:
        from hardware.simulators.card import SimulatedReader

        reader = SimulatedReader(options.vpcd_port)
        reader.start()  # now, so that the first document need not wait for it
        card = reader
    light = [name for name in OTHER_LIGHT if getattr(options, name)]
    server = BenchServer(Bench(card, light), token, options.port)
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    if options.until_stdin_closes:
        threading.Thread(target=_wait_for_end_of_stdin, args=(over,), daemon=True).start()
    try:
        if options.state_file is not None:
            write_state_file(options.state_file, server.addresses)
        else:
            sys.stdout.write(json.dumps(server.addresses) + "\n")
            sys.stdout.flush()
        over.wait()
    finally:
        server.close()
        if options.state_file is not None:
            with contextlib.suppress(OSError):
                options.state_file.unlink()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
