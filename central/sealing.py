"""Envelope encryption by retention class: a data key per transaction and class, wrapped by the master key.

A record is taken apart along the `x-retention` marks of its contract. Each class becomes one ciphertext under a
data key of its own, so that deleting one row erases exactly that class, in every backup that keys are kept out
of, and leaves the others and the audit chain intact (rules 5 and 11). Ciphertexts name their suite; the
associated data is `site|record|part`, so that no ciphertext can be moved to another place.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from central.config import Retention
from central.keys import KeyRing
from central.storage.models import DataKey, SealedPart
from contracts.base import RetentionClass

SUITE = "aes-256-gcm"
NONCE_BYTES = 12
# Nothing of these classes is personal or outlives the session at central: they are sealed with the outcome.
SEALED_WITH_OUTCOME = (RetentionClass.OPERATIONAL, RetentionClass.SESSION)

Leaf = tuple[list[str | int], Any]


Model = TypeVar("Model", bound=BaseModel)


class Erased(LookupError):
    """The data key is gone: the data was erased."""


class Unreadable(ValueError):
    """A ciphertext that does not open: altered, moved, or its master key is missing."""


def encrypt(key: bytes, plaintext: bytes, associated: str) -> bytes:
    """AES-256-GCM with a random 96-bit nonce, which comes first in the result."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, associated.encode())


def decrypt(key: bytes, ciphertext: bytes, associated: str) -> bytes:
    """The inverse of `encrypt`. Raises Unreadable."""
    try:
        return AESGCM(key).decrypt(ciphertext[:NONCE_BYTES], ciphertext[NONCE_BYTES:], associated.encode())
    except (InvalidTag, ValueError) as problem:
        raise Unreadable(f"{associated}: the ciphertext does not open") from problem


class Envelope:
    """Seals and opens the parts of transactions of one site."""

    def __init__(self, site_id: str, master: KeyRing, retention: Retention) -> None:
        self._site = site_id
        self._master = master
        self._retention = retention
        self._index_key = hmac.digest(master.keys[-1].secret, b"corridor blind index 1", "sha256")

    def seal(
        self,
        session: Session,
        record_id: str,
        name: str,
        retention: RetentionClass,
        plaintext: bytes,
        now: datetime,
    ) -> str:
        """Store `plaintext` as the part `name`; returns the SHA-256 of the ciphertext, for the audit chain."""
        ciphertext = encrypt(
            self._data_key(session, record_id, retention, now), plaintext, self._place(record_id, name)
        )
        session.add(
            SealedPart(
                site_id=self._site,
                record_id=record_id,
                name=name,
                retention=retention.value,
                suite=SUITE,
                ciphertext=ciphertext,
            )
        )
        return hashlib.sha256(ciphertext).hexdigest()

    def open(self, session: Session, record_id: str, name: str) -> bytes:
        """The plaintext of one part. Raises KeyError (no such part), Erased or Unreadable."""
        part = session.get(SealedPart, (self._site, record_id, name))
        if part is None:
            raise KeyError(name)
        return self._open(session, part)

    def seal_model(self, session: Session, record_id: str, name: str, model: BaseModel, now: datetime) -> str:
        """Seal a contract class by class as `name:<class>`; returns one SHA-256 over all ciphertexts in order."""
        together = hashlib.sha256()
        for retention, leaves in sorted(split(model).items()):
            plaintext = json.dumps(leaves, ensure_ascii=False, separators=(",", ":")).encode()
            part = f"{name}:{retention.value}"
            together.update(self.seal(session, record_id, part, retention, plaintext, now).encode())
        return together.hexdigest()

    def open_model(self, session: Session, record_id: str, name: str, model: type[Model]) -> Model:
        """The contract as it was sealed. Raises KeyError, Erased (any class of it is gone) or Unreadable."""
        parts = session.scalars(
            select(SealedPart).where(
                SealedPart.site_id == self._site,
                SealedPart.record_id == record_id,
                SealedPart.name.startswith(f"{name}:", autoescape=True),
            )
        ).all()
        if not parts:
            raise KeyError(name)
        leaves: list[Leaf] = []
        for part in parts:
            leaves += json.loads(self._open(session, part))
        return model.model_validate_json(json.dumps(join(leaves)))

    def blind(self, issuer: str, number: str) -> str:
        """The blind index of a document: a keyed hash that only the master key can make."""
        return hmac.new(self._index_key, f"{issuer}|{number}".encode(), "sha256").hexdigest()

    def _open(self, session: Session, part: SealedPart) -> bytes:
        row = session.get(DataKey, (self._site, part.record_id, part.retention))
        if row is None:
            raise Erased(f"{part.retention} data of this record was erased")
        return decrypt(self._unwrap(row), part.ciphertext, self._place(part.record_id, part.name))

    def _data_key(self, session: Session, record_id: str, retention: RetentionClass, now: datetime) -> bytes:
        # Keys made in this write are remembered with it: each part would ask the database for its key again.
        made: dict[tuple[str, RetentionClass], bytes] = session.info.setdefault("data_keys", {})
        if (record_id, retention) in made:
            return made[record_id, retention]
        row = session.get(DataKey, (self._site, record_id, retention.value))
        if row is not None:
            return self._unwrap(row)
        key = made[record_id, retention] = secrets.token_bytes(32)
        master = self._master.current
        session.add(
            DataKey(
                site_id=self._site,
                record_id=record_id,
                retention=retention.value,
                suite=SUITE,
                master_key_id=master.key_id,
                wrapped=encrypt(master.secret, key, self._place(record_id, f"key:{retention.value}")),
                expires_at=now + timedelta(days=self._retention.days(retention.value)),
            )
        )
        return key

    def _unwrap(self, row: DataKey) -> bytes:
        master = self._master.named(row.master_key_id)
        if master is None:
            raise Unreadable(f"the master key {row.master_key_id} is not in the key file")
        return decrypt(master.secret, row.wrapped, self._place(row.record_id, f"key:{row.retention}"))

    def _place(self, record_id: str, name: str) -> str:
        return f"{self._site}|{record_id}|{name}"


def split(model: BaseModel) -> dict[RetentionClass, list[Leaf]]:
    """The leaves of a contract by retention class; a leaf is its path and its JSON value.

    A field without a mark has the class of the field that holds it; at the top that is the outcome's.
    """
    parts: dict[RetentionClass, list[Leaf]] = {}
    for path, value, retention in _leaves(model, model.model_dump(mode="json"), [], RetentionClass.OUTCOME):
        kept = RetentionClass.OUTCOME if retention in SEALED_WITH_OUTCOME else retention
        parts.setdefault(kept, []).append((path, value))
    return parts


def join(leaves: Iterable[Leaf]) -> Any:
    """The inverse of `split`: one JSON value from the leaves of all classes, in any order."""
    root: dict[str | int, Any] = {}
    lists: set[int] = set()
    for path, value in leaves:
        node = root
        for step, following in pairwise(path):
            node = node.setdefault(step, {})
            if isinstance(following, int):
                lists.add(id(node))
        node[path[-1]] = value
    return _with_lists(root, lists)


def _leaves(
    source: object, dumped: Any, path: list[str | int], retention: RetentionClass
) -> Iterator[tuple[list[str | int], Any, RetentionClass]]:
    if isinstance(source, BaseModel):
        for name, field in type(source).model_fields.items():
            extra = field.json_schema_extra
            mark = extra.get("x-retention") if isinstance(extra, dict) else None
            inner = RetentionClass(str(mark)) if mark else retention
            yield from _leaves(getattr(source, name), dumped[name], [*path, name], inner)
    elif isinstance(source, tuple) and source and isinstance(source[0], BaseModel):
        for position, item in enumerate(source):
            yield from _leaves(item, dumped[position], [*path, position], retention)
    else:
        yield path, dumped, retention


def _with_lists(node: Any, lists: set[int]) -> Any:
    if not isinstance(node, dict):
        return node
    if id(node) in lists:
        return [_with_lists(node[position], lists) for position in sorted(node)]
    return {name: _with_lists(value, lists) for name, value in node.items()}
