"""The chip reader's port: pyscard over the real PC/SC daemon, with the bench's card in the field."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pytest

from documents.mrz import compose_td3
from hardware.pcsc_daemon import PcscDaemon
from hardware.simulators.bench import Bench, BenchServer
from hardware.simulators.card import SimulatedReader
from hardware.specimens.issuer import SpecimenAuthority

# The PC/SC library reads where its daemon is when it is loaded: a process of its own for it.
CLIENT = """
import json, sys, urllib.request
from contracts.errors import ErrorCode
from hardware.ports import DeviceError
from hardware.registry import DevicesConfig, open_devices, provenance

told, request = {}, json.loads(sys.argv[1])
devices = open_devices(DevicesConfig(chip_reader=request["reader"], speaker="null:"))
reader = devices.chip_reader


def bench(method, body=None):
    headers = {"Authorization": "Bearer " + request["token"]}
    data = json.dumps(body).encode() if body else None
    asked = urllib.request.Request(request["control"] + "/document", data=data, headers=headers, method=method)
    urllib.request.urlopen(asked).close()


def select():
    return card.transmit(bytes.fromhex("00A4040C07A0000002471001")).hex()


told["driver"] = [driver.model_dump() for driver in provenance(devices) if driver.device == "chip_reader"][0]
told["before"] = reader.wait_for_card(0.2)
bench("POST", {"page": request["page"], "chip": request["chip"]})
told["laid"] = reader.wait_for_card(10)
card = reader.connect()
told["atr"] = card.atr.hex()
told["select"] = select()
bench("DELETE")
try:
    told["after"] = select()
except DeviceError as error:
    told["after"] = error.code
told["health"] = reader.health().state
devices.close()
print(json.dumps(told))
"""


@pytest.mark.pcsc
def test_a_document_on_the_bench_is_a_card_in_the_reader(tmp_path: Path) -> None:
    lines = compose_td3(
        document_code="P",
        issuer="UTO",
        surname="SPECIMEN",
        given_names="ANNA",
        number="L898902C3",
        nationality="UTO",
        birth_date=date(1974, 8, 12),
        sex="F",
        expiry_date=date(2033, 4, 15),
    )
    picture = np.full((300, 400, 3), 200, np.uint8)
    SpecimenAuthority().issue(lines, cv2.imencode(".jpg", picture)[1].tobytes()).write(tmp_path / "chip")
    cv2.imwrite(str(tmp_path / "page.png"), picture)
    with PcscDaemon() as access:
        server = BenchServer(Bench(SimulatedReader(access.vpcd_port)), token="a token for this test")
        try:
            request = {
                **server.addresses,
                "reader": access.reader_url,
                "page": str(tmp_path / "page.png"),
                "chip": str(tmp_path / "chip"),
            }
            done = subprocess.run(
                [sys.executable, "-c", CLIENT, json.dumps(request)],
                env={**os.environ, **access.environment},
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
        finally:
            server.close()
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["driver"]["driver"] == "pcsc"
    assert told["driver"]["simulated"] is True
    assert told["before"] is False
    assert told["laid"] is True
    assert told["atr"]
    assert told["select"] == "9000"
    assert told["after"] == "CARD_REMOVED"
    assert told["health"] == "working"
