"""The workspace: an account of our own, in our own store, that syncs like any other."""

from __future__ import annotations

from syncline.connectors.workspace.account import Account, absent
from syncline.connectors.workspace.connector import SYNC, WorkspaceConnector

__all__ = ["SYNC", "Account", "WorkspaceConnector", "absent"]
