"""The command line; `main` is the entry point."""

from syncline.cli.app import main

__all__ = ["main"]
