"""Serves the application: one gunicorn process with many threads, since each open officer page holds one."""

from __future__ import annotations

import logging
import socket
import struct
import threading
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from central.config import CentralConfig
from central.referrals import raise_no_shows
from central.service import Central, central_of

ALARM_EVERY_S = 15.0
SLOWEST_S = 15  # that a sender or reader may pause; each one holds a thread meanwhile

logger = logging.getLogger("corridor.central")


class Server(BaseApplication):
    """Gunicorn, told everything by the configuration and nothing by the environment."""

    def __init__(self, config: CentralConfig) -> None:
        self._config = config
        super().__init__()

    def load_config(self) -> None:
        settings: dict[str, Any] = {
            "bind": f"{self._config.host}:{self._config.port}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": self._config.threads,
            "timeout": 60,
            "graceful_timeout": 5,
            "keepalive": 5,
            "accesslog": None,  # a request line may hold a receipt number; the audit knows who did what
            "errorlog": "-",
            "loglevel": "warning",
            "limit_request_line": 4094,
            "proc_name": "corridor-central",
            "control_socket_disable": True,
            "when_ready": _bound,
        }
        for name, value in settings.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        from central import create_app

        app = create_app(self._config)
        watch(central_of(app))
        return app


def _bound(arbiter: Any) -> None:
    """Nobody holds a thread by sending half a request and waiting: accepted sockets inherit these limits."""
    for listener in arbiter.LISTENERS:
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            listener.sock.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", SLOWEST_S, 0))


def watch(central: Central) -> threading.Thread:
    """Raise no-show alarms also when no page is open. The thread ends with the process."""
    pause = threading.Event()

    def run() -> None:
        while not pause.wait(ALARM_EVERY_S):
            try:
                raise_no_shows(central)
            except Exception as problem:  # the watch goes on; the kind of error is told
                logger.error("no-show watch: %s", type(problem).__name__)

    thread = threading.Thread(target=run, name="no-show watch", daemon=True)
    thread.start()
    return thread
