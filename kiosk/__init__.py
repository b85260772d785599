"""The kiosk: one journey over real devices, its screens, and its outbox to central."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from kiosk.config import KioskConfig


def create_app(config: KioskConfig) -> Flask:
    """A kiosk at work: devices open, workers warm, outbox on its way, pages served.

    `app.extensions["conductor"].close()` ends it. Raises `kiosk.config.ConfigError` when something the
    configuration names cannot be used, and `kiosk.face.WeightsError` for altered model files.
    """
    from kiosk.app import make_app
    from kiosk.assembly import assemble

    conductor = assemble(config)
    app = make_app(config, conductor)
    conductor.start()
    return app
