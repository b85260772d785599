"""What a line owes by the excess model of its rule: on what is over, on all of it, on whole items, by bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal

from declarations.answer import Owed
from declarations.figures import CENT, HUNDRED, THOUSAND, ZERO, Figure
from declarations.packs import Band, Excess, plain

# Subsets of items are looked for among this many sums; a norm with more of them is counted in coarser steps.
FINEST = 1_000_000


NOTHING = Owed(ZERO)
NOBODY_CAN_SAY = Owed(None, settled=False)


def owed(
    excess: Excess,
    norm: Decimal,
    figure: Figure,
    worths: Sequence[Decimal],
    lent: Mapping[int, Decimal],
) -> Owed:
    """The duty on a figure that has passed `norm` (in the figure's unit). Call it within `money.EXACT`.

    `worths` are the items' values, scaled as the figure is; they matter to whole items only. `lent` is the width
    of each band, by its place, that others of the household do not use.
    """
    if excess.model == "assessed":
        return NOBODY_CAN_SAY
    over = figure.scaled - norm * figure.scale
    if excess.model == "whole":
        over = figure.scaled
    elif excess.model == "indivisible":
        over = figure.scaled - most_within(worths, norm * figure.scale)
    part = figure.in_words_of(over)
    if excess.model == "staged":
        return _staged(excess, over / figure.scale, part, figure, lent)
    if not excess.rated:
        return Owed(None, settled=False, part=part)
    each = excess.percent / HUNDRED if excess.percent is not None else excess.per_unit or ZERO
    amount = (each * over / figure.scale).quantize(CENT, ROUND_HALF_UP)
    marginal = excess.model == "marginal"
    base = f"({plain(figure.shown)} − {plain(figure.norm(norm))})" if marginal else plain(part)
    return Owed(
        amount,
        settled=figure.complete,
        part=part,
        rate=excess.rate_text if excess.per_unit is None else f"{excess.rate_text}/{figure.unit}",
        formula=f"{excess.rate_text} × {base} {figure.unit} {_sign(figure.complete)} {amount} {excess.currency}",
    )


def _sign(settled: bool) -> str:
    return "=" if settled else "≥"


def _staged(excess: Excess, over: Decimal, part: Decimal, figure: Figure, lent: Mapping[int, Decimal]) -> Owed:
    """Band by band. What falls into a band without a rate, or beyond the last, is an officer's to assess."""
    amount, left, settled = ZERO, over, figure.complete
    terms = []
    for place, band in enumerate(excess.bands):
        width = left if band.width is None else min(left, band.width + lent.get(place, ZERO))
        if width <= 0:
            break
        left -= width
        rate = band_rate(band)
        if rate is None:
            settled = False
            terms.append(f"? × {plain(_to_the_cent(width))} {figure.unit}")
            continue
        amount += rate * width
        text = (
            f"{plain(band.percent)} %" if band.percent is not None else f"{plain(band.per_unit)} {excess.currency}"
        )
        terms.append(f"{text} × {plain(_to_the_cent(width))} {figure.unit}")
    if left > 0:
        settled = False
        terms.append(f"? × {plain(_to_the_cent(left))} {figure.unit}")
    amount = amount.quantize(CENT, ROUND_HALF_UP)
    formula = f"{' + '.join(terms)} {_sign(settled)} {amount} {excess.currency}" if excess.rated else ""
    return Owed(amount if excess.rated else None, settled, part, excess.rate_text, formula)


def band_rate(band: Band) -> Decimal | None:
    """Duty per unit of what falls into a band; None where an officer assesses."""
    return band.percent / HUNDRED if band.percent is not None else band.per_unit


def _to_the_cent(number: Decimal) -> Decimal:
    exponent = number.as_tuple().exponent
    return number if isinstance(exponent, int) and exponent >= -3 else number.quantize(CENT, ROUND_CEILING)


def most_within(worths: Sequence[Decimal], limit: Decimal) -> Decimal:
    """The largest sum of whole items that is not over `limit`: what can be free where no item may be split.

    Exact where the limit has no more than a million steps of a thousandth. Otherwise items are counted in
    coarser steps, rounded up, so that what is taken for free always is within the limit.
    """
    step = 1 / THOUSAND
    while limit / step > FINEST:
        step *= 10
    steps = int(limit / step)
    mask = (1 << (steps + 1)) - 1
    reachable = 1  # bit n: some items together make n steps
    for worth in worths:
        size = int((worth / step).to_integral_value(ROUND_CEILING))
        if size <= steps:
            reachable |= (reachable << size) & mask
    return (reachable.bit_length() - 1) * step
