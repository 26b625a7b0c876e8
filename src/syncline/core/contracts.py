"""A contract's status: which one may follow which.

Used by `workspace_checks` for every change of a contract, and by the service, which tells a person what is allowed.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum


class ContractStatus(Enum):
    """Where a contract stands."""

    DRAFT = "draft"
    SENT = "sent"
    VIEWED = "viewed"
    SIGNED = "signed"
    ACTIVE = "active"
    COMPLETED = "completed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    DECLINED = "declined"


NEXT: Mapping[ContractStatus, tuple[ContractStatus, ...]] = {
    ContractStatus.DRAFT: (ContractStatus.SENT, ContractStatus.CANCELLED),
    ContractStatus.SENT: (
        ContractStatus.VIEWED,
        ContractStatus.SIGNED,
        ContractStatus.DECLINED,
        ContractStatus.EXPIRED,
        ContractStatus.CANCELLED,
    ),
    ContractStatus.VIEWED: (
        ContractStatus.SIGNED,
        ContractStatus.DECLINED,
        ContractStatus.EXPIRED,
        ContractStatus.CANCELLED,
    ),
    ContractStatus.SIGNED: (ContractStatus.ACTIVE, ContractStatus.CANCELLED),
    ContractStatus.ACTIVE: (ContractStatus.COMPLETED, ContractStatus.EXPIRED, ContractStatus.CANCELLED),
    ContractStatus.COMPLETED: (),
    ContractStatus.EXPIRED: (),
    ContractStatus.CANCELLED: (),
    ContractStatus.DECLINED: (),
}
"""What may follow each status; after the last four nothing does."""


def may_follow(old: ContractStatus, new: ContractStatus) -> bool:
    """Whether a person may set the new status: the same one, or one of `NEXT`."""
    return new is old or new in NEXT[old]


def way(old: ContractStatus, new: ContractStatus) -> tuple[ContractStatus, ...] | None:
    """The shortest way from one status to another, both ends left out of it and in it: () for the same one, None when there
    is none. What another system tells late may have gone through several at once.

    Laws: every step of a way may follow the one before; where one step is allowed the way is that step; from a last status there
    is no way but to itself.
    """
    ways: dict[ContractStatus, tuple[ContractStatus, ...]] = {old: ()}
    waiting = [old]
    for status in waiting:
        for following in NEXT[status]:
            if following not in ways:
                ways[following] = (*ways[status], following)
                waiting.append(following)
    return ways.get(new)
