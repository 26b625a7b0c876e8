"""The object types that have an API of their own, each with the kind that serves it. Called by `connector`."""

from __future__ import annotations

from collections.abc import Mapping

from syncline.connectors.highlevel.attached import NOTE, TASK, Notes, Tasks
from syncline.connectors.highlevel.cards import AskPeople
from syncline.connectors.highlevel.client import Client
from syncline.connectors.highlevel.contacts import CONTACT, Contacts
from syncline.connectors.highlevel.kinds import NamedKind
from syncline.connectors.highlevel.opportunities import OPPORTUNITY, Opportunities
from syncline.connectors.highlevel.settings import Settings
from syncline.core.records import ObjectTypeId
from syncline.ports import Clock


def crm_kinds(
    client: Client, settings: Settings, clock: Clock, people: AskPeople
) -> Mapping[ObjectTypeId, NamedKind]:
    """Contacts, opportunities, tasks and notes of one location."""
    return {
        CONTACT: Contacts(client, settings, clock, people),
        OPPORTUNITY: Opportunities(client, settings, clock, people),
        TASK: Tasks(client, settings, clock, people),
        NOTE: Notes(client, settings, clock, people),
    }
