"""Whatever is stored comes back equal, whatever it holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncline.core.decisions import Answer, FieldDecision, Resolution, Rule
from syncline.core.memory import Entry, Parked, Question, Run, RunState, Seen, Standing
from syncline.core.plan import Effect, Held, Step
from syncline.core.records import (
    Archive,
    Base,
    Create,
    Delete,
    Edit,
    FieldId,
    Gone,
    LinkId,
    Proof,
    RecordKey,
    Restore,
    RunId,
    Side,
    StepId,
    Update,
)
from syncline.core.values import BLANK, FieldType, Value
from syncline.store import SqlStore
from tests.core.strategies import values_of
from tests.store.samples import LEASE, NOW, SYNC

# A character that JSON has no way to write, and the one that ends a text in C.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=10)
keys = texts.map(RecordKey)
names = texts.map(FieldId)
times = st.datetimes(
    min_value=dt.datetime(1900, 1, 1),  # noqa: DTZ001 - Hypothesis adds the zone itself
    timezones=st.sampled_from([dt.UTC, dt.timezone(dt.timedelta(hours=-7, minutes=-30))]),
)
values: st.SearchStrategy[Value] = st.one_of(
    st.just(BLANK), *(values_of(field_type) for field_type in FieldType)
)
fields: st.SearchStrategy[Mapping[FieldId, Value]] = st.dictionaries(names, values, max_size=4)
maybe_keys = st.none() | keys
maybe_values = st.none() | values
maybe_times = st.none() | times
links = st.none() | st.integers(1, 2**40).map(LinkId)
sides, rules = st.sampled_from(Side), st.sampled_from(Rule)

writes = st.one_of(
    st.builds(Create, fields, texts),
    st.builds(Update, keys, fields, fields),
    st.builds(Delete, keys),
    st.builds(Archive, keys),
    st.builds(Restore, keys, fields),
)
decisions = st.builds(
    FieldDecision,
    names,
    names,
    rules,
    maybe_values,
    maybe_values,
    maybe_values,
    maybe_values,
    maybe_values,
    st.none() | sides,
    texts,
)
steps = st.builds(
    Step,
    texts.map(StepId),
    sides,
    st.none() | writes,
    st.sampled_from(Effect),
    rules,
    texts,
    links,
    maybe_keys,
    maybe_keys,
    st.lists(decisions, max_size=2).map(tuple),
    st.none() | texts.map(StepId),
    st.none() | sides,
)
gones = st.builds(Gone, st.sampled_from(Proof), maybe_times)
sightings = st.builds(
    Seen,
    keys,
    st.binary(max_size=16),
    st.sampled_from([Standing.WAITING, Standing.RELEASED]),
    st.booleans(),
    updated_at=maybe_times,
    title=texts,
    fields=st.none() | fields,
    gone=st.none() | gones,
    external_key=texts,
    in_scope=st.booleans(),
)
entries = st.builds(
    Entry,
    texts.map(RunId),
    links,
    maybe_keys,
    maybe_keys,
    texts,
    st.none() | sides,
    maybe_values,
    maybe_values,
    maybe_values,
    rules,
    times,
    texts,
)
held = st.builds(
    Held,
    rules,
    texts,
    texts,
    links,
    maybe_keys,
    maybe_keys,
    st.none() | texts,
    maybe_values,
    maybe_values,
    st.none() | sides,
)
edits = st.none() | st.builds(Edit, maybe_times, texts)
choices = st.none() | st.sampled_from(Answer) | st.builds(Resolution, values, values, values, values)
questions = st.builds(
    Question,
    st.just(0),
    st.just(SYNC),
    held,
    maybe_values,
    maybe_values,
    times,
    texts.map(RunId),
    choices,
    edits,
    edits,
)
failures = st.builds(
    Parked,
    sides,
    keys,
    texts,
    texts,
    texts,
    st.none() | texts,
    st.integers(0, 2**31 - 1),
    maybe_times,
    times,
)

# The store is the same for all examples of a test: nothing in them may depend on its being empty.
rounds = settings(
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=40,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.differing_executors,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)


class RoundTripSuite:
    """Every structure of the store, in and out."""

    @rounds
    @given(one=sightings)
    def test_a_sighting(self, store: SqlStore, one: Seen) -> None:
        store.see(SYNC, Side.LEFT, [one])

        assert store.seen(SYNC, Side.LEFT, [one.key])[one.key] == one

    @rounds
    @given(left=fields, right=fields, moved=fields)
    def test_a_base(
        self,
        store: SqlStore,
        left: Mapping[FieldId, Value],
        right: Mapping[FieldId, Value],
        moved: Mapping[FieldId, Value],
    ) -> None:
        for link in store.find_link(SYNC, RecordKey("1")):
            store.untie(link, None, NOW)
        link = store.tie(SYNC, RecordKey("1"), RecordKey("2"), NOW)

        store.move_base(link, left, right)
        store.move_base(link, moved, {})

        assert store.links(SYNC, [link])[link].base == Base({**left, **moved}, right)

    @rounds
    @given(step=steps)
    def test_a_step(self, store: SqlStore, step: Step) -> None:
        (number,) = store.intend(SYNC, _run(store).id, [step], NOW)

        assert {intent.id: intent.step for intent in store.intents(SYNC)}[number] == step

    @rounds
    @given(entry=entries)
    def test_a_history_entry(self, store: SqlStore, entry: Entry) -> None:
        store.record(SYNC, [entry])

        assert msgspec.structs.replace(store.history(SYNC)[-1], id=0) == entry

    @rounds
    @given(question=questions)
    def test_a_question(self, store: SqlStore, question: Question) -> None:
        store.ask(SYNC, [])
        store.ask(SYNC, [question])

        assert [msgspec.structs.replace(one, id=0) for one in store.questions(SYNC)] == [question]

    @rounds
    @given(failure=failures)
    def test_a_failure(self, store: SqlStore, failure: Parked) -> None:
        store.park(SYNC, failure)

        assert failure in store.parked(SYNC)


def _run(store: SqlStore) -> Run:
    latest = next(iter(store.runs(SYNC, 1)), None)
    return latest if latest and latest.state is RunState.RUNNING else store.begin_run(SYNC, NOW, LEASE)
