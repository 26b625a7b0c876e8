"""Dice into what happens in a world, one event after the other: people, answers, disasters and runs.

Called by `play` where there is no script. Each event is carried out before the next one is thought of, and written down.
"""

from __future__ import annotations

import random

import msgspec

from syncline.core.decisions import Answer as DeletionAnswer
from syncline.core.decisions import Rule
from syncline.core.match import MatchMode
from syncline.core.records import Side
from syncline.sandbox.faults import Faults
from tests.simulation.dice import trouble
from tests.simulation.network import token_of
from tests.simulation.outfit import SYNC
from tests.simulation.script import Answer, Backup, Jump, Pass, Rewind, Turn
from tests.simulation.weather import NAMES
from tests.simulation.world import World


async def improvise(world: World) -> None:
    """Roll the dice, carry out what they say, and write it down."""
    chance, dice, weather = world.chance, world.dice, world.weather
    for name in NAMES:
        for _ in range(chance.randint(1, 4)):
            await world.perform(dice.make(name))
    if weather.mode is MatchMode.MATCH_THEN_CREATE and chance.random() < 0.7:
        made = dice.make("ac")
        await world.perform(made)
        await world.perform(dice.twin(made.token, str(made.fields["name"])))
        await world.perform(Pass(weather.lag))
    for _ in range(chance.randint(3, 6)):
        await _some_acts(world)
        await _some_disaster(world)
        await world.perform(_turn(world))
        if weather.lag and chance.random() < 0.4:
            # Once more, before the listing has caught up with what we did.
            await world.perform(msgspec.structs.replace(_turn(world), after=1.0))


async def _some_acts(world: World) -> None:
    """What people do between two runs."""
    chance, dice = world.chance, world.dice
    for _ in range(chance.randint(0, 6)):
        await world.perform(Pass(chance.choice((0.0, 0.4, 3.0, 47.0))))
        for act in dice.act():
            await world.perform(act)
    if chance.random() < 0.4 and (answer := _answer(world)) is not None:
        await world.perform(answer)
        if chance.random() < 0.4:
            for act in dice.second_thoughts(answer.token):
                await world.perform(act)


async def _some_disaster(world: World) -> None:
    """A clock that jumps, or an old backup."""
    chance, weather = world.chance, world.weather
    if chance.random() < weather.jumps:
        await world.perform(Jump(chance.choice((-9000.0, -40.0, 25.0, 9000.0))))
    if weather.rewinds:
        if chance.random() < 0.5:
            await world.perform(Backup())
        if chance.random() < weather.rewinds:
            for act in world.dice.reorganise():
                await world.perform(act)
            await world.perform(Rewind())


def _answer(world: World) -> Answer | None:
    """A person answers one question."""
    asked = [q for q in world.store.questions(SYNC) if q.choice is None]
    asked = [q for q in asked if q.held.rule in (Rule.CONFLICT, Rule.DELETED_ASK)]
    if not asked:
        return None
    question = world.chance.choice(asked)
    choices = DeletionAnswer if question.held.rule is Rule.DELETED_ASK else Side
    given = world.chance.choice([*choices]).value
    return Answer(token_of(question.held.title), question.held.field or "", given)


def _turn(world: World) -> Turn:
    """A run with all that may happen to it; what happens within it is added as it goes."""
    chance, weather, crowd = world.chance, world.weather, world.crowd
    world.dice.faults = {}
    if weather.trouble:
        world.dice.faults = {name: Faults(chance.randrange(1 << 30)) for name in NAMES}
        for faults in world.dice.faults.values():
            trouble(faults, weather.trouble, is_doubtful=bool(crowd.doubtful()))
    crash_at = int(chance.expovariate(1 / 40)) + 1 if chance.random() < weather.crashes else None
    hints = None
    if chance.random() < weather.hints:
        arrived = world.post.arrived(chance)
        hints = tuple((name, crowd.account(name).token(key)) for name, key in arrived)
    # Dice of their own: the worlds of all seeds stay as they were before runs made way.
    apart = random.Random(f"{world.seed} way {world.runs}")
    makes_way = world.seed % 4 == 0 and apart.random() < 0.4
    return Turn(
        after=chance.choice((1.0, 20.0, 70.0)),
        is_full=chance.random() < 0.6,
        hints=hints,
        is_recheck=chance.random() < 0.1,
        crash_at=crash_at,
        back_after=400.0 if chance.random() < 0.8 else 0.0,
        way_at=apart.randrange(8) if makes_way and hints is None else None,
        beside=apart.randrange(3) if makes_way and hints is not None else None,
    )
