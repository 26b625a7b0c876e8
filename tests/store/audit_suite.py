"""The audit trail: what is appended is chained, and whatever is done to a row afterwards is found and named."""

from __future__ import annotations

import contextlib

import msgspec
import pytest

from syncline.core.audit import BEGIN, AuditCheck, AuditKind, digest
from syncline.store import SqlStore
from tests.store.samples import MINUTE, NOW


def _filled(store: SqlStore, count: int = 4) -> None:
    for number in range(1, count + 1):
        store.audit(AuditKind.CHOICE, {"choice": number}, now=NOW + number * MINUTE, sync="tickets")


def _tamper(store: SqlStore, *statements: str) -> None:
    for statement in statements:
        store._execute(statement)


class AuditSuite:
    """`audit`, `audit_entry`, `audit_trail`, `verify_audit`, `verify_audit_on`."""

    def test_entries_are_chained_from_a_fixed_begin(self, store: SqlStore) -> None:
        first = store.audit(AuditKind.CHOICE, {"b": 1, "a": 2}, now=NOW, sync="tickets", subject="7")
        second = store.audit(AuditKind.CERTIFICATE, {}, now=NOW)

        assert (first.id, first.previous, bytes(first.body)) == (1, BEGIN, b'{"a":2,"b":1}')
        assert (second.id, second.previous) == (2, first.hash)
        assert [entry.hash for entry in (first, second)] == [digest(first), digest(second)]
        assert store.audit_trail() == [first, second]
        assert store.audit_entry(1) == first
        assert store.audit_entry(3) is None
        assert store.verify_audit() is None

    def test_an_empty_trail_holds(self, store: SqlStore) -> None:
        assert store.verify_audit() is None
        assert store.audit_trail() == []

    def test_the_trail_is_cut_by_time_kind_sync_and_number(self, store: SqlStore) -> None:
        _filled(store)
        other = store.audit(AuditKind.LINKED, {}, now=NOW + 9 * MINUTE, sync="contracts")

        assert [entry.id for entry in store.audit_trail(NOW + 3 * MINUTE)] == [3, 4, 5]
        assert store.audit_trail(kind=AuditKind.LINKED) == [other]
        assert store.audit_trail(sync="contracts") == [other]
        assert store.audit_trail(kind=AuditKind.CHOICE, sync="contracts") == []
        assert [entry.id for entry in store.audit_trail(limit=2)] == [4, 5]
        assert [entry.id for entry in store.audit_trail(limit=2, before=4)] == [2, 3]
        assert store.audit_trail(before=1) == []

    def test_an_entry_commits_with_what_it_tells_of(self, store: SqlStore) -> None:
        _filled(store, 1)
        with contextlib.suppress(ZeroDivisionError), store.transaction():
            store.audit(AuditKind.CHOICE, {}, now=NOW)
            raise ZeroDivisionError

        _filled(store, 1)

        assert [entry.id for entry in store.audit_trail()] == [1, 2]
        assert store.verify_audit() is None

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE audit SET body = '{}' WHERE id = 2",
            "UPDATE audit SET kind = 'linked' WHERE id = 2",
            "UPDATE audit SET sync = 'contracts' WHERE id = 2",
            "UPDATE audit SET subject = 'else' WHERE id = 2",
        ],
    )
    def test_a_changed_row_is_named(self, store: SqlStore, statement: str) -> None:
        _filled(store)

        _tamper(store, statement)

        found = store.verify_audit()
        assert found is not None
        assert (found.id, "changed" in found.reason) == (2, True)

    def test_a_moved_time_is_named(self, store: SqlStore) -> None:
        _filled(store)

        _tamper(store, "UPDATE audit SET at = at + 1 WHERE id = 3")

        found = store.verify_audit()
        assert found is not None
        assert found.id == 3

    def test_a_row_sealed_anew_breaks_the_next_one(self, store: SqlStore) -> None:
        _filled(store)
        forged = msgspec.structs.replace(store.audit_trail()[1], body=msgspec.Raw(b"{}"))

        _tamper(store, f"UPDATE audit SET body = '{{}}', hash = '{digest(forged)}' WHERE id = 2")  # noqa: S608 - a hash

        found = store.verify_audit()
        assert found is not None
        assert (found.id, found.reason) == (3, "it does not follow the entry before it")

    @pytest.mark.parametrize("most", [1, 2, 3, 4, 5])
    @pytest.mark.parametrize(
        ("statement", "at"),
        [
            (None, None),
            ("DELETE FROM audit WHERE id = 4", 4),
            ("UPDATE audit SET body = '{}' WHERE id = 3", 3),
        ],
    )
    def test_some_at_a_time_finds_what_all_at_once_finds(
        self, store: SqlStore, most: int, statement: str | None, at: int | None
    ) -> None:
        _filled(store)
        if statement is not None:
            _tamper(store, statement)
        check, pages = AuditCheck(), 0

        while not check.is_over:
            check, pages = store.verify_audit_on(check, most), pages + 1

        assert (check.fault and check.fault.id) == at
        assert check.fault == store.verify_audit()
        assert pages <= 4 // most + 1

    def test_what_is_appended_while_somebody_checks_is_checked_too(self, store: SqlStore) -> None:
        _filled(store)
        check = store.verify_audit_on(AuditCheck(), 2)
        _filled(store)

        while not check.is_over:
            check = store.verify_audit_on(check, 2)

        assert (check.last and check.last.id, check.fault) == (8, None)

    @pytest.mark.parametrize("gone", [1, 2])
    def test_a_deleted_row_is_missed(self, store: SqlStore, gone: int) -> None:
        _filled(store)

        _tamper(store, f"DELETE FROM audit WHERE id = {gone}")  # noqa: S608 - a number

        found = store.verify_audit()
        assert found is not None
        assert f"entry {gone} is missing" in found.reason

    def test_a_row_deleted_at_the_end_is_missed(self, store: SqlStore) -> None:
        _filled(store)

        _tamper(store, "DELETE FROM audit WHERE id = 4")

        found = store.verify_audit()
        assert found is not None
        assert (found.id, "end" in found.reason) == (4, True)

    def test_an_emptied_trail_is_missed(self, store: SqlStore) -> None:
        _filled(store)

        _tamper(store, "DELETE FROM audit")

        assert store.verify_audit() is not None

    def test_rows_put_in_another_order_are_named(self, store: SqlStore) -> None:
        _filled(store)

        _tamper(
            store,
            "UPDATE audit SET id = 99 WHERE id = 2",
            "UPDATE audit SET id = 2 WHERE id = 3",
            "UPDATE audit SET id = 3 WHERE id = 99",
        )

        found = store.verify_audit()
        assert found is not None
        assert found.id == 2
