"""ActiveCollab, cloud and self-hosted: tasks, task lists and projects."""

from syncline.connectors.activecollab.connector import ActiveCollabConnector, Settings, connect
from syncline.connectors.activecollab.webhooks import WebhookListener

__all__ = ["ActiveCollabConnector", "Settings", "WebhookListener", "connect"]
