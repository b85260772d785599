"""The demonstration's seed draws with central's own lottery, and exactly the travellers it should."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.sampling import FIXED_PERIOD, Lottery
from demo.house import PERIOD
from demo.sampling import draws, find_seed

number = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=9)
document = st.tuples(
    st.sampled_from(("arrival", "departure", "transfer")), st.sampled_from(("UTO", "XYZ", "D")), number
)


def test_the_demonstration_draws_in_centrals_fixed_period() -> None:
    assert PERIOD == FIXED_PERIOD


@given(seed=st.binary(min_size=32, max_size=32), drawn=document, rate=st.floats(0, 1))
def test_it_draws_as_central_does(seed: bytes, drawn: tuple[str, str, str], rate: float) -> None:
    lot = Lottery(PERIOD, rate, seed).lot(*drawn)
    assert draws(seed, PERIOD, *drawn, rate) == (lot < rate)


@given(wanted=st.dictionaries(document, st.booleans(), max_size=4))
def test_a_seed_grants_every_wish_and_is_always_the_same(wanted: dict[tuple[str, str, str], bool]) -> None:
    seed = find_seed(wanted, PERIOD, 0.3)
    assert {each: draws(seed, PERIOD, *each, 0.3) for each in wanted} == wanted
    assert find_seed(wanted, PERIOD, 0.3) == seed


@pytest.mark.parametrize(("rate", "wish"), [(0.0, True), (1.0, False)])
def test_a_wish_that_cannot_be_granted_is_told(rate: float, wish: bool) -> None:
    with pytest.raises(ValueError, match="no sampling seed"):
        find_seed({("arrival", "UTO", "L47312086"): wish}, PERIOD, rate, tries=50)
