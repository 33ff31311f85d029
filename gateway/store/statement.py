"""Statements of the road: written in SQLAlchemy's words, put into those of the database once, run by its driver itself.

SQLAlchemy's own execution costs several times what a database takes for one row. Rare statements go through it all the same.
"""

import json
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Dialect,
    Executable,
    Insert,
    Text,
    any_,
    bindparam,
    func,
    select,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeDecorator, TypeEngine

from gateway.errors import StoreUnavailable

Parameters = Mapping[str, Any]
Convert = Callable[[Any], Any]


class Statement:
    """One statement with named parameters; values that never change belong into its text."""

    def __init__(self, words: Executable | Callable[[str], Executable]) -> None:
        """`words`: the statement, or what makes it for the name of a dialect."""
        self._words = words
        self._prepared: dict[str, _Prepared] = {}

    def rows(self, connection: Connection, parameters: Parameters) -> list[Any]:
        """All rows, with names; raises StoreUnavailable. A parameter more than it needs is no mistake, one less is."""
        prepared = self._for(connection)
        try:
            found = _driver(connection).execute(prepared.text, prepared.bound(parameters)).fetchall()
        except connection.dialect.loaded_dbapi.Error as error:
            raise StoreUnavailable(str(error)) from error
        return prepared.named(found)

    def first(self, connection: Connection, parameters: Parameters) -> Any | None:
        """The first row, None where there is none."""
        found = self.rows(connection, parameters)
        return found[0] if found else None

    def one(self, connection: Connection, parameters: Parameters) -> Any:
        """The only row; raises StoreUnavailable where there is none, as when somebody else's rows are in this database."""
        found = self.rows(connection, parameters)
        if not found:
            raise StoreUnavailable("the database has no such row")
        return found[0]

    def value(self, connection: Connection, parameters: Parameters) -> Any | None:
        """The first column of the first row, None where there is none."""
        found = self.rows(connection, parameters)
        return found[0][0] if found else None

    def run(self, connection: Connection, *rows: Parameters) -> None:
        """Run it for each of these rows, where nothing comes back; raises StoreUnavailable."""
        prepared = self._for(connection)
        try:
            if len(rows) == 1:
                _driver(connection).execute(prepared.text, prepared.bound(rows[0])).close()
            elif rows:
                cursor = _driver(connection).cursor()
                cursor.executemany(prepared.text, [prepared.bound(row) for row in rows])
                cursor.close()
        except connection.dialect.loaded_dbapi.Error as error:
            raise StoreUnavailable(str(error)) from error

    def text(self, connection: Connection) -> str:
        """What the database is told."""
        return self._for(connection).text

    def _for(self, connection: Connection) -> "_Prepared":
        dialect = connection.dialect
        prepared = self._prepared.get(dialect.name)
        if prepared is None:
            words = self._words(dialect.name) if callable(self._words) else self._words
            prepared = self._prepared[dialect.name] = _Prepared(words, dialect)
        return prepared


class _Prepared:
    """The text for one database, and how values go in and come out of it."""

    def __init__(self, words: Executable, dialect: Dialect) -> None:
        compiled = _compiled(words, dialect)
        self.text = compiled.string
        self._fixed = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
        writers = [(name, _writer(bind.type, dialect)) for name, bind in compiled.binds.items()]
        self._writers = [(name, write) for name, write in writers if write is not None]
        columns = cast("Iterable[ColumnElement[Any]]", getattr(words, "exported_columns", ()))
        readers = [(position, _reader(column.type, dialect)) for position, column in enumerate(columns)]
        self._readers = [(position, read) for position, read in readers if read is not None]
        self._row: Any = namedtuple("Row", [column.key for column in columns])  # type: ignore[misc] # noqa: PYI024 names of this statement alone

    def bound(self, parameters: Parameters) -> dict[str, Any]:
        """Values as the driver takes them, by name; of those it does not need it takes no notice."""
        values = {**self._fixed, **parameters}
        for name, write in self._writers:
            values[name] = write(values[name])
        return values

    def named(self, found: Sequence[Sequence[Any]]) -> list[Any]:
        """Rows as they came from the driver, with names and as the values they stand for."""
        return [self._row._make(self._read(row)) for row in found]

    def _read(self, row: Sequence[Any]) -> Sequence[Any]:
        if not self._readers:
            return row
        values = list(row)
        for position, read in self._readers:
            values[position] = read(values[position])
        return values


class _JsonList(TypeDecorator[Sequence[Any]]):
    """A list as one value for SQLite's `json_each`: the text of the statement does not depend on its length."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Sequence[Any] | None, dialect: Dialect) -> str:  # noqa: ARG002 SQLAlchemy's
        """The list as JSON; nothing is an empty one."""
        return json.dumps(list(value or ()))


def among(dialect: str, column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Whether the column holds one of the values of that list, which is one parameter."""
    if dialect == "postgresql":
        return column == any_(bindparam(name, type_=ARRAY(column.type)))
    values = func.json_each(bindparam(name, type_=_JsonList)).table_valued("value", name=name)
    return column.in_(select(values.c.value))


def _compiled(words: Executable, dialect: Dialect) -> SQLCompiler:
    """The statement with parameters by name, which both drivers take; an INSERT sets every column but the row's number."""
    told = sqlite.dialect(paramstyle="named") if dialect.name == "sqlite" else dialect
    keys = [one.key for one in words.table.c if one.autoincrement is not True] if isinstance(words, Insert) else None
    compiled = words.compile(dialect=told, column_keys=keys)  # type: ignore[attr-defined] # every statement can
    return cast("SQLCompiler", compiled)


def _writer(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _reader(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    return kind.dialect_impl(dialect).result_processor(dialect, None)


def _driver(connection: Connection) -> Any:
    """The driver's own connection, in the same transaction: both drivers execute alike (PEP 249 and one step more)."""
    return connection.connection.dbapi_connection
