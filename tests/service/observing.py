"""What a configuration wishes of those who watch, without an installation around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from syncline.config import Config
from syncline.service.observers import Wishes, configured


@dataclass(frozen=True)
class _Configured:
    config: Config


def by_configuration(config: Config) -> Wishes:
    """As `service.observers` reads it."""
    return configured(lambda: cast("Any", _Configured(config)))
