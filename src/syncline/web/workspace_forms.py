"""What requests and answers about the workspace carry: the fields of each kind of item.

Used by the routers of the workspace. The fields are those of `core.workspace.FORMS` (a test compares them); a body that is sent
holds the writable ones, an answer all of them. What is empty is null.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StringConstraints

from syncline.core.contracts import ContractStatus
from syncline.web.forms import WHOLE, Sent
from syncline.web.workspace_values import (
    Day,
    Decimal,
    Html,
    ItemOut,
    Labels,
    Mail,
    MoneyBody,
    Phone,
    Reference,
    Text,
    Title,
)

# --- projects ---------------------------------------------------------------------------------------------------------

ProjectStatus = Literal["active", "on_hold", "completed", "cancelled"]


class ProjectBody(BaseModel):
    """The fields of a project, but its name."""

    description: Html | None = None
    client: Text | None = None
    status: ProjectStatus | None = None
    owner: Mail | None = None
    start_on: Day | None = None
    due_on: Day | None = None
    budget: MoneyBody | None = None
    labels: Labels | None = None
    lead: Reference | None = None
    is_template: StrictBool | None = None


class ProjectIn(Sent, ProjectBody):
    """A project that is to be made."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Roof of the town hall",
                    "client": "Town of Example",
                    "due_on": "2026-09-30",
                    "budget": {"amount": "12500.00", "currency": "EUR"},
                    "labels": ["roof"],
                }
            ]
        }
    )

    name: Title


class ProjectPut(Sent, ProjectBody):
    """What a project is to be: what is given changes, what is null becomes empty, the rest stays."""

    name: Title = Field(default_factory=str)


class ProjectOut(ItemOut, ProjectBody):
    """A project."""

    name: str


# --- documents --------------------------------------------------------------------------------------------------------

DocumentStatus = Literal["draft", "in_review", "approved", "final"]


class DocumentBody(BaseModel):
    """The fields of a document, but its title."""

    body: Html | None = None
    status: DocumentStatus | None = None
    progress: Annotated[int, Field(ge=0, le=100), WHOLE] | None = None
    owner: Mail | None = None
    due_on: Day | None = None
    contract: Reference | None = None
    labels: Labels | None = None
    is_template: StrictBool | None = None


class DocumentIn(Sent, DocumentBody):
    """A document that is to be made."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"title": "Offer", "body": "<p>As agreed.</p>", "status": "draft", "progress": 20}]
        }
    )

    title: Title


class DocumentPut(Sent, DocumentBody):
    """What a document is to be: what is given changes, what is null becomes empty, the rest stays."""

    title: Title = Field(default_factory=str)


class DocumentOut(ItemOut, DocumentBody):
    """A document of a project. `version` is one more whenever its title or text changes."""

    project_id: str
    title: str
    version: int


# --- contracts --------------------------------------------------------------------------------------------------------


class ContractBody(BaseModel):
    """The fields of a contract, but its title."""

    number: Annotated[str, StringConstraints(max_length=100, pattern=r"^[^\x00]*$")] | None = None
    client: Text | None = None
    parties: Labels | None = None
    value: MoneyBody | None = None
    status: ContractStatus | None = None
    starts_on: Day | None = None
    ends_on: Day | None = None
    signed_on: Day | None = None
    owner: Mail | None = None
    terms: Html | None = None
    project: Reference | None = None
    document: Reference | None = None
    labels: Labels | None = None


class ContractIn(Sent, ContractBody):
    """A contract that is to be made."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "title": "Roof of the town hall",
                    "number": "2026-017",
                    "client": "Town of Example",
                    "value": {"amount": "12500.00", "currency": "EUR"},
                    "ends_on": "2026-12-31",
                }
            ]
        }
    )

    title: Title


class ContractPut(Sent, ContractBody):
    """What a contract is to be: what is given changes, what is null becomes empty, the rest stays."""

    title: Title = Field(default_factory=str)


class ContractOut(ItemOut, ContractBody):
    """A contract. `next_statuses` are those that its status may become now."""

    title: str
    next_statuses: list[ContractStatus]


# --- milestones -------------------------------------------------------------------------------------------------------


class MilestoneBody(BaseModel):
    """The fields of a milestone, but its title."""

    description: Html | None = None
    start_on: Day | None = None
    due_on: Day | None = None
    is_completed: StrictBool | None = None
    completed_on: Day | None = None
    value: MoneyBody | None = None
    owner: Mail | None = None


class MilestoneIn(Sent, MilestoneBody):
    """A milestone that is to be made."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"title": "Scaffold stands", "due_on": "2026-05-04"}]}
    )

    title: Title


class MilestonePut(Sent, MilestoneBody):
    """What a milestone is to be: what is given changes, what is null becomes empty, the rest stays."""

    title: Title = Field(default_factory=str)


class MilestoneOut(ItemOut, MilestoneBody):
    """A milestone: of a project or of a contract, the other one is null."""

    project_id: str | None
    contract_id: str | None
    title: str


# --- leads ------------------------------------------------------------------------------------------------------------

LeadStatus = Literal["new", "contacted", "qualified", "won", "lost"]


class LeadBody(BaseModel):
    """The writable fields of a lead, but its name."""

    company: Text | None = None
    email: Annotated[Text, Field(max_length=254)] | None = None
    phone: Phone | None = None
    source: Text | None = None
    status: LeadStatus | None = None
    value: MoneyBody | None = None
    owner: Mail | None = None
    notes: Html | None = None
    labels: Labels | None = None


class LeadIn(Sent, LeadBody):
    """A lead that is to be made."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "Roof of the town hall", "email": "mayor@example.test", "source": "web"}]
        }
    )

    name: Title


class LeadPut(Sent, LeadBody):
    """What a lead is to be: what is given changes, what is null becomes empty, the rest stays."""

    name: Title = Field(default_factory=str)


class LeadOut(ItemOut, LeadBody):
    """A lead. `project` is what it became."""

    name: str
    project: str | None


# --- tasks ------------------------------------------------------------------------------------------------------------

TaskPriority = Literal["low", "normal", "high", "urgent"]


class TaskBody(BaseModel):
    """The fields of a task, but its title."""

    description: Html | None = None
    assignee: Mail | None = None
    start_on: Day | None = None
    due_on: Day | None = None
    is_completed: StrictBool | None = None
    priority: TaskPriority | None = None
    estimate: Decimal | None = Field(default=None, description="Hours.")
    milestone: Reference | None = None
    labels: Labels | None = None


class TaskIn(Sent, TaskBody):
    """A task that is to be made."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"title": "Order the slates", "assignee": "owner@example.test", "due_on": "2026-04-10"}
            ]
        }
    )

    title: Title


class TaskPut(Sent, TaskBody):
    """What a task is to be: what is given changes, what is null becomes empty, the rest stays."""

    title: Title = Field(default_factory=str)


class TaskOut(ItemOut, TaskBody):
    """A task of a project."""

    project_id: str
    title: str


# --- people -----------------------------------------------------------------------------------------------------------


class PersonBody(BaseModel):
    """The fields of a person, but the name."""

    email: Annotated[Text, Field(max_length=254)] | None = None
    phone: Phone | None = None
    company: Text | None = None
    role: Text | None = None
    labels: Labels | None = None


class PersonIn(Sent, PersonBody):
    """A person who is to be added."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "A. Mason", "email": "mason@example.test", "role": "Roofer"}]
        }
    )

    name: Title


class PersonPut(Sent, PersonBody):
    """What is known of a person: what is given changes, what is null becomes empty, the rest stays."""

    name: Title = Field(default_factory=str)


class PersonOut(ItemOut, PersonBody):
    """A person: no user of the service, and never invited anywhere by being here."""

    name: str
