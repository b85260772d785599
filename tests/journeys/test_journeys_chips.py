"""Mutations of chips: each is caught by the check that is there for it, and none is let through."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from journeys_chip import (
    ANNA,
    CardInHand,
    Spoilt,
    answer_to,
    issued,
    mutations,
    printed,
    removals,
    trust_store,
)

from contracts.decision import Channel
from documents.reading import ChipReading, read_chip
from documents.trust import TrustStore
from hardware.chip.worker import ChipWorker
from hardware.pcsc_daemon import PcscDaemon
from hardware.simulators.card import SimulatedReader

CASES = (*mutations(), *removals())


class RealReader:
    """The worker over the real PC/SC daemon, and hands to lay chips on the reader."""

    def __init__(self, worker: ChipWorker, url: str, slot: SimulatedReader, directory: Path) -> None:
        self._worker, self._url, self._slot, self._directory = worker, url, slot, directory
        self._trust = trust_store()

    def read(self, spoilt: Spoilt) -> ChipReading:
        chip = self._directory / "chip"
        spoilt.chip.write(chip)
        self._slot.insert(chip, spoilt.fault, remove_after=spoilt.remove_after)
        try:
            page = printed()
            return self._worker.read(self._url, page.key, self._trust, datetime.now(UTC), page, card_wait=3.0)
        finally:
            self._slot.remove()


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealReader]:
    with (
        PcscDaemon() as access,
        SimulatedReader(access.vpcd_port) as slot,
        ChipWorker(access.environment) as worker,
    ):
        yield RealReader(worker, access.reader_url, slot, tmp_path_factory.mktemp("chips"))


@pytest.mark.pcsc
@pytest.mark.slow
def test_the_sound_chip_is_green(reader: RealReader) -> None:
    answer = answer_to(reader.read(Spoilt("sound", issued(), frozenset())))
    assert (answer.channel, answer.reasons) == (Channel.GREEN, frozenset()), answer.checks


@pytest.mark.pcsc
@pytest.mark.slow
@pytest.mark.parametrize("spoilt", CASES, ids=lambda spoilt: spoilt.name)
def test_a_spoilt_chip_is_red_for_what_is_wrong_with_it(reader: RealReader, spoilt: Spoilt) -> None:
    answer = answer_to(reader.read(spoilt))
    assert answer.channel is Channel.RED
    assert answer.causes == spoilt.causes, answer.checks


def test_there_are_thirty_mutations_and_more() -> None:
    assert len({spoilt.name for spoilt in CASES}) == len(CASES) >= 30


# -- byte by byte, without a reader between ----------------------------------------------------------------------

WATCHES = {  # any of these may catch a byte of the file, and one of them must
    "COM": {"CHECK_COM_SOD_FAILED"},
    "SOD": {
        "CHECK_SOD_SIGNATURE_FAILED",
        "CHECK_SOD_SIGNATURE_ERROR",
        "CHECK_DS_CHAIN_FAILED",
        "CHECK_DS_CHAIN_ERROR",
    },
    "DG1": {"CHECK_DG_HASHES_FAILED"},
    "DG2": {"CHECK_DG_HASHES_FAILED"},
    "DG15": {"CHECK_DG_HASHES_FAILED"},
}


@pytest.fixture(scope="module")
def trust() -> TrustStore:
    return trust_store()


@pytest.mark.parametrize("name", sorted(WATCHES))
def test_no_byte_of_a_file_can_be_turned_unseen(name: str, trust: TrustStore) -> None:
    chip = issued()
    everywhere = range(len(chip.files[name]))
    # Small files whole; of the long ones the structures at the beginning, and a sample that is the same each time.
    offsets = (
        everywhere
        if len(everywhere) < 100
        else sorted({*everywhere[:24], *random.Random(2026).sample(everywhere, 40), everywhere[-1]})
    )
    page = printed()
    for offset in offsets:
        card = CardInHand(chip.with_flipped_byte(name, offset))
        answer = answer_to(read_chip(card, page.key, trust, datetime.now(UTC), page))
        assert answer.channel is Channel.RED, f"byte {offset} of {name}"
        assert answer.reasons & WATCHES[name], f"byte {offset} of {name}: {sorted(answer.reasons)}"


def test_the_sound_chip_in_hand_is_green(trust: TrustStore) -> None:
    page = printed(ANNA)
    answer = answer_to(read_chip(CardInHand(issued()), page.key, trust, datetime.now(UTC), page))
    assert (answer.channel, answer.reasons) == (Channel.GREEN, frozenset())
