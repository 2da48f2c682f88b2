"""What a role may do stands in one table; whatever does not stand there is denied."""

from __future__ import annotations

import pytest

from portal.domain.actors import Role
from portal.domain.permissions import GRANTS, OF_ALL_STAFF, Permission, role_may

#: What two roles may do: whoever approves for another may be a colleague or the supervisor; whoever received a
#: value that was found wrong is an official or, for an organisation's systems, its data protection officer.
SHARED = {
    Permission.APPROVE_ACCESSES: {Role.CASEWORKER, Role.SUPERVISOR},
    Permission.READ_OFFICE_DECISIONS: {Role.CASEWORKER, Role.SUPERVISOR},
    Permission.TAKE_CORRECTIONS: {Role.CASEWORKER, Role.SUPERVISOR},
}


@pytest.mark.parametrize("permission", sorted(set(Permission) - OF_ALL_STAFF))
def test_a_permission_belongs_to_one_role_unless_it_is_meant_to_be_shared(permission: Permission) -> None:
    holders = {role for role in Role if role_may(role, permission)}
    assert holders == SHARED.get(permission, holders)
    assert len(holders) == (2 if permission in SHARED else 1)


@pytest.mark.parametrize("permission", sorted(OF_ALL_STAFF))
def test_what_all_staff_may_a_citizen_may_not(permission: Permission) -> None:
    assert {role for role in Role if not role_may(role, permission)} == {Role.CITIZEN}


def test_a_role_that_is_not_in_the_table_may_do_nothing() -> None:
    assert not any(role_may("janitor", permission) for permission in Permission)  # type: ignore[arg-type]


def test_the_table_cannot_be_changed_at_run_time() -> None:
    with pytest.raises(TypeError):
        GRANTS[Role.CITIZEN] = frozenset(Permission)  # type: ignore[index]
