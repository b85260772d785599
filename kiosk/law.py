"""The law of this kiosk: the packs and exchange rates that central keeps for the site, or those of the set-up.

The bundle holds the pack that is law now and those that will be from a known moment on, so that the kiosk changes
over at the site's midnight, with or without a link.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from contracts.api import DeviceHealth, KioskConfiguration, LawBundle
from contracts.declaration import TransportMode
from contracts.party import Direction
from declarations import evaluate
from declarations.eligibility import age_on
from declarations.money import Rates
from declarations.packs import RulePack
from kiosk.bundles import BundleKeeper, Unfit
from kiosk.central_key import CentralKey

_LOG = logging.getLogger(__name__)
FILE_NAME = "law.json"


@dataclass(frozen=True)
class Law:
    """What one session goes by, from its beginning to its end. `sha256` names the pack to central."""

    pack: RulePack
    sha256: str
    rates: Rates | None

    def is_minor(
        self, birth: date | None, today: date, direction: Direction, transport: TransportMode
    ) -> bool | None:
        """Whether another person declares for this one; None where that is not known, and an officer settles it.

        The age from which one declares is the pack's (a rule of effect `declarant`, BY-28). Where no rule says it,
        those are minors whom the pack does not let alone: nobody is said to speak for them either, so the
        evaluator refers them. A pack that tells neither tells minors from nobody.
        """
        age = age_on(birth, today) if birth is not None else None
        least = self._declares_from(today, direction, transport)
        return None if age is None or least is None else age < least

    def _declares_from(self, today: date, direction: Direction, transport: TransportMode) -> int | None:
        law = evaluate.Law.of(self.pack, direction, transport, today)
        if law.declarant is not None:
            return law.declarant_age
        limits = [
            limit
            for exclusion in self.pack.eligibility
            for limit in (exclusion.under_age, exclusion.unaccompanied_under_age)
            if limit is not None
        ]
        return max(limits, default=None)


@dataclass(frozen=True)
class _Opened:
    """A believed bundle: packs by the moment they begin, rates by their day."""

    packs: tuple[tuple[datetime, RulePack, str], ...]
    rates: tuple[Rates, ...]


class LawKeeper:
    """The law at a moment (`at`), and the way to the next bundle (`follow`).

    `own` is the law of the set-up; `fetch` asks central for its bundle and raises CentralError.
    """

    def __init__(
        self,
        data_dir: Path,
        site_id: str,
        own: Law,
        key: CentralKey,
        fetch: Callable[[], LawBundle],
        *,
        production: bool,
    ) -> None:
        self._own = own
        self._production = production
        self._bundle = BundleKeeper(
            "law", "rule pack", data_dir / FILE_NAME, site_id, key, LawBundle, self._opened, fetch
        )

    @property
    def version(self) -> int:
        """The number of the bundle in use; 0 for the law of the set-up."""
        return self._bundle.version

    def at(self, moment: datetime) -> Law:
        """The law for a session that begins at `moment` (aware, in the site's zone)."""
        opened = self._bundle.opened
        if opened is None:
            return self._own
        begun = [(pack, sha256) for begins, pack, sha256 in opened.packs if begins <= moment]
        # Before the first one begins (a clock that is behind) it is the first one all the same.
        pack, sha256 = begun[-1] if begun else opened.packs[0][1:]
        of_day = [rates for rates in opened.rates if rates.date <= moment.date()]
        return Law(pack, sha256, of_day[-1] if of_day else None)

    def follow(self, said: KioskConfiguration) -> None:
        """Fetch the bundle that central names, unless it is in use. For configurations that were accepted."""
        if self._bundle.follow(said.law_version, said.law_sha256) and self._bundle.opened is not None:
            labels = ", ".join(pack.label for _, pack, _ in self._bundle.opened.packs)
            _LOG.info("law %d in use: %s", self.version, labels)

    def health(self, now: datetime) -> DeviceHealth:
        """WATCH while central names a law that this kiosk cannot have."""
        return self._bundle.health(now)

    def _opened(self, bundle: LawBundle) -> _Opened:
        packs = tuple(
            (one.effective_at, RulePack.model_validate_json(one.content), one.sha256) for one in bundle.packs
        )
        rates = tuple(Rates.model_validate_json(one) for one in bundle.rates)
        if any(hashlib.sha256(one.content.encode()).hexdigest() != one.sha256 for one in bundle.packs):
            raise Unfit("malformed")
        if self._production and any(one.demonstration for one in rates):
            raise Unfit("demonstration")
        return _Opened(packs, tuple(sorted(rates, key=lambda one: one.date)))
