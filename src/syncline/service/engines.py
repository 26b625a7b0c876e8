"""A database into the job engine that fits it: embedded beside SQLite, PgQueuer beside PostgreSQL.

Called by `cli.serve` and by tests.
"""

from __future__ import annotations

from syncline.jobs.embedded import EmbeddedJobs
from syncline.jobs.pgqueuer import PgQueuerJobs
from syncline.ports import Clock, JobEngine


def is_shared(url: str) -> bool:
    """Whether other processes may work on this database as well."""
    return not url.startswith("sqlite")


def job_engine(url: str, clock: Clock) -> JobEngine:
    """The engine for the installation's database."""
    return PgQueuerJobs(url, clock) if is_shared(url) else EmbeddedJobs(clock)
