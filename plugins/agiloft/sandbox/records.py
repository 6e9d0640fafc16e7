"""Reads and writes records by the rules of their table, and says what changed. Input comes from any client.

Source: help.agiloft.com, "REST - Create", "REST - Update", "Data encoding"; how entries of an append-only column look
is a setting of the column, this is one of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from plugins.agiloft.sandbox.errors import AgiloftError, no_column, no_permission, no_record, wrong_value
from plugins.agiloft.sandbox.state import CUSTOMERS, Column, File, KnowledgeBase, Record, Table, User

Tell = Callable[[str, Table, Record], None]
"""Called with Create, Update or Delete once it has happened."""
CUSTOMERS_WRITE = {
    "case": {"summary", "problem_description", "submitter_name", "submitter_email", "customer_notes", "attached_files"},
    "case_comment": {"case_id", "comment_text", "shown_to", "files"},
}


class Records:
    """Every access of a user to records."""

    def __init__(self, kb: KnowledgeBase, tell: Tell) -> None:
        self._kb, self._tell = kb, tell

    def table(self, name: str) -> Table:
        if name not in self._kb.tables:
            raise AgiloftError(400, f"Table {name} has not been found")
        return self._kb.tables[name]

    def find(self, table: Table, record_id: object, user: User) -> Record:
        text = str(record_id)
        record = table.records.get(int(text)) if text.isdigit() else None
        if record is None or not self.may_see(table, record, user):
            raise no_record()
        return record

    def may_see(self, table: Table, record: Record, user: User) -> bool:
        """Customers see their own tickets, and of those what is shown to everybody."""
        if user.group != CUSTOMERS:
            return True
        if table.name == "case_comment":
            case = self._kb.tables["case"].records.get(int(record.values.get("case_id") or 0))
            return record.values.get("shown_to") == "Public" and case is not None and self.may_see(
                self._kb.tables["case"], case, user
            )  # fmt: skip
        return table.name == "case" and record.values.get("submitter_email") == user.email

    def show(self, table: Table, record: Record, wanted: Iterable[str] = ()) -> dict[str, Any]:
        """The record as JSON; empty columns are null."""
        names = list(wanted) or list(table.columns)
        shown: dict[str, Any] = {"id": record.id}
        for name in names:
            column = table.columns.get(name)
            if column is None:
                raise no_column(name, table.name)
            shown[name] = self.value(table, record, column)
        return shown

    def value(self, table: Table, record: Record, column: Column) -> Any:
        if column.kind == "id":
            return record.id
        if column.kind == "file":
            return [file.name for file in record.files.get(column.name, [])] or None
        if column.name in ("date_created", "date_updated"):
            return self._kb.shown(record.created if column.name == "date_created" else record.updated)
        value = record.values.get(column.name)
        if column.kind == "append":
            return "\n\n".join(reversed(value)) if value else None
        return value if value not in ("", []) else None

    def create(self, table: Table, values: Mapping[str, Any], user: User) -> Record:
        checked = self._checked(table, None, values, user)
        missing = [c.name for c in table.columns.values() if c.is_required and not checked.get(c.name)]
        if missing:
            raise AgiloftError(400, f"The required field {table.columns[missing[0]].label} is empty")
        record = self._kb.new_record(table)
        if table.name == "case":
            record.values |= {"wfstate": "New", "priority": "Medium"}
        record.values["created_by"] = user.login
        self._write(table, record, checked, user)
        self._tell("Create", table, record)
        return record

    def update(self, table: Table, record: Record, values: Mapping[str, Any], user: User) -> None:
        self.refuse_locked(table, record, user)
        self._write(table, record, self._checked(table, record, values, user), user)
        self._tell("Update", table, record)

    def delete(self, table: Table, record: Record, user: User) -> None:
        if user.group == CUSTOMERS:
            raise no_permission()
        self.refuse_locked(table, record, user)
        del table.records[record.id]
        self._tell("Delete", table, record)

    def attach(self, table: Table, record: Record, column: Column, file: File, user: User) -> int:
        """The number of files that the column holds then."""
        self._refuse_unpermitted(table, [column.name], user)
        self.refuse_locked(table, record, user)
        record.files.setdefault(column.name, []).append(file)
        self._touch(record, user)
        self._tell("Update", table, record)
        return len(record.files[column.name])

    def remove_file(self, table: Table, record: Record, column: Column, position: int, user: User) -> int:
        """The number of files that are left."""
        self._refuse_unpermitted(table, [column.name], user)
        del record.files[column.name][position]
        self._touch(record, user)
        self._tell("Update", table, record)
        return len(record.files[column.name])

    def file_column(self, table: Table, name: str) -> Column:
        column = table.columns.get(name)
        if column is None:
            raise no_column(name, table.name)
        if column.kind != "file":
            raise wrong_value(name)
        return column

    def refuse_locked(self, table: Table, record: Record, user: User) -> None:
        """No page shows the answer; that the write fails is all that is known."""
        lock = self._kb.lock_of(table, record)
        if lock is not None and lock.login != user.login:
            raise AgiloftError(400, f"Record {record.id} cannot be changed now: another user works with it")

    def _checked(self, table: Table, record: Record | None, values: Mapping[str, Any], user: User) -> dict[str, Any]:
        """The values as they will be kept: all of them are good, or none is written."""
        self._refuse_unpermitted(table, values, user)
        checked: dict[str, Any] = {}
        for name, value in values.items():
            column = table.columns.get(name)
            if column is None:
                raise no_column(name, table.name)
            if not column.is_system:
                checked[name] = self._kept(column, value)
        if record is not None and table.name == "case" and "wfstate" in checked:
            before, after = record.values.get("wfstate"), checked["wfstate"]
            allowed = self._kb.moves.get(str(before))
            if before != after and allowed is not None and after not in allowed:
                raise AgiloftError(400, f"A case that is {before} cannot become {after}")
        return checked

    def _kept(self, column: Column, value: Any) -> Any:
        if value in (None, "", []):
            return None
        match column.kind:
            case "choice":
                if value not in column.choices:
                    raise wrong_value(column.name)
            case "multi":
                if not isinstance(value, list) or not set(value) <= set(column.choices):
                    raise wrong_value(column.name)
            case "number":
                if not re.fullmatch(r"-?\d+(\.\d+)?", str(value)):
                    raise wrong_value(column.name)
            case "link":
                return self._linked(column, str(value))
            case "file":
                raise wrong_value(column.name)
        if column.limit and len(str(value)) > column.limit:
            raise wrong_value(column.name)
        return value

    def _linked(self, column: Column, text: str) -> Any:
        """`:value` finds the record by what the column shows; `Column:value` by another column."""
        parts = re.split(r"(?<!\\):", text, maxsplit=1)
        if len(parts) < 2:
            raise wrong_value(column.name)
        wanted = re.sub(r"\\([:?\\])", r"\1", parts[1])
        other, by = self._kb.tables[column.to], parts[0] or column.shows
        for record in other.records.values():
            shown = record.id if by == "id" else record.values.get(by)
            if str(shown) == wanted:
                return record.id if column.shows == "id" else record.values.get(column.shows)
        raise wrong_value(column.name)

    def _write(self, table: Table, record: Record, checked: Mapping[str, Any], user: User) -> None:
        for name, value in checked.items():
            if table.columns[name].kind == "append":
                if value:
                    entry = f"{self._kb.shown(self._kb.now())} {user.login}:\n{value}"
                    record.values[name] = [*record.values.get(name, []), entry]
            else:
                record.values[name] = value
        if table.name == "case" and user.group == CUSTOMERS and not record.values.get("submitter_email"):
            record.values |= {"submitter_name": user.name, "submitter_email": user.email}
        self._touch(record, user)

    def _touch(self, record: Record, user: User) -> None:
        record.updated = self._kb.now()
        record.values["updated_by"] = user.login

    def _refuse_unpermitted(self, table: Table, names: Iterable[str], user: User) -> None:
        if user.group == CUSTOMERS and not set(names) <= CUSTOMERS_WRITE.get(table.name, set()):
            raise no_permission()
