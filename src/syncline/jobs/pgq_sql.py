"""Names of PgQueuer's tables into our statements on its queue.

Used by `jobs.pgq_wakes`, which says what each is for. Placeholders are PostgreSQL's own ($1, $2), as in PgQueuer.
"""

from __future__ import annotations

from pgqueuer.adapters.persistence.schema_ddl import spelled
from pgqueuer.domain.schema.queue import dedupe_predicate
from pgqueuer.domain.settings import DBSettings

# A row that is claimed and has its key still is about to start: it counts as waiting, and a wake is answered by it.
_WAITS = "dedupe_key IS NOT NULL AND status IN ('queued', 'picked')"
_MINE = "status = 'picked' AND queue_manager_id = $2"

# Behind a handler that runs for the same kind and key somewhere else, nobody has to look before it ends (`_END` says when);
# the second is for a wake that is stored at the very moment of that end. A worker without a heartbeat ends nothing.
_IS_BEHIND = """wait < interval '1 second' AND EXISTS (
        SELECT FROM {queue} AS running
        WHERE running.status = 'picked' AND running.dedupe_key IS NULL AND running.entrypoint = kind
            AND running.payload = convert_to(key, 'UTF8') AND running.heartbeat > now() - interval '4 seconds'
    )"""
_INSERT = """
    INSERT INTO {queue} AS job (entrypoint, payload, dedupe_key, execute_after, priority, status, headers)
    SELECT kind, convert_to(key, 'UTF8'), mark, now() + CASE WHEN {behind} THEN interval '1 second' ELSE wait END,
        rank, 'queued', CASE WHEN {behind} THEN '{{"behind": true}}'::jsonb ELSE '{{}}' END
    FROM unnest($1::text[], $2::text[], $3::text[], $4::interval[], $5::int[])
        WITH ORDINALITY AS given (kind, key, mark, wait, rank, place)
    ORDER BY place
    ON CONFLICT (dedupe_key) WHERE {keyed}
    DO UPDATE SET execute_after = EXCLUDED.execute_after, headers = job.headers || EXCLUDED.headers, updated = now()
    WHERE job.status = 'queued' AND """
_WAKE = _INSERT + "job.execute_after > EXCLUDED.execute_after"
_SCHEDULE = _INSERT + "job.execute_after > now()"

_CANCEL = "DELETE FROM {queue} WHERE dedupe_key = $1 AND {waits} RETURNING id"
_PURGE = "DELETE FROM {queue} WHERE {waits} RETURNING id"
_WAITING = """
    SELECT entrypoint, payload, execute_after - clock_timestamp() AS wait, attempts, headers ->> 'error' AS error
    FROM {queue} WHERE {waits} ORDER BY execute_after, id"""
_DEPTH = """
    SELECT count(*) AS waiting, coalesce(extract(epoch FROM now() - min(execute_after)), 0)::float8 AS late
    FROM {queue} WHERE {waits}"""
_TIDY = "DELETE FROM {log} WHERE created < now() - $1::interval"

_BEGIN = "UPDATE {queue} SET dedupe_key = NULL WHERE id = ANY($1::bigint[]) AND {mine} RETURNING id"
_END = """
    WITH ended AS (
        DELETE FROM {queue} WHERE id = ANY($1::bigint[]) AND {mine}
        RETURNING entrypoint || chr(31) || convert_from(payload, 'UTF8') AS mark
    )
    UPDATE {queue} AS job SET execute_after = now(), headers = job.headers - 'behind', updated = now()
    FROM ended WHERE job.dedupe_key = ended.mark AND job.status = 'queued' AND job.headers ? 'behind'"""
_BEAT = "UPDATE {queue} SET heartbeat = now() WHERE id = ANY($1::bigint[]) AND {mine}"
_PUT_BACK = """
    WITH given AS (
        SELECT * FROM unnest($1::bigint[], $3::interval[], $4::int[], $5::text[], $6::text[])
            AS given (given_id, wait, tries, error, mark)
    ), taken AS (
        DELETE FROM {queue} USING given WHERE id = given_id AND {mine}
        RETURNING entrypoint, payload, priority, wait, tries, error, mark
    )
    INSERT INTO {queue} AS job (entrypoint, payload, dedupe_key, execute_after, priority, status, attempts, headers)
    SELECT DISTINCT ON (mark) entrypoint, payload, mark, now() + wait, priority, 'queued', tries,
        jsonb_build_object('error', error)
    FROM taken ORDER BY mark, wait
    ON CONFLICT (dedupe_key) WHERE {keyed}
    DO UPDATE SET attempts = greatest(job.attempts, EXCLUDED.attempts),
        headers = CASE EXCLUDED.headers ->> 'error' WHEN '' THEN job.headers ELSE EXCLUDED.headers END,
        execute_after = least(job.execute_after, EXCLUDED.execute_after), updated = now()"""


class Statements:
    """Our statements, on the tables of these settings."""

    def __init__(self, settings: DBSettings) -> None:
        self._names = {
            "queue": settings.qualified.queue_table,
            "log": settings.qualified.queue_table_log,
            "keyed": spelled(dedupe_predicate(settings), settings),
            "waits": _WAITS,
            "behind": _IS_BEHIND.format(queue=settings.qualified.queue_table),
            "mine": _MINE,
        }
        self.wake = self._filled(_WAKE)
        self.schedule = self._filled(_SCHEDULE)
        self.cancel = self._filled(_CANCEL)
        self.purge = self._filled(_PURGE)
        self.waiting = self._filled(_WAITING)
        self.depth = self._filled(_DEPTH)
        self.tidy = self._filled(_TIDY)
        self.begin = self._filled(_BEGIN)
        self.end = self._filled(_END)
        self.beat = self._filled(_BEAT)
        self.put_back = self._filled(_PUT_BACK)

    def _filled(self, template: str) -> str:
        return template.format_map(self._names)
