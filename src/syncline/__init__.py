"""Syncline keeps ActiveCollab and HighLevel in step."""

__version__ = "0.1.0"
