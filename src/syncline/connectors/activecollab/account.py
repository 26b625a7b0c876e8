"""What the whole connection knows of its account: users, the default job type, where things are shown.

Shared by the reading and writing halves of `activecollab.connector`; asked of the vendor at most every `FRESH`.
"""

from __future__ import annotations

import datetime as dt

from syncline.connectors.activecollab.attributes import Directory, Form
from syncline.connectors.activecollab.client import Client, Json
from syncline.connectors.activecollab.records import to_record
from syncline.connectors.activecollab.schema import directory
from syncline.core.records import Record
from syncline.ports import Clock

FRESH = dt.timedelta(minutes=10)


class Account:
    """The account behind a connection. `site` is what web addresses are relative to."""

    def __init__(self, client: Client, clock: Clock, site: str, job_type: str) -> None:
        self.client = client
        self.clock = clock
        self.site = site
        self._job_type = int(job_type) if job_type else None
        self._people = Directory()
        self._asked_at: dt.datetime | None = None

    async def people(self) -> Directory:
        """The users, asked for again once they are older than `FRESH`."""
        now = self.clock.now()
        if self._asked_at is None or not dt.timedelta() <= now - self._asked_at < FRESH:
            await self.ask_people()
        return self._people

    async def ask_people(self) -> Directory:
        """The users, asked for now."""
        self._people, self._asked_at = await directory(self.client), self.clock.now()
        return self._people

    async def default_job_type(self) -> int | None:
        """The configured job type, else the account's default one, else None. Several may be default (facts: 3.10)."""
        if self._job_type is None:
            kinds = await self.client.array("job-types")
            ids = [kind["id"] for kind in kinds if kind.get("is_default") and not kind.get("is_archived")]
            self._job_type = next((each for each in ids if isinstance(each, int)), None)
        return self._job_type

    async def record(self, form: Form, json: Json) -> Record:
        """One object, normalised."""
        return to_record(form, json, await self.people(), self.site)
