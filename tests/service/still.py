"""An installation whose vendors nobody calls, with a clock of its own, for what only looks into our memory."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from syncline.bootstrap import Installation, install
from syncline.config import load
from tests.clock import VirtualClock

SECRET_KEY = "c2VjcmV0LWtleS1vZi10aGUtdGVzdHMtMzItYnl0ZXM="
CONFIG = f"""
database: sqlite:///syncline.db
secret_key: {SECRET_KEY}
connections:
  ac: {{vendor: activecollab, url: "http://127.0.0.1:9", token: "5-abcdef"}}
  hl: {{vendor: highlevel, url: "http://127.0.0.1:9", location: L1, token: "pit-secret"}}
syncs:
  tickets:
    left: {{connection: ac, object: task}}
    right: {{connection: hl, object: custom_objects.ticket}}
    match: {{on: [[name, title]]}}
    fields: [{{left: name, right: title}}]
"""


@asynccontextmanager
async def open_still(folder: Path, clock: VirtualClock) -> AsyncGenerator[Installation]:
    """The installation, in a store of its own."""
    path = folder / "syncline.yaml"
    path.write_text(CONFIG)
    installation = install(load(path, {}), folder, clock=clock, seed=1)
    yield installation
    await installation.close()
