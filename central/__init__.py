"""The central service: intake, screening, risk, referrals, officers, administrators, audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from central.config import CentralConfig
    from central.service import Clock

__all__ = ["create_app"]


def create_app(config: CentralConfig, clock: Clock | None = None) -> Flask:
    """The whole service as one Flask application. It holds no global state; two may live in one process.

    Raises `central.keys.KeyFileError` for a key that cannot be used.
    """
    from central.app import make_app
    from central.service import now

    return make_app(config, clock or now)
