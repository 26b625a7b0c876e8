"""A place without a `syncline.yaml` into one with nothing configured: whoever starts the service needs no file beforehand.

Made by `cli.serve`. Everything else can be set up over the API then.
"""

from __future__ import annotations

from pathlib import Path

from syncline.errors import ConfigError

_TEXT = """\
# Made by `syncline serve`. Connections and syncs can be set up over the API: docs/first-steps-api.md.
# They can also be written here: docs/configuration.md lists every setting. A connection of this file goes before one of
# the API with the same name; `syncline check` tests them all.
connections: {}
"""


def start_file(path: Path) -> bool:
    """Make a configuration file with nothing in it, where there is none; whether it was made. One that is there is never
    touched. Raises `ConfigError` where none can be made."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(_TEXT)
    except FileExistsError:
        return False
    except OSError as error:
        text = f"There is no {path}, and none can be made: {error.strerror}. Name a file with --config."
        raise ConfigError(text) from error
    return True
