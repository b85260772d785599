"""The law of this kiosk: the packs and exchange rates that central keeps for the site, or those of the set-up.

Central names the number and hash of its bundle in what it signs; the kiosk fetches the bundle, believes it only
under the pinned key, and never goes back to an older one. The bundle holds the pack that is law now and those
that will be from a known moment on, so that the kiosk changes over at the site's midnight, with or without a link.
It is kept in the data directory as it was signed, and proven again at every start.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from contracts.api import DeviceHealth, DeviceState, KioskConfiguration, LawBundle
from contracts.canonical import canonical_json, content_hash
from contracts.errors import ErrorCode
from declarations.money import Rates
from declarations.packs import RulePack
from kiosk.central_client import CentralError
from kiosk.central_key import CentralKey

FILE_NAME = "law.json"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Law:
    """What one session goes by, from its beginning to its end. `sha256` names the pack to central."""

    pack: RulePack
    sha256: str
    rates: Rates | None


@dataclass(frozen=True)
class _Kept:
    """A believed bundle, parsed: packs by the moment they begin, rates by their day."""

    version: int
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
        self._path = data_dir / FILE_NAME
        self._site_id = site_id
        self._own = own
        self._key = key
        self._fetch = fetch
        self._production = production
        self._problem = ""
        self._bundle = self._kept()

    @property
    def version(self) -> int:
        """The number of the bundle in use; 0 for the law of the set-up."""
        return self._bundle.version if self._bundle is not None else 0

    def at(self, moment: datetime) -> Law:
        """The law for a session that begins at `moment` (aware, in the site's zone)."""
        kept = self._bundle
        if kept is None:
            return self._own
        begun = [(pack, sha256) for begins, pack, sha256 in kept.packs if begins <= moment]
        # Before the first one begins (a clock that is behind) it is the first one all the same.
        pack, sha256 = begun[-1] if begun else kept.packs[0][1:]
        of_day = [rates for rates in kept.rates if rates.date <= moment.date()]
        return Law(pack, sha256, of_day[-1] if of_day else None)

    def follow(self, said: KioskConfiguration) -> None:
        """Fetch the bundle that central names, unless it is in use. For configurations that were accepted.

        Comes back without it when central is away or the bundle is not to be believed: it is asked again with
        the next answer.
        """
        if said.law_version <= self.version:
            # An older one is a central that was set back; what was approved later has been seen here.
            self._problem = "central_is_behind" if said.law_version < self.version else ""
            return
        try:
            bundle = self._fetch()
        except CentralError as error:
            self._problem = "not_fetched"
            _LOG.info("law %d not fetched: %s", said.law_version, error.code)
            return
        unsigned = bundle.model_copy(update={"signature": None})
        if content_hash(unsigned) != said.law_sha256 or bundle.version != said.law_version:
            self._refuse(said.law_version, "not_what_was_named")
            return
        kept, problem = self._judged(bundle)
        if kept is None:
            self._refuse(said.law_version, problem)
            return
        self._keep(bundle)
        self._bundle, self._problem = kept, ""
        _LOG.info("law %d in use: %s", kept.version, ", ".join(pack.label for _, pack, _ in kept.packs))

    def health(self, now: datetime) -> DeviceHealth:
        """WATCH while central names a law that this kiosk cannot have."""
        if not self._problem:
            return DeviceHealth(device="law", state=DeviceState.WORKING, checked_at=now)
        waits = self._problem in ("not_fetched", "central_is_behind")
        return DeviceHealth(
            device="law",
            state=DeviceState.WATCH,
            error=ErrorCode.CENTRAL_UNREACHABLE if waits else ErrorCode.SIGNATURE_INVALID,
            detail=f"The rule pack of central is not in use ({self._problem}); number {self.version} is.",
            checked_at=now,
        )

    def _refuse(self, version: int, problem: str) -> None:
        self._problem = problem
        _LOG.error("law %d refused: %s", version, problem)

    def _judged(self, bundle: LawBundle) -> tuple[_Kept | None, str]:
        if not self._key.vouches(canonical_json(bundle.model_copy(update={"signature": None})), bundle.signature):
            return None, "signature_invalid"
        if bundle.site_id != self._site_id:
            return None, "of_another_site"
        try:
            packs = tuple(
                (one.effective_at, RulePack.model_validate_json(one.content), one.sha256) for one in bundle.packs
            )
            rates = tuple(Rates.model_validate_json(one) for one in bundle.rates)
        except ValueError:
            return None, "malformed"  # or of a later software than this
        if any(hashlib.sha256(one.content.encode()).hexdigest() != one.sha256 for one in bundle.packs):
            return None, "malformed"
        if self._production and any(one.demonstration for one in rates):
            return None, "demonstration"
        return _Kept(bundle.version, packs, tuple(sorted(rates, key=lambda one: one.date))), ""

    def _kept(self) -> _Kept | None:
        try:
            bundle = LawBundle.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError):
            self._refuse(0, "kept_file_unreadable")
            return None
        kept, problem = self._judged(bundle)
        if kept is None:
            self._refuse(bundle.version, problem)
        return kept

    def _keep(self, bundle: LawBundle) -> None:
        """Replace the kept bundle at once or not at all; one that cannot be written is fetched again."""
        fresh = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with fresh.open("wb") as file:
                file.write(bundle.model_dump_json().encode())
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
        except OSError as error:
            _LOG.error("law %d cannot be kept: %s", bundle.version, type(error).__name__)
