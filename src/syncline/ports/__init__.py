"""What the engine knows of everything below it: connectors and time (`outside`), and our own memory (`store`).

Protocols, not base classes: the type checker and the shared suites under `tests/` prove that an adapter fits.
"""

from syncline.core.quota import Quota
from syncline.ports.outside import (
    Clock,
    Connector,
    Ending,
    Health,
    ObjectSummary,
    Page,
    calling_for,
    purpose_now,
)
from syncline.ports.store import Recognised, Store, Stretch

__all__ = [
    "Clock",
    "Connector",
    "Ending",
    "Health",
    "ObjectSummary",
    "Page",
    "Quota",
    "Recognised",
    "Store",
    "Stretch",
    "calling_for",
    "purpose_now",
]
