"""Questions that leave by themselves and keep their answers, failures by record, small texts, secrets."""

from __future__ import annotations

import msgspec
import pytest

from syncline.core.decisions import Answer, Resolution, Rule
from syncline.core.memory import Question
from syncline.core.records import Edit
from syncline.core.values import Text
from syncline.errors import StoreError
from syncline.store import SqlStore
from tests.store.samples import LEFT, MINUTE, NOW, OTHER, RIGHT, SYNC, key, parked, question

CHOICE = Resolution(Text("mine"), Text("mine"), Text("left says"), Text("right says"))


def _asked(store: SqlStore, *questions: Question) -> list[Question]:
    store.ask(SYNC, questions)
    return list(store.questions(SYNC))


def _later(asked: Question) -> Question:
    """The same question, asked again by a later run."""
    return msgspec.structs.replace(asked, asked_at=NOW + MINUTE, run="tickets-2", id=0, choice=None)


class QuestionSuite:
    """`ask`, `questions`, `question`, `choose`."""

    def test_a_question_is_kept_whole(self, store: SqlStore) -> None:
        edited = msgspec.structs.replace(
            question(), left_edit=Edit(NOW, "owner@example.test"), right_edit=Edit(None), base_left=None
        )

        (asked,) = _asked(store, edited)

        assert asked == msgspec.structs.replace(edited, id=asked.id)
        assert store.question(asked.id) == asked

    def test_asked_again_it_keeps_id_time_run_and_choice(self, store: SqlStore) -> None:
        (first,) = _asked(store, question())
        store.choose(first.id, CHOICE, NOW)

        (again,) = _asked(store, _later(question(title="Renamed")))

        assert (again.id, again.asked_at, again.run, again.choice) == (first.id, NOW, first.run, CHOICE)
        assert again.held.title == "Renamed"

    def test_one_that_is_not_asked_any_more_is_closed(self, store: SqlStore) -> None:
        first, second = _asked(store, question("a"), question("b", field="hours ↔ hours"))

        assert _asked(store, question("b", field="hours ↔ hours")) == [second]
        assert store.questions(SYNC, with_closed=True) == [first, second]
        assert store.question(first.id) == first

    def test_a_closed_question_comes_back_as_a_new_one(self, store: SqlStore) -> None:
        (first,) = _asked(store, question())
        _asked(store)

        (again,) = _asked(store, _later(question()))

        assert again.id != first.id
        assert again.asked_at == NOW + MINUTE

    @pytest.mark.parametrize(
        "other",
        [
            question("something else"),
            question(field="hours ↔ hours"),
            question(rule=Rule.NO_COUNTERPART),
            question(link=2, left_key="2"),
        ],
        ids=["value", "field", "rule", "record"],
    )
    def test_another_value_field_rule_or_record_is_another_question(
        self, store: SqlStore, other: Question
    ) -> None:
        (first,) = _asked(store, question())

        (second,) = _asked(store, other)

        assert second.id != first.id

    def test_values_that_mean_the_same_are_the_same_question(self, store: SqlStore) -> None:
        (first,) = _asked(store, question("left says"))

        assert _asked(store, question("left says\n"))[0].id == first.id

    def test_a_link_that_came_later_is_the_same_question(self, store: SqlStore) -> None:
        (first,) = _asked(store, question(link=None))

        (again,) = _asked(store, question(link=1))

        assert (again.id, again.held.link) == (first.id, 1)

    def test_a_retied_link_is_the_same_question(self, store: SqlStore) -> None:
        (first,) = _asked(store, question(right_key="r1"))

        assert _asked(store, question(right_key="r2"))[0].id == first.id

    def test_the_same_question_twice_is_asked_once(self, store: SqlStore) -> None:
        assert len(_asked(store, question(), question())) == 1
        assert len(_asked(store, question(), question())) == 1

    def test_a_record_without_counterpart_is_asked_about(self, store: SqlStore) -> None:
        lone = question(link=None, right_key=None, field=None, rule=Rule.NO_COUNTERPART)

        (asked,) = _asked(store, lone)

        assert asked.held == lone.held

    def test_questions_of_all_syncs_come_oldest_first(self, store: SqlStore) -> None:
        store.ask(SYNC, [question(asked_at=NOW + MINUTE)])
        store.ask(OTHER, [question()])

        assert [asked.sync for asked in store.questions()] == [OTHER, SYNC]
        assert [asked.sync for asked in store.questions(OTHER)] == [OTHER]
        store.ask(SYNC, [])
        assert [asked.sync for asked in store.questions(with_closed=True)] == [OTHER, SYNC]

    @pytest.mark.parametrize("choice", [CHOICE, *Answer, None])
    def test_a_choice_is_kept_and_can_be_taken_back(
        self, store: SqlStore, choice: Resolution | Answer | None
    ) -> None:
        (asked,) = _asked(store, question())
        store.choose(asked.id, Answer.DELETE, NOW)

        store.choose(asked.id, choice, NOW)

        assert store.questions(SYNC)[0].choice == choice

    def test_a_closed_or_unknown_question_takes_no_choice(self, store: SqlStore) -> None:
        (asked,) = _asked(store, question())
        _asked(store)

        for number in (asked.id, 99):
            with pytest.raises(StoreError, match="not open"):
                store.choose(number, Answer.DELETE, NOW)
        assert store.question(99) is None


class ParkedSuite:
    """`park`, `unpark`, `parked`."""

    def test_a_failure_is_kept_whole(self, store: SqlStore) -> None:
        for_ever = msgspec.structs.replace(parked(2, side=RIGHT), due=None, field=None)
        store.park(SYNC, parked(1))
        store.park(SYNC, for_ever)

        assert store.parked(SYNC) == [parked(1), for_ever]
        assert store.parked(OTHER) == []

    def test_a_later_failure_replaces_the_earlier(self, store: SqlStore) -> None:
        store.park(SYNC, parked(1))
        store.park(SYNC, parked(1, attempts=2, message="still too long"))

        assert store.parked(SYNC) == [parked(1, attempts=2, message="still too long")]

    def test_failures_are_forgotten_by_side_and_key(self, store: SqlStore) -> None:
        for number in (1, 2, 3):
            store.park(SYNC, parked(number))
        store.park(SYNC, parked(1, side=RIGHT))

        store.unpark(SYNC, LEFT, iter([key(1), key(3), key(99)]))
        store.unpark(SYNC, LEFT, [])

        assert store.parked(SYNC) == [parked(2), parked(1, side=RIGHT)]


def _remember_and_fail(store: SqlStore) -> None:
    with store.transaction():
        store.remember(SYNC, "cursor:left", "never kept")
        raise StoreError("taken back")


class MemoSuite:
    """`remember`, `recall`, `reading_once`."""

    def test_a_text_is_kept_by_sync_and_name(self, store: SqlStore) -> None:
        store.remember(SYNC, "cursor:left", "first")
        store.remember(SYNC, "cursor:left", '{"since": "2026-03-02"}')

        assert store.recall(SYNC, "cursor:left") == '{"since": "2026-03-02"}'
        assert store.recall(SYNC, "cursor:right") is None
        assert store.recall(OTHER, "cursor:left") is None

    def test_texts_of_one_sync_are_read_once_and_what_is_kept_meanwhile_counts(self, store: SqlStore) -> None:
        store.remember(SYNC, "cursor:left", "first")
        store.remember(OTHER, "cursor:left", "other")

        with store.reading_once(SYNC):
            assert store.recall(SYNC, "cursor:left") == "first"
            assert store.recall(SYNC, "cursor:right") is None
            store.remember(SYNC, "cursor:left", "second")
            assert store.recall(SYNC, "cursor:left") == "second"
            assert store.recall(OTHER, "cursor:left") == "other"

        assert store.recall(SYNC, "cursor:left") == "second"

    def test_what_was_taken_back_is_not_recalled(self, store: SqlStore) -> None:
        store.remember(SYNC, "cursor:left", "first")

        with store.reading_once(SYNC):
            with pytest.raises(StoreError):
                _remember_and_fail(store)
            assert store.recall(SYNC, "cursor:left") == "first"
