"""People: Argon2id passwords, grants, signing keys, sessions and the sign-in throttle."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from central.access.permissions import Role, RoleGrant, User
from central.audit import PEOPLE, Audit
from central.keys import base64url
from central.sealing import Unreadable, decrypt, encrypt
from central.storage.models import Grant, SignInFailure, SignInSession, StoredUser
from contracts.disposition import Agency
from contracts.events import AuditTag

SIGNING_SUITE = "ed25519"
MINIMUM_PASSWORD = 10
THROTTLE_WINDOW = timedelta(minutes=15)
# Refused attempts in the window. Whoever guesses at one workstation locks that person out there, not everywhere
# and not everybody; the two larger limits stop those who guess from many places, or at many people.
THROTTLE_PER_PLACE = 5
THROTTLE_PER_USER = 50
THROTTLE_PER_ADDRESS = 30
SALT_BYTES = 16
Purpose = Literal["sign_in", "signing"]
USER_ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{1,63}$")


class Refused(Exception):
    """A sign-in or password that was not accepted. The text never says which half was wrong."""


class Throttled(Refused):
    """Too many refused attempts; try again after the window."""


class InvalidUser(ValueError):
    """A user that cannot be created or changed; the text says why."""


@dataclass(frozen=True)
class UserRow:
    """One person on the administrator's page."""

    user: User
    disabled: bool
    demo: bool
    created_at: datetime
    signing_key_id: str


class Users:
    """The people of one site."""

    def __init__(
        self,
        site_id: str,
        audit: Audit,
        throttle_key: bytes,
        hasher: PasswordHasher | None = None,
        *,
        production: bool = False,
    ) -> None:
        self._site = site_id
        self._audit = audit
        self._throttle_key = throttle_key
        self._production = production
        self._hasher = hasher or PasswordHasher()  # RFC 9106 low-memory profile: 64 MiB, 3 passes

    @cached_property
    def _nobody(self) -> str:
        """A hash of nothing anybody knows: refusing an unknown user takes as long as a wrong password."""
        return self._hasher.hash(secrets.token_urlsafe(32))

    def create(
        self,
        session: Session,
        *,
        user_id: str,
        name: str,
        password: str,
        grants: tuple[tuple[Role, Agency], ...],
        by: str,
        now: datetime,
        language: str = "en",
        demo: bool = False,
    ) -> User:
        """Create a person with a fresh signing key. Raises InvalidUser."""
        if not USER_ID.match(user_id):
            raise InvalidUser("a user name is 2 to 64 letters, digits, dots, hyphens or underscores")
        if not name.strip() or len(name) > 120:
            raise InvalidUser("a person has a name of at most 120 characters")
        if len(password) < MINIMUM_PASSWORD:
            raise InvalidUser(f"a password has at least {MINIMUM_PASSWORD} characters")
        if session.get(StoredUser, (self._site, user_id)) is not None:
            raise InvalidUser("this user name is taken")
        if demo and self._production:
            raise InvalidUser("a production service has no demonstration accounts")
        private = Ed25519PrivateKey.generate()
        public = private.public_key().public_bytes_raw()
        key_id = f"officer-{hashlib.sha256(public).hexdigest()[:16]}"
        session.add(
            StoredUser(
                site_id=self._site,
                user_id=user_id,
                name=name.strip(),
                language=language,
                password_hash=self._hasher.hash(password),
                disabled=False,
                demo=demo,
                created_at=now,
                signing_suite=SIGNING_SUITE,
                signing_key_id=key_id,
                signing_public_key=base64url(public),
                signing_key_wrapped=self._wrap(private, user_id, password),
            )
        )
        session.flush()
        self._audit.append(
            session, chain=PEOPLE, tag=AuditTag.ACCESS_USER_CREATED, actor=by, now=now, detail={"user": user_id}
        )
        self.set_grants(session, user_id=user_id, grants=grants, by=by, now=now)
        return self.load(session, user_id)

    def set_grants(
        self,
        session: Session,
        *,
        user_id: str,
        grants: tuple[tuple[Role, Agency], ...],
        by: str,
        now: datetime,
    ) -> None:
        """Replace a person's grants at this site; audited with old and new. Raises InvalidUser."""
        if session.get(StoredUser, (self._site, user_id)) is None:
            raise InvalidUser("there is no such user")
        mine = (Grant.site_id == self._site, Grant.user_id == user_id)
        old = sorted(f"{grant.role}/{grant.agency}" for grant in session.scalars(select(Grant).where(*mine)))
        session.execute(delete(Grant).where(*mine))
        for role, agency in dict.fromkeys(grants):
            session.add(
                Grant(
                    site_id=self._site,
                    user_id=user_id,
                    role=role.value,
                    agency=agency.value,
                    granted_at=now,
                    granted_by=by,
                )
            )
        session.flush()
        new = sorted({f"{role.value}/{agency.value}" for role, agency in grants})
        self._audit.append(
            session,
            chain=PEOPLE,
            tag=AuditTag.ACCESS_ROLE_CHANGED,
            actor=by,
            now=now,
            detail={"user": user_id, "old": old, "new": new},
        )

    def set_disabled(self, session: Session, *, user_id: str, disabled: bool, by: str, now: datetime) -> None:
        """Disable or enable a person; a disabled person's sessions end at once. Raises InvalidUser."""
        row = session.get(StoredUser, (self._site, user_id))
        if row is None:
            raise InvalidUser("there is no such user")
        if disabled and user_id == by:
            raise InvalidUser("nobody disables themselves")
        row.disabled = disabled
        if disabled:
            session.execute(
                delete(SignInSession).where(SignInSession.site_id == self._site, SignInSession.user_id == user_id)
            )
        self._audit.append(
            session,
            chain=PEOPLE,
            tag=AuditTag.ACCESS_ROLE_CHANGED,
            actor=by,
            now=now,
            detail={"user": user_id, "disabled": disabled},
        )

    def load(self, session: Session, user_id: str) -> User:
        """The person. Raises InvalidUser when there is none."""
        row = session.get(StoredUser, (self._site, user_id))
        if row is None:
            raise InvalidUser("there is no such user")
        return self._user(session, row)

    def all(self, session: Session) -> tuple[UserRow, ...]:
        """Everybody at the site, by user name."""
        rows = session.scalars(
            select(StoredUser).where(StoredUser.site_id == self._site).order_by(StoredUser.user_id)
        ).all()
        return tuple(
            UserRow(self._user(session, row), row.disabled, row.demo, row.created_at, row.signing_key_id)
            for row in rows
        )

    def check_password(self, session: Session, user_id: str, password: str) -> StoredUser:
        """The row of an enabled person whose password this is. Raises Refused, after the same work."""
        row = session.get(StoredUser, (self._site, user_id))
        try:
            self._hasher.verify(self._nobody if row is None else row.password_hash, password)
        except (VerificationError, InvalidHashError) as problem:
            raise Refused("user name or password") from problem
        if row is None or row.disabled:
            raise Refused("user name or password")
        return row

    def signing_key(self, session: Session, user_id: str, password: str) -> tuple[StoredUser, Ed25519PrivateKey]:
        """The person's signing key, which only the password opens. Raises Refused."""
        row = self.check_password(session, user_id, password)
        salt, wrapped = row.signing_key_wrapped[:SALT_BYTES], row.signing_key_wrapped[SALT_BYTES:]
        try:
            raw = decrypt(_password_key(password, salt), wrapped, self._key_place(user_id))
        except Unreadable as problem:
            raise Refused("the signing key does not open") from problem
        return row, Ed25519PrivateKey.from_private_bytes(raw)

    def throttle(
        self, session: Session, user_id: str, address: str, now: datetime, purpose: Purpose = "sign_in"
    ) -> None:
        """Raises Throttled when this person was refused too often here, or anybody was from this address.

        Signing in and signing are counted apart: whoever guesses at the sign-in page keeps nobody from signing.
        """
        for subject, limit in _subjects(purpose, user_id, address).items():
            count = session.scalar(
                select(func.count())
                .select_from(SignInFailure)
                .where(
                    SignInFailure.site_id == self._site,
                    SignInFailure.subject == self._subject(subject),
                    SignInFailure.failed_at > now - THROTTLE_WINDOW,
                )
            )
            if (count or 0) >= limit:
                raise Throttled("too many attempts")

    def count_failure(
        self, session: Session, user_id: str, address: str, now: datetime, purpose: Purpose = "sign_in"
    ) -> None:
        """Remember a refused attempt for the throttle, and forget those that no longer count."""
        session.execute(
            delete(SignInFailure).where(
                SignInFailure.site_id == self._site, SignInFailure.failed_at <= now - THROTTLE_WINDOW
            )
        )
        for subject in _subjects(purpose, user_id, address):
            session.add(
                SignInFailure(
                    site_id=self._site,
                    subject=self._subject(subject),
                    attempt_id=secrets.token_hex(8),
                    failed_at=now,
                )
            )
        self._audit.append(session, chain=PEOPLE, tag=AuditTag.ACCESS_USER_REFUSED, actor="unknown", now=now)

    def sign_in(self, session: Session, row: StoredUser, now: datetime) -> str:
        """Open a session; returns the token for the cookie."""
        token = secrets.token_urlsafe(32)
        session.add(
            SignInSession(
                site_id=self._site,
                token_sha256=_token_hash(token),
                user_id=row.user_id,
                created_at=now,
                seen_at=now,
            )
        )
        self._audit.append(session, chain=PEOPLE, tag=AuditTag.ACCESS_USER_SIGNED_IN, actor=row.user_id, now=now)
        return token

    def sign_out(self, session: Session, token: str, now: datetime) -> None:
        """End the session of a token, if there is one."""
        row = session.get(SignInSession, (self._site, _token_hash(token)))
        if row is not None:
            self._audit.append(
                session, chain=PEOPLE, tag=AuditTag.ACCESS_USER_SIGNED_OUT, actor=row.user_id, now=now
            )
            session.delete(row)

    def of_session(
        self, session: Session, token: str, now: datetime, *, idle: timedelta, longest: timedelta
    ) -> tuple[User, datetime] | None:
        """The enabled person whose session this is and when it was last seen; None when it is over."""
        row = session.get(SignInSession, (self._site, _token_hash(token)))
        if row is None or now - row.seen_at > idle or now - row.created_at > longest:
            return None
        stored = session.get(StoredUser, (self._site, row.user_id))
        if stored is None or stored.disabled:
            return None
        return self._user(session, stored), row.seen_at

    def touch(self, session: Session, token: str, now: datetime) -> None:
        """Push the idle limit of a session on."""
        row = session.get(SignInSession, (self._site, _token_hash(token)))
        if row is not None:
            row.seen_at = now

    def end_stale(self, session: Session, now: datetime, *, longest: timedelta) -> None:
        """Forget sessions that are over in any case."""
        session.execute(
            delete(SignInSession).where(
                SignInSession.site_id == self._site, SignInSession.created_at < now - longest
            )
        )

    def _user(self, session: Session, row: StoredUser) -> User:
        grants = session.scalars(
            select(Grant).where(Grant.site_id == self._site, Grant.user_id == row.user_id).order_by(Grant.role)
        ).all()
        return User(
            user_id=row.user_id,
            name=row.name,
            language=row.language,
            grants=tuple(RoleGrant(Role(grant.role), Agency(grant.agency), grant.site_id) for grant in grants),
        )

    def _wrap(self, private: Ed25519PrivateKey, user_id: str, password: str) -> bytes:
        salt = secrets.token_bytes(SALT_BYTES)
        return salt + encrypt(_password_key(password, salt), private.private_bytes_raw(), self._key_place(user_id))

    def _key_place(self, user_id: str) -> str:
        return f"{self._site}|{user_id}|signing key"

    def _subject(self, text: str) -> str:
        return hmac.new(self._throttle_key, text.encode(), "sha256").hexdigest()


def _subjects(purpose: Purpose, user_id: str, address: str) -> dict[str, int]:
    """What a refused attempt counts against, and how many each of them bears."""
    subjects = {
        f"{purpose}|place:{user_id}|{address}": THROTTLE_PER_PLACE,
        f"{purpose}|user:{user_id}": THROTTLE_PER_USER,
    }
    if purpose == "sign_in":  # who signs has signed in; officers share a workstation, and not their mistakes
        subjects[f"{purpose}|address:{address}"] = THROTTLE_PER_ADDRESS
    return subjects


def _password_key(password: str, salt: bytes) -> bytes:
    return hash_secret_raw(
        password.encode(), salt, time_cost=3, memory_cost=65536, parallelism=4, hash_len=32, type=Type.ID
    )


def _token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
