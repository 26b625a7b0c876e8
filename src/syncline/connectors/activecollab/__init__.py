"""ActiveCollab, cloud and self-hosted: tasks, task lists and projects."""

from syncline.connectors.activecollab.connector import ActiveCollabConnector, Settings, connect

__all__ = ["ActiveCollabConnector", "Settings", "connect"]
