"""Opens the database, brings its schema up to date, and hands out transactions.

SQLite runs in WAL mode with full synchronisation: what a transaction wrote survives a power cut. Writers queue on a
lock of this process instead of SQLite's own polling.
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
from collections.abc import Iterator, MutableMapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from hub.journal import schema, statements

BUSY_TIMEOUT = 4.0
"""Seconds to wait for a turn to write. Zendesk gives a webhook up after ten."""
SCHEMA_VERSION = "0003"
"""The newest migration in `migrations/versions`."""


class JournalError(Exception):
    """The database cannot be used; the message names it, the cause and the remedy."""


class Journal:
    """The database of one installation. Safe to use from several threads; `close` it at the end."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self._writing = threading.Lock()
        self._begun: tuple[int, Connection | None] = (0, None)
        """The thread that has the turn to write, and what it writes with."""
        self._writer: Connection | None = None
        self._readers: list[Connection] = []
        """Those that nobody reads with just now."""
        self._install_id = ""
        self._commits = 0
        self._connections: list[MutableMapping[Any, Any]] = []
        sa.event.listen(engine, "connect", lambda _, record: self._connections.append(record.info))

    @classmethod
    def open(cls, url: str, *, install_id: str = "") -> Journal:
        """Opens the database at a SQLAlchemy `url` and migrates it. Raises JournalError.

        A new installation gets a random id, or `install_id` where runs have to be the same each time.
        """
        try:
            engine = _engine(url)
            journal = cls(engine)
            _migrate(engine)
            journal._install_id = journal._fact("install_id", install_id or secrets.token_hex(4))
        except sa.exc.SQLAlchemyError as error:
            where = sa.make_url(url).render_as_string(hide_password=True) if "://" in url else url
            cause = error.orig if isinstance(error, sa.exc.DBAPIError) and error.orig else error
            raise JournalError(
                f"the database {where} cannot be opened: {cause}. Check `store.url` and the folder's permissions."
            ) from error
        return journal

    @property
    def install_id(self) -> str:
        """Eight hex digits that tell this installation's marks from another one's."""
        return self._install_id

    def counts(self) -> dict[str, float]:
        """Since the start, how many `commits` were written, and how many `statements` every event needs were run."""
        return {
            "commits": self._commits,
            "statements": sum(info.get(statements.COUNT, 0) for info in list(self._connections)),
        }

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction that writes; durable when the block ends without an error.

        In a transaction that this thread has begun already it goes on with that one, and is durable with it.
        """
        begun = self._begun_here()
        if begun is not None:
            yield begun
            return
        if not self._writing.acquire(timeout=BUSY_TIMEOUT):
            raise JournalError(f"the database is busy: no turn to write came within {BUSY_TIMEOUT:g} s")
        try:
            with self._begin() as connection:
                self._begun = (threading.get_ident(), connection)
                yield connection
            self._commits += 1
        finally:
            self._begun = (0, None)
            self._writing.release()

    def _begun_here(self) -> Connection | None:
        thread, connection = self._begun
        return connection if thread == threading.get_ident() else None

    def _begin(self) -> AbstractContextManager[Connection]:
        if self.engine.dialect.name != "sqlite":
            return self.engine.begin()
        if self._writer is None:
            self._writer = self.engine.connect()
        return _transaction(self._writer, "BEGIN IMMEDIATE")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view, of a transaction that this thread has begun too; nothing may be written in it."""
        begun = self._begun_here()
        if begun is not None:
            yield begun
            return
        if self.engine.dialect.name != "sqlite":
            with self.engine.begin() as connection:
                yield connection
            return
        try:
            reader = self._readers.pop()
        except IndexError:
            reader = self.engine.connect()
        try:
            with _transaction(reader, "BEGIN"):
                yield reader
        finally:
            self._readers.append(reader)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        while self._readers:
            self._readers.pop().close()
        self.engine.dispose()

    def _fact(self, name: str, value_if_absent: str) -> str:
        with self.write() as connection:
            found = connection.scalar(sa.select(schema.facts.c.value).where(schema.facts.c.name == name))
            if found is None:
                connection.execute(schema.facts.insert().values(name=name, value=value_if_absent))
                return value_if_absent
            return str(found)


def _engine(url: str) -> sa.Engine:
    if not url.startswith("sqlite"):
        return sa.create_engine(url, hide_parameters=True)
    in_memory = sa.make_url(url).database in (None, "", ":memory:")
    engine = (
        sa.create_engine(url, hide_parameters=True, poolclass=sa.StaticPool, connect_args={"check_same_thread": False})
        if in_memory
        else sa.create_engine(
            url,
            hide_parameters=True,
            connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT},
            # Every transaction here ends itself, so there is nothing to roll back on the way back to the pool.
            pool_reset_on_return=None,
        )
    )

    @sa.event.listens_for(engine, "connect")
    def _prepare(dbapi_connection: Any, _record: Any) -> None:
        # The driver must not begin transactions by itself: BEGIN IMMEDIATE is ours to send.
        dbapi_connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            dbapi_connection.execute(f"PRAGMA {pragma}").close()

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # In a transaction of `_transaction` a statement of SQLAlchemy's has nothing to begin.
        driver: Any = connection.connection.dbapi_connection
        if not driver.in_transaction:
            driver.execute(connection.info.pop("begin", "BEGIN"))

    return engine


@contextmanager
def _transaction(connection: Connection, begin: str) -> Iterator[Connection]:
    """One transaction of SQLite, begun and ended straight at the driver.

    Nearly all statements in it are `hub.journal.statements`' own, and SQLAlchemy's way to begin and to end weighs more
    than they do. What it runs itself it takes for a transaction of its own, which ends with this one.
    """
    driver: Any = connection.connection.dbapi_connection
    _run(connection, driver, begin)
    try:
        yield connection
        _run(connection, driver, "COMMIT")
    finally:
        if driver.in_transaction:
            driver.rollback()
        if connection.in_transaction():
            connection.rollback()


def _run(connection: Connection, driver: Any, text: str) -> None:
    try:
        driver.execute(text)
    except sqlite3.Error as error:
        raise statements.translated(error, text, connection.dialect) from error


def _migrate(engine: sa.Engine) -> None:
    with engine.connect() as connection, connection.begin():
        if sa.inspect(connection).has_table("alembic_version"):
            version = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
            if version == SCHEMA_VERSION:
                return
    # Alembic is slow to import, and most starts need no migration.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.info["begin"] = "BEGIN IMMEDIATE"
        with connection.begin():
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
