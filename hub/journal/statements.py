"""Statements that every event needs: compiled once, then run straight on the driver.

SQLAlchemy's own way to run a statement weighs several times what such a statement costs the database. Here it is asked
once for the text of a statement, and for what its types do to values on their way in and out. What is run only once in
a while goes through `Connection.execute` as everywhere.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import Connection, Dialect

COUNT = "statements"
"""Under this name a connection's `info` tells how many statements it has run here."""
FEW = 4
"""Keys that are looked up at once; a link seldom has more."""
_FEW_NAMES = [f"key_{number}" for number in range(FEW)]
Convert = Callable[[Any], Any] | None


class Prepared:
    """One statement: a SELECT of columns, or an INSERT, UPDATE or DELETE of single rows.

    `statement` may be a function that makes it for a dialect's name; it has no lists in it (`IN`). Its parameters are
    `bindparam`s; of an INSERT, the columns, all but `id` and the `unset` ones. Every method runs it in the connection's
    transaction and takes all parameters by name. Raises `sqlalchemy.exc.DBAPIError` where the database refuses.
    """

    def __init__(self, statement: Any, *, unset: Sequence[str] = ()) -> None:
        self._statement, self._unset = statement, {"id", *unset}
        self._made: dict[str, _Compiled] = {}

    def run(self, connection: Connection, **values: Any) -> int:
        """Changes rows; returns how many."""
        return int(self._execute(connection, values)[0].rowcount)

    def insert(self, connection: Connection, **values: Any) -> int:
        """Adds a row and returns its id, where the statement returns `id`."""
        made = self.insert_new(connection, **values)
        assert made is not None
        return made

    def insert_new(self, connection: Connection, **values: Any) -> int | None:
        """The same; None where the statement leaves a row alone that is there already."""
        found = self._execute(connection, values)[0].fetchall()
        return int(found[0][0]) if found else None

    def rows(self, connection: Connection, **values: Any) -> list[Any]:
        """The rows found; each has the columns' names."""
        cursor, made = self._execute(connection, values)
        return [made.row(raw) for raw in cursor.fetchall()]

    def rows_of(self, connection: Connection, keys: Sequence[str], **values: Any) -> list[Any]:
        """The rows of a statement with `any_key`, for any number of keys: a few statements instead of one a key."""
        found = []
        for start in range(0, len(keys), FEW):
            some = [*keys[start : start + FEW], *[keys[start]] * FEW][:FEW]
            found += self.rows(connection, **dict(zip(_FEW_NAMES, some, strict=True)), **values)
        return found

    def first(self, connection: Connection, **values: Any) -> Any:
        """The first row found, or None."""
        found = self.rows(connection, **values)
        return found[0] if found else None

    def scalar(self, connection: Connection, **values: Any) -> Any:
        """The first column of the first row found, or None."""
        found = self.first(connection, **values)
        return None if found is None else found[0]

    def _execute(self, connection: Connection, values: Mapping[str, Any]) -> tuple[Any, _Compiled]:
        dialect = connection.dialect
        made = self._made.get(dialect.name)
        if made is None:
            statement = self._statement(dialect.name) if callable(self._statement) else self._statement
            made = self._made[dialect.name] = _compile(statement, dialect, self._unset)
        shared = connection.connection
        shared.info[COUNT] = shared.info.get(COUNT, 0) + 1
        driver: Any = shared.dbapi_connection
        cursor = driver.cursor()
        try:
            cursor.execute(made.text, made.parameters(values))
        except made.driver_error as error:
            raise translated(error, made.text, dialect) from error
        return cursor, made


def translated(error: Exception, text: str, dialect: Dialect) -> Exception:
    """What SQLAlchemy raises for an error of the driver; without the parameters, which hold what people wrote."""
    driver_error = _driver_error(dialect)
    made: Exception = sa.exc.DBAPIError.instance(text, None, error, driver_error, hide_parameters=True, dialect=dialect)
    return made


def any_key(column: sa.Column[str]) -> sa.ColumnElement[bool]:
    """Whether a column is one of the keys that `Prepared.rows_of` is given."""
    return sa.or_(*(column == sa.bindparam(name) for name in _FEW_NAMES))


def upsert(
    table: sa.Table,
    keys: Sequence[str],
    *,
    kept: Sequence[str] = (),
    more: Callable[[Any], Mapping[str, Any]] = lambda statement: {},
) -> Prepared:
    """INSERT … ON CONFLICT DO UPDATE.

    `keys` are the columns that identify a row. `more` gives, of the statement, what else is set than the values of
    the other columns; `kept` are columns that an existing row keeps.
    """
    untouched = {*keys, *kept, "id"}

    def make(dialect_name: str) -> Any:
        statement = insert_into(table, dialect_name)
        changed = {c.name: statement.excluded[c.name] for c in table.c if c.name not in untouched}
        return statement.on_conflict_do_update(index_elements=list(keys), set_={**changed, **more(statement)})

    return Prepared(make)


def insert_into(table: sa.Table, dialect_name: str) -> Any:
    """The dialect's own INSERT, which knows ON CONFLICT."""
    return (postgresql_insert if dialect_name == "postgresql" else sqlite_insert)(table)


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A statement in a dialect. `names` are its parameters in the order in which `text` wants them."""

    text: str
    names: Sequence[str]
    is_positional: bool
    fixed: Mapping[str, Any]
    into: Mapping[str, Callable[[Any], Any]]
    make_row: Callable[[Sequence[Any]], Any]
    out: Sequence[Convert]
    driver_error: type[Exception]

    def parameters(self, values: Mapping[str, Any]) -> Any:
        into, given = self.into, {**self.fixed, **values}
        ready = [into[name](given[name]) if name in into else given[name] for name in self.names]
        return ready if self.is_positional else dict(zip(self.names, ready, strict=True))

    def row(self, raw: Sequence[Any]) -> Any:
        return self.make_row([convert(v) if convert else v for v, convert in zip(raw, self.out, strict=True)])


def _compile(statement: Any, dialect: Dialect, unset: set[str]) -> _Compiled:
    columns = [c.name for c in statement.table.c if c.name not in unset] if isinstance(statement, sa.Insert) else None
    compiled = statement.compile(dialect=dialect, column_keys=columns)
    names = list(compiled.positiontup or compiled.params)
    binds = {name: compiled.binds[name] for name in names}
    shown = statement.selected_columns if isinstance(statement, sa.Select) else ()
    convert_in = {name: b.type.dialect_impl(dialect).bind_processor(dialect) for name, b in binds.items()}
    return _Compiled(
        text=str(compiled),
        names=names,
        is_positional=bool(compiled.positional),
        fixed={name: bind.value for name, bind in binds.items() if not bind.required},
        into={name: convert for name, convert in convert_in.items() if convert is not None},
        make_row=_row_type([c.name for c in shown]),
        out=[c.type.dialect_impl(dialect).result_processor(dialect, None) for c in shown],
        driver_error=_driver_error(dialect),
    )


def _driver_error(dialect: Dialect) -> type[Exception]:
    error: type[Exception] = dialect.dbapi.Error  # type: ignore[union-attr]  # a dialect in use has its driver
    return error


def _row_type(names: Sequence[str]) -> Callable[[Sequence[Any]], Any]:
    row: Any = namedtuple("Row", names)  # type: ignore[misc]  # the names are known when the statement is
    make: Callable[[Sequence[Any]], Any] = row._make
    return make
