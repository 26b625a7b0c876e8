"""A whole vendor in memory: the account that people edit, and the connector to it."""

from syncline.connectors.memory.account import Faults, MemoryAccount, Normalise, StoredRecord, When
from syncline.connectors.memory.connector import MemoryConnector

__all__ = ["Faults", "MemoryAccount", "MemoryConnector", "Normalise", "StoredRecord", "When"]
