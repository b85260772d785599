"""Bundles of central that a kiosk keeps (the trust store, the law): believed under one key, never an older one.

Central names the version and the hash of its bundle in what it signs; the kiosk fetches that bundle, keeps it in
its data directory as it was signed, and proves it again at every start. Whatever is wrong with a bundle, the one
in use stays in use, and health says so.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import ValidationError

from contracts.api import DeviceHealth, DeviceState, LawBundle, TrustBundle
from contracts.canonical import canonical_json, content_hash
from contracts.errors import ErrorCode
from kiosk.central_client import CentralError
from kiosk.central_key import CentralKey

Bundle = TypeVar("Bundle", LawBundle, TrustBundle)
Opened = TypeVar("Opened")

_LOG = logging.getLogger(__name__)


class Unfit(ValueError):
    """A bundle that is signed and of this site, and not to be used all the same. Its text is the problem."""


class BundleKeeper(Generic[Bundle, Opened]):
    """The bundle in use (`opened`, None for what the kiosk was set up with), and the way to the next (`follow`).

    `open_` makes of a signed bundle what the kiosk works with, and raises Unfit or ValueError; `fetch` asks
    central and raises CentralError. `device` names it in health, `title` in words.
    """

    def __init__(
        self,
        device: str,
        title: str,
        path: Path,
        site_id: str,
        key: CentralKey,
        model: type[Bundle],
        open_: Callable[[Bundle], Opened],
        fetch: Callable[[], Bundle],
    ) -> None:
        self._device = device
        self._title = title
        self._path = path
        self._site_id = site_id
        self._key = key
        self._model: type[Bundle] = model
        self._open: Callable[[Bundle], Opened] = open_
        self._fetch: Callable[[], Bundle] = fetch
        self._problem = ""
        self.opened: Opened | None = None
        self.version = 0
        self._begin()

    def follow(self, version: int, sha256: str | None) -> bool:
        """Fetch the version that central names, unless it is in use. True when another one is in use now.

        Comes back without it when central is away or the bundle is not to be believed: it is asked again with the
        next answer.
        """
        if version <= self.version:
            # An older one is a central that was set back; what was approved later has been seen here.
            self._problem = "central_is_behind" if version < self.version else ""
            return False
        try:
            bundle = self._fetch()
        except CentralError as error:
            self._problem = "not_fetched"
            _LOG.info("%s %d not fetched: %s", self._title, version, error.code)
            return False
        if content_hash(bundle.model_copy(update={"signature": None})) != sha256 or bundle.version != version:
            self._refuse(version, "not_what_was_named")
            return False
        if not self._use(bundle):
            return False
        self._keep(bundle)
        self._problem = ""
        return True

    def health(self, now: datetime) -> DeviceHealth:
        """WATCH while central names a version that this kiosk cannot have."""
        if not self._problem:
            return DeviceHealth(device=self._device, state=DeviceState.WORKING, checked_at=now)
        waits = self._problem in ("not_fetched", "central_is_behind")
        return DeviceHealth(
            device=self._device,
            state=DeviceState.WATCH,
            error=ErrorCode.CENTRAL_UNREACHABLE if waits else ErrorCode.SIGNATURE_INVALID,
            detail=f"The {self._title} of central is not in use ({self._problem}); version {self.version} is.",
            checked_at=now,
        )

    def _begin(self) -> None:
        try:
            bundle = self._model.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return
        except (OSError, ValidationError):
            self._refuse(0, "kept_file_unreadable")
            return
        self._use(bundle)

    def _use(self, bundle: Bundle) -> bool:
        unsigned = canonical_json(bundle.model_copy(update={"signature": None}))
        if not self._key.vouches(unsigned, bundle.signature):
            return self._refuse(bundle.version, "signature_invalid")
        if bundle.site_id != self._site_id:
            return self._refuse(bundle.version, "of_another_site")
        try:
            opened = self._open(bundle)
        except Unfit as unfit:
            return self._refuse(bundle.version, str(unfit))
        except ValueError:
            return self._refuse(bundle.version, "malformed")  # or of a later software than this
        self.opened, self.version = opened, bundle.version
        return True

    def _refuse(self, version: int, problem: str) -> bool:
        self._problem = problem
        _LOG.error("%s %d refused: %s", self._title, version, problem)
        return False

    def _keep(self, bundle: Bundle) -> None:
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
            _LOG.error("%s %d cannot be kept: %s", self._title, bundle.version, type(error).__name__)
