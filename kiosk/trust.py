"""The trust store of this kiosk: what it was set up with, or what central keeps for the site once it does."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from contracts.api import DeviceHealth, KioskConfiguration, TrustBundle
from documents.certificates import Certificate, RevocationList
from documents.trust import TrustStore
from kiosk.bundles import BundleKeeper, Unfit
from kiosk.central_key import CentralKey

_LOG = logging.getLogger(__name__)
FILE_NAME = "trust.json"


class TrustKeeper:
    """The store in use (`store`), and the way to the next one (`follow`).

    `own` is the store of the set-up; `fetch` asks central for its bundle and raises CentralError.
    """

    def __init__(
        self,
        data_dir: Path,
        site_id: str,
        own: TrustStore,
        key: CentralKey,
        fetch: Callable[[], TrustBundle],
        *,
        production: bool,
    ) -> None:
        self._own = own
        self._production = production
        self._bundle = BundleKeeper(
            "trust", "trust store", data_dir / FILE_NAME, site_id, key, TrustBundle, self._opened, fetch
        )

    @property
    def version(self) -> int:
        """The version in use; 0 for the store of the set-up."""
        return self._bundle.version

    @property
    def store(self) -> TrustStore:
        return self._own if self._bundle.opened is None else self._bundle.opened

    def follow(self, said: KioskConfiguration) -> None:
        """Fetch the version that central names, unless it is in use. For configurations that were accepted."""
        if self._bundle.follow(said.trust_version, said.trust_sha256):
            _LOG.info("trust store %d in use: %d authorities", self.version, len(self.store.certificates))

    def health(self, now: datetime) -> DeviceHealth:
        """WATCH while central names a store that this kiosk cannot have."""
        return self._bundle.health(now)

    def _opened(self, bundle: TrustBundle) -> TrustStore:
        store = TrustStore(
            *(
                tuple(base64.b64decode(text, validate=True) for text in group)
                for group in (bundle.certificates, bundle.revocation_lists, bundle.signers)
            )
        )
        for der in (*store.certificates, *store.signers):
            Certificate(der)
        for der in store.crls:
            RevocationList(der)
        if self._production and store.specimens:
            raise Unfit("specimen")
        return store
