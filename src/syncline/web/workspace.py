"""The workspace into its part of the API: projects, documents, tasks, milestones, contracts, leads, people and their files.

Called by `routers`. `offer` answers the workspace as it is configured now.
"""

from __future__ import annotations

from fastapi import APIRouter

from syncline.web.security import Guarded
from syncline.web.workspace_attachments import add_contract_files, add_document_files, add_task_files
from syncline.web.workspace_below import add_documents, add_project_milestones, add_tasks
from syncline.web.workspace_contracts import add_contract_milestones, add_contracts
from syncline.web.workspace_items import Offer
from syncline.web.workspace_leads import add_leads, add_people, add_to_project
from syncline.web.workspace_projects import add_projects


def workspace_router(offer: Offer) -> APIRouter:
    """The routes over this workspace."""
    router = APIRouter(tags=["workspace"], route_class=Guarded)
    for add in (
        add_projects,
        add_documents,
        add_document_files,
        add_tasks,
        add_task_files,
        add_project_milestones,
        add_contracts,
        add_contract_files,
        add_contract_milestones,
        add_leads,
        add_to_project,
        add_people,
    ):
        add(router, offer)
    return router
