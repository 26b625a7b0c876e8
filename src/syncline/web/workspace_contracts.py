"""`/api/v1/contracts`: contracts with their statuses, and their milestones.

The routes are added by `workspace` to its router. A status goes its way step by step (`core.contracts`): any other step is answered
409, with those that are allowed.
"""

from __future__ import annotations

from fastapi import APIRouter, Response

from syncline.core.contracts import ContractStatus
from syncline.core.people import Scope
from syncline.core.workspace import ItemType
from syncline.web.etags import CONDITIONAL, IfMatch
from syncline.web.forms import Line
from syncline.web.paging import Page
from syncline.web.security import requires
from syncline.web.workspace_forms import (
    ContractIn,
    ContractOut,
    ContractPut,
    MilestoneIn,
    MilestoneOut,
    MilestonePut,
)
from syncline.web.workspace_items import Listed, Offer, Shelf, in_contract
from syncline.web.workspace_values import Id, Reference

_READ = requires(Scope.WORKSPACE_READ)
_WRITE = requires(Scope.WORKSPACE_WRITE)


def add_contracts(router: APIRouter, offer: Offer) -> None:
    """The routes of contracts."""
    shelf = Shelf(offer, ItemType.CONTRACT, ContractOut)

    @router.get("/api/v1/contracts", dependencies=[_READ])
    async def list_contracts(
        asked: Listed,
        status: ContractStatus | None = None,
        client: Line | None = None,
        project: Reference | None = None,
    ) -> Page[ContractOut]:
        """Contracts, least recently changed first."""
        return shelf.listed(
            asked, status=status.value if status is not None else None, client=client, project=project
        )

    @router.post("/api/v1/contracts", status_code=201, dependencies=[_WRITE])
    async def add_contract(body: ContractIn, response: Response) -> ContractOut:
        """Make a contract."""
        return shelf.made(response, body, "/api/v1/contracts")

    @router.get("/api/v1/contracts/{contract_id}", dependencies=[_READ])
    async def get_contract(contract_id: Id, response: Response) -> ContractOut:
        """One contract."""
        return shelf.shown(response, shelf.found(contract_id))

    @router.put("/api/v1/contracts/{contract_id}", dependencies=[_WRITE], responses=CONDITIONAL)
    async def change_contract(
        contract_id: Id, body: ContractPut, response: Response, if_match: IfMatch
    ) -> ContractOut:
        """Change a contract: what is given changes, the rest stays. Its status goes step by step, to one of `next_statuses`."""
        return shelf.changed(response, body, shelf.found(contract_id), if_match)

    @router.delete(
        "/api/v1/contracts/{contract_id}", status_code=204, dependencies=[_WRITE], responses=CONDITIONAL
    )
    async def remove_contract(contract_id: Id, if_match: IfMatch) -> None:
        """Put a contract into the trash. What is below it stays as it is."""
        shelf.removed(shelf.found(contract_id), if_match)

    @router.post("/api/v1/contracts/{contract_id}/restore", dependencies=[_WRITE])
    async def restore_contract(contract_id: Id, response: Response) -> ContractOut:
        """Bring a contract back from the trash."""
        return shelf.restored(response, contract_id)


def add_contract_milestones(router: APIRouter, offer: Offer) -> None:
    """The routes of a contract's milestones."""
    shelf = Shelf(offer, ItemType.MILESTONE, MilestoneOut)

    @router.get("/api/v1/contracts/{contract_id}/milestones", dependencies=[_READ])
    async def list_contract_milestones(contract_id: Id, asked: Listed) -> Page[MilestoneOut]:
        """The milestones of a contract, least recently changed first."""
        return shelf.listed(asked, in_contract(contract_id))

    @router.post("/api/v1/contracts/{contract_id}/milestones", status_code=201, dependencies=[_WRITE])
    async def add_contract_milestone(contract_id: Id, body: MilestoneIn, response: Response) -> MilestoneOut:
        """Make a milestone of a contract."""
        return shelf.made(
            response, body, f"/api/v1/contracts/{contract_id}/milestones", in_contract(contract_id)
        )

    @router.get("/api/v1/contracts/{contract_id}/milestones/{milestone_id}", dependencies=[_READ])
    async def get_contract_milestone(contract_id: Id, milestone_id: Id, response: Response) -> MilestoneOut:
        """One milestone of a contract."""
        return shelf.shown(response, shelf.found(milestone_id, in_contract(contract_id)))

    @router.put(
        "/api/v1/contracts/{contract_id}/milestones/{milestone_id}",
        dependencies=[_WRITE],
        responses=CONDITIONAL,
    )
    async def change_contract_milestone(
        contract_id: Id, milestone_id: Id, body: MilestonePut, response: Response, if_match: IfMatch
    ) -> MilestoneOut:
        """Change a milestone of a contract: what is given changes, the rest stays."""
        return shelf.changed(response, body, shelf.found(milestone_id, in_contract(contract_id)), if_match)

    @router.delete(
        "/api/v1/contracts/{contract_id}/milestones/{milestone_id}",
        status_code=204,
        dependencies=[_WRITE],
        responses=CONDITIONAL,
    )
    async def remove_contract_milestone(contract_id: Id, milestone_id: Id, if_match: IfMatch) -> None:
        """Put a milestone of a contract into the trash. What is below it stays as it is."""
        shelf.removed(shelf.found(milestone_id, in_contract(contract_id)), if_match)

    @router.post("/api/v1/contracts/{contract_id}/milestones/{milestone_id}/restore", dependencies=[_WRITE])
    async def restore_contract_milestone(
        contract_id: Id, milestone_id: Id, response: Response
    ) -> MilestoneOut:
        """Bring a milestone of a contract back from the trash."""
        return shelf.restored(response, milestone_id, in_contract(contract_id))
