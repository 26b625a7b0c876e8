"""A faithful stand-in of ActiveCollab: tasks and what surrounds them, from memory."""

from __future__ import annotations

from syncline.sandbox.activecollab.refusals import Flavour, Quirks
from syncline.sandbox.activecollab.vendor import (
    CLIENT_EMAIL,
    MEMBER_EMAIL,
    OWNER_EMAIL,
    PASSWORD,
    ActiveCollabVendor,
)

__all__ = [
    "CLIENT_EMAIL",
    "MEMBER_EMAIL",
    "OWNER_EMAIL",
    "PASSWORD",
    "ActiveCollabVendor",
    "Flavour",
    "Quirks",
]
