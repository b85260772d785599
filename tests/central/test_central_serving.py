"""The server itself, over a real socket."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from central_scene import write_config

SERVE = """
import sys
from pathlib import Path
from central import serving
from central.config import CentralConfig
serving.SLOWEST_S = 1
serving.Server(CentralConfig.model_validate_json(Path(sys.argv[1]).read_text())).run()
"""


@pytest.mark.slow
def test_half_requests_do_not_hold_the_service(tmp_path: Path) -> None:
    """As many as there are threads send half a request and wait; the next one is answered all the same."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = write_config(tmp_path, port=port, threads=4)
    described = tmp_path / "config.json"
    described.write_text(config.model_dump_json())
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(described)], stderr=subprocess.DEVNULL)
    held: list[socket.socket] = []
    address = f"http://127.0.0.1:{port}/healthz"
    try:
        for _ in range(300):
            try:
                requests.get(address, timeout=5)
                break
            except requests.ConnectionError:
                time.sleep(0.1)
        for _ in range(6):
            held.append(socket.create_connection(("127.0.0.1", port)))
            held[-1].sendall(b"GET /healthz HTTP/1.1\r\nHost: 127")
        assert requests.get(address, timeout=30).json() == {"state": "working"}
    finally:
        for one in held:
            one.close()
        process.terminate()
        process.wait(20)
