"""The permission table. A role holds permissions; a grant gives a person a role in an agency at a site."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from contracts.disposition import Agency


class Role(StrEnum):
    OFFICER = "officer"  # works the queue of an agency
    SUPERVISOR = "supervisor"  # an officer who also sees alarms, closes no-shows and confirms as second
    ADMINISTRATOR = "administrator"  # people, kiosks, rules; no cases
    AUDITOR = "auditor"  # reads audit, rules and figures; changes nothing


class Permission(StrEnum):
    QUEUE_VIEW = "queue_view"
    CASE_VIEW = "case_view"
    CASE_CLAIM = "case_claim"
    CASE_DISPOSE = "case_dispose"
    CASE_CONFIRM = "case_confirm"  # sign as the second officer
    NO_SHOW_CLOSE = "no_show_close"
    ALARMS_VIEW = "alarms_view"
    EXIT_CHECK = "exit_check"
    KIOSKS_VIEW = "kiosks_view"
    KIOSKS_CHANGE = "kiosks_change"
    USERS_VIEW = "users_view"
    USERS_CHANGE = "users_change"
    RULES_VIEW = "rules_view"
    RULES_CHANGE = "rules_change"  # propose law, ask for or approve its activation, import exchange rates
    TRUST_VIEW = "trust_view"  # whose certificates kiosks believe
    TRUST_CHANGE = "trust_change"  # propose a trust store, or approve what another proposed
    FACES_VIEW = "faces_view"  # what kiosks compare faces with, and how well
    FACES_MEASURE = "faces_measure"  # bring pictures to be compared, count what officers found
    AUDIT_VIEW = "audit_view"
    FIGURES_VIEW = "figures_view"
    SELF = "self"  # own session: sign out, own language


_OFFICER = frozenset(
    {
        Permission.QUEUE_VIEW,
        Permission.CASE_VIEW,
        Permission.CASE_CLAIM,
        Permission.CASE_DISPOSE,
        Permission.CASE_CONFIRM,
        Permission.EXIT_CHECK,
        Permission.KIOSKS_VIEW,
        Permission.RULES_VIEW,
        Permission.FIGURES_VIEW,
        Permission.SELF,
    }
)

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.OFFICER: _OFFICER,
    Role.SUPERVISOR: _OFFICER | {Permission.NO_SHOW_CLOSE, Permission.ALARMS_VIEW, Permission.KIOSKS_CHANGE},
    Role.ADMINISTRATOR: frozenset(
        {
            Permission.KIOSKS_VIEW,
            Permission.KIOSKS_CHANGE,
            Permission.USERS_VIEW,
            Permission.USERS_CHANGE,
            Permission.RULES_VIEW,
            Permission.RULES_CHANGE,
            Permission.TRUST_VIEW,
            Permission.TRUST_CHANGE,
            Permission.FACES_VIEW,
            Permission.FACES_MEASURE,
            Permission.AUDIT_VIEW,
            Permission.FIGURES_VIEW,
            Permission.SELF,
        }
    ),
    Role.AUDITOR: frozenset(
        {
            Permission.RULES_VIEW,
            Permission.TRUST_VIEW,
            Permission.FACES_VIEW,
            Permission.AUDIT_VIEW,
            Permission.FIGURES_VIEW,
            Permission.SELF,
        }
    ),
}


@dataclass(frozen=True)
class RoleGrant:
    """One role in one agency at one site."""

    role: Role
    agency: Agency
    site_id: str


@dataclass(frozen=True)
class User:
    """A person as the rest of central sees them: no password, no key."""

    user_id: str
    name: str
    language: str
    grants: tuple[RoleGrant, ...]

    def may(self, permission: Permission, *, site_id: str, agency: Agency | None = None) -> bool:
        """True when a grant at this site (and of this agency, if one is named) holds the permission."""
        return any(
            permission in PERMISSIONS[grant.role]
            and grant.site_id == site_id
            and (agency is None or grant.agency is agency)
            for grant in self.grants
        )

    def agencies(self, permission: Permission, *, site_id: str) -> tuple[Agency, ...]:
        """The agencies in which the person holds the permission at the site, in the order of the enumeration."""
        return tuple(agency for agency in Agency if self.may(permission, site_id=site_id, agency=agency))

    def roles(self, *, site_id: str) -> frozenset[Role]:
        return frozenset(grant.role for grant in self.grants if grant.site_id == site_id)
