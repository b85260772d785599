"""A process that reads for the kiosk is asked, and cannot hold it: one that hangs is killed."""

from __future__ import annotations

import threading
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any


def ask(process: BaseProcess, pipe: Connection, question: Any, seconds: float) -> Any:
    """The answer of `process` at the other end of `pipe`, in `seconds`. Raises OSError or EOFError for none."""
    # A process that hangs also stops taking in what is sent; its end breaks the pipe either way.
    watchdog = threading.Timer(seconds, process.kill)
    watchdog.daemon = True
    watchdog.start()
    try:
        pipe.send(question)
        return pipe.recv()
    finally:
        watchdog.cancel()
