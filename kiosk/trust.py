"""The trust store of this kiosk: what it was set up with, or what central keeps for the site once it does.

Central names the version and its hash in what it signs; the kiosk fetches that bundle, believes it only under the
pinned key, and never goes back to an older one. It keeps the bundle in its data directory as it was signed, and
proves it again at every start. Whatever is wrong with a bundle, the store in use stays in use, and health says so.
"""

from __future__ import annotations

import base64
import binascii
import logging
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from contracts.api import DeviceHealth, DeviceState, KioskConfiguration, TrustBundle
from contracts.canonical import canonical_json, content_hash
from contracts.errors import ErrorCode
from documents.certificates import Certificate, RevocationList
from documents.trust import TrustStore
from kiosk.central_client import CentralError
from kiosk.central_key import CentralKey

FILE_NAME = "trust.json"
_LOG = logging.getLogger(__name__)


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
        self._path = data_dir / FILE_NAME
        self._site_id = site_id
        self._key = key
        self._fetch = fetch
        self._production = production
        self._problem = ""
        self._store, self.version = own, 0
        kept = self._kept()
        if kept is not None:
            self._store, self.version = kept

    @property
    def store(self) -> TrustStore:
        return self._store

    def follow(self, said: KioskConfiguration) -> None:
        """Fetch the version that central names, unless it is in use. For configurations that were accepted.

        Comes back without it when central is away or the bundle is not to be believed: it is asked again with
        the next answer.
        """
        if said.trust_version <= self.version:
            # An older one is a central that was set back; what was approved later has been seen here.
            self._problem = "central_is_behind" if said.trust_version < self.version else ""
            return
        try:
            bundle = self._fetch()
        except CentralError as error:
            self._problem = "not_fetched"
            _LOG.info("trust store %d not fetched: %s", said.trust_version, error.code)
            return
        unsigned = bundle.model_copy(update={"signature": None})
        if content_hash(unsigned) != said.trust_sha256 or bundle.version != said.trust_version:
            self._refuse(said.trust_version, "not_what_was_named")
            return
        store, problem = self._judged(bundle)
        if store is None:
            self._refuse(said.trust_version, problem)
            return
        self._keep(bundle)
        self._store, self.version, self._problem = store, bundle.version, ""
        _LOG.info("trust store %d in use: %d authorities", bundle.version, len(store.certificates))

    def health(self, now: datetime) -> DeviceHealth:
        """WATCH while central names a store that this kiosk cannot have."""
        if not self._problem:
            return DeviceHealth(device="trust", state=DeviceState.WORKING, checked_at=now)
        waits = self._problem in ("not_fetched", "central_is_behind")
        return DeviceHealth(
            device="trust",
            state=DeviceState.WATCH,
            error=ErrorCode.CENTRAL_UNREACHABLE if waits else ErrorCode.SIGNATURE_INVALID,
            detail=f"The trust store of central is not in use ({self._problem}); version {self.version} is.",
            checked_at=now,
        )

    def _refuse(self, version: int, problem: str) -> None:
        self._problem = problem
        _LOG.error("trust store %d refused: %s", version, problem)

    def _judged(self, bundle: TrustBundle) -> tuple[TrustStore | None, str]:
        if not self._key.vouches(canonical_json(bundle.model_copy(update={"signature": None})), bundle.signature):
            return None, "signature_invalid"
        if bundle.site_id != self._site_id:
            return None, "of_another_site"
        try:
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
        except (ValueError, binascii.Error):
            return None, "malformed"
        if self._production and store.specimens:
            return None, "specimen"
        return store, ""

    def _kept(self) -> tuple[TrustStore, int] | None:
        try:
            bundle = TrustBundle.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError):
            self._refuse(0, "kept_file_unreadable")
            return None
        store, problem = self._judged(bundle)
        if store is None:
            self._refuse(bundle.version, problem)
            return None
        return store, bundle.version

    def _keep(self, bundle: TrustBundle) -> None:
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
            _LOG.error("trust store %d cannot be kept: %s", bundle.version, type(error).__name__)
