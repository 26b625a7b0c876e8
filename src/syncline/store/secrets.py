"""Secrets by name, encrypted before they reach the database.

A part of `SqlStore`. The key is the installation's own: one or more Fernet keys, comma separated, newest first. The
newest encrypts, every one of them opens, so that a key is replaced by putting a new one in front.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from syncline.errors import SchemaError, SetupError
from syncline.store.dialects import Dialect
from syncline.store.session import Rows
from syncline.store.tables import secret

_SECRET = sa.select(secret.c.token).where(secret.c.name == sa.bindparam("name"))
_SECRETS = sa.select(secret.c.name, secret.c.token).order_by(secret.c.name)


def _save(dialect: Dialect) -> sa.Insert:
    names = ("name", "token")
    return dialect.upsert(secret, ["name"], names).values({name: sa.bindparam(name) for name in names})


def lock_of(secret_key: str | None) -> MultiFernet | None:
    """The keys of the installation, ready to use. Raises `SetupError` when one of them is no key."""
    if secret_key is None:
        return None
    try:
        return MultiFernet([Fernet(key.strip()) for key in secret_key.split(",")])
    except ValueError:
        # Not chained: the driver's message may repeat part of the key.
        raise SetupError(
            "The secret key is not a key (32 bytes in URL-safe base64, several separated by commas); "
            "make one with `openssl rand -base64 32 | tr '+/' '-_'`."
        ) from None


class Secrets(Rows):
    """Secrets."""

    def __init__(self, engine: sa.Engine, dialect: Dialect, lock: MultiFernet | None) -> None:
        super().__init__(engine, dialect)
        self._lock = lock

    def save_secret(self, name: str, secret: str) -> None:
        """Keep a secret, encrypted with the installation's key. Raises `SetupError` when there is none."""
        self._run(_save, name=name, token=self._key().encrypt(secret.encode()))

    def secret(self, name: str) -> str | None:
        """A secret kept with `save_secret`. Raises `SchemaError` when the installation's key does not open it."""
        row = self._row(_SECRET, name=name)
        return None if row is None else self._opened(name, row[0]).decode()

    def every_secret(self) -> Mapping[str, str]:
        """All of them by name: what must never be told. Raises `SchemaError` when a key does not open one."""
        return {name: self._opened(name, token).decode() for name, token in self._rows(_SECRETS)}

    def rotate_secrets(self) -> int:
        """Encrypt every secret with the newest key; answers how many there are. Older keys can go after that."""
        with self._together():
            rows = self._rows(_SECRETS)
            for name, token in rows:
                self._run(_save, name=name, token=self._key().encrypt(self._opened(name, token)))
            return len(rows)

    def _opened(self, name: str, token: bytes) -> bytes:
        try:
            return self._key().decrypt(token)
        except InvalidToken:
            raise SchemaError(
                f"the secret '{name}' was encrypted with another key; give that key back (after the newer one, "
                "separated by a comma), or enter the secret again"
            ) from None

    def _key(self) -> MultiFernet:
        if self._lock is None:
            raise SetupError(
                "No secret key is set, so secrets cannot be kept; make one with "
                "`openssl rand -base64 32 | tr '+/' '-_'` and set it as the installation's secret key."
            )
        return self._lock
