"""The HighLevel stand-in: a whole HighLevel account in memory, seen through the vendor's public API."""

from syncline.sandbox.highlevel.options import Options, PlainArray
from syncline.sandbox.highlevel.vendor import HighLevelVendor

__all__ = ["HighLevelVendor", "Options", "PlainArray"]
