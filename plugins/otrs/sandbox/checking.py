"""What `TicketCreate` and `TicketUpdate` look at before they write anything, in the server's order and words.

Source: recorded `create.missing_*`, `create.value_*`, `create.article_*`, `update.df_*`, `attachment.*`.
"""

from __future__ import annotations

import base64
import codecs
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from plugins.otrs.sandbox.errors import GiError
from plugins.otrs.sandbox.shapes import is_on
from plugins.otrs.sandbox.state import CHANNELS, FORM, PRIORITIES, SENDER_TYPES, STATES, DynamicField, File, Store

ADDRESS = re.compile(r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+|[^@\s<>]+@localhost")
HISTORY_TYPES = {"AddNote", "NewTicket", "EmailCustomer", "PhoneCallCustomer", "PhoneCallAgent", "Misc", "FollowUp"}


class Checker:
    """The checks of one call; `operation` stands before every message."""

    def __init__(self, store: Store, operation: str) -> None:
        self._store, self._operation = store, operation

    def new_ticket(self, given: Mapping[str, Any]) -> None:
        """Everything that a new ticket must have."""
        if not str(given.get("Title") or "").strip():
            self._missing("Ticket->Title parameter is missing!")
        if not given.get("CustomerUser"):
            self._missing("Ticket->CustomerUser parameter is missing!")
        self._customer(given)
        self._need(given, "Queue")
        self.values(given)
        if self._store.are_types_on and not given.get("Type") and not given.get("TypeID"):
            self._missing("Ticket->TypeID or Ticket->Type parameter is required by sysconfig option!")
        self._need(given, "State")
        self._need(given, "Priority")

    def values(self, given: Mapping[str, Any]) -> None:
        """The values that a ticket is to have, as far as they are given."""
        store = self._store
        if given.get("CustomerUser"):
            self._customer(given)
        self._known(given, "Lock", {"lock": 2, "unlock": 1})
        self._known(given, "Queue", {name.casefold(): q.id for name, q in store.queues.items()}, fold=True)
        self._known(given, "Type", {name: number for number, name in store.types.items()})
        self._known(given, "Service", store.services)
        self._known(given, "SLA", store.slas)
        self._known(given, "State", {s.name: s.id for s in STATES}, fold=True)
        agents = {a.login: a.id for a in store.agents.values()}
        self._known(given, "Owner", agents)
        self._known(given, "Responsible", agents)
        self._known(given, "Priority", {name: number for number, name in PRIORITIES.items()})
        if given.get("PendingTime"):
            self.pending(given["PendingTime"])

    def pending(self, given: Any) -> datetime:
        """The moment that a PendingTime means: in the server's zone, or so many minutes from now."""
        try:
            if "Diff" in given:
                return self._store.now() + timedelta(minutes=int(given["Diff"]))
            parts = [int(given[key]) for key in ("Year", "Month", "Day", "Hour", "Minute")]
            return datetime(*parts, tzinfo=self._store.zone)  # type: ignore[misc,arg-type]  # five numbers, then zone
        except (KeyError, TypeError, ValueError) as error:
            raise self._invalid("Ticket->PendingTime parameter is invalid!") from error

    def article(self, given: Mapping[str, Any]) -> None:
        """An article's own fields. A body that is no text passes here and fails later."""
        for key in ("Subject", "Body"):
            if given.get(key) in (None, "", "0", 0):
                self._missing(f"Article->{key} parameter is missing!")
        if not given.get("ContentType") and not (given.get("MimeType") and given.get("Charset")):
            self._missing("Article->ContentType or Ticket->MimeType and Article->Charset parameters are required!")
        if given.get("AutoResponseType"):
            raise self._invalid("Article->AutoResponseType parameter is invalid!")
        if given.get("CommunicationChannel") and given["CommunicationChannel"] not in CHANNELS:
            which = "Article->CommunicationChannel or Article->CommunicationChannelID"
            raise self._invalid(f"{which} parameter is invalid or not supported!")
        if given.get("SenderType") and given["SenderType"] not in SENDER_TYPES:
            raise self._invalid("Article->SenderTypeID or Article->SenderType parameter is invalid!")
        if given.get("From") and not ADDRESS.search(str(given["From"])):
            raise self._invalid("Article->From parameter is invalid!")
        if given.get("ContentType") and not _is_content_type(str(given["ContentType"])):
            raise self._invalid("Article->ContentType is invalid!")
        if given.get("HistoryType") and given["HistoryType"] not in HISTORY_TYPES:
            raise self._invalid("Article->HistoryType parameter is invalid!")
        if given.get("TimeUnit") and not re.fullmatch(r"-?\d+([.,]\d+)?", str(given["TimeUnit"])):
            raise self._invalid("Article->TimeUnit parameter is invalid!")

    def dynamic_fields(self, given: Any, *, has_article: bool) -> list[tuple[DynamicField, Any]]:
        """The fields and the values that they are to hold."""
        checked = []
        for one in given if isinstance(given, list) else [given]:
            if not isinstance(one, Mapping) or not one.get("Name"):
                self._missing("DynamicField->Name parameter is missing!")
            if one.get("Value") is None:
                self._missing("DynamicField->Value parameter is missing!")
            field = self._store.fields.get(str(one["Name"]))
            if field is None:
                raise self._invalid("DynamicField->Name parameter is invalid!")
            if not _is_value(field, one["Value"]):
                raise self._invalid("DynamicField->Value parameter is invalid!")
            if field.of == "article" and not has_article:
                self._missing("To create an article DynamicField an article is required!")
            checked.append((field, one["Value"]))
        return checked

    def attachments(self, given: Any, *, has_article: bool) -> list[File]:
        """The files of an article, their names as they are kept."""
        if not has_article:
            self._missing("To create an attachment an article is needed!")
        files: list[File] = []
        for one in given if isinstance(given, list) else [given]:
            for key in ("Content", "ContentType", "Filename"):
                if not one.get(key):
                    self._missing(f"Attachment->{key} parameter is missing!")
            if not _is_content_type(str(one["ContentType"])):
                raise self._invalid("Attachment->ContentType is invalid!")
            name = _free_name(str(one["Filename"]).lstrip("."), {f.name for f in files})
            files.append(File(name, str(one["ContentType"]), _decoded(str(one["Content"]))))
        return files

    def _customer(self, given: Mapping[str, Any]) -> None:
        user = str(given["CustomerUser"])
        if user not in self._store.customers and not ADDRESS.fullmatch(user):
            raise self._invalid("Ticket->CustomerUser parameter is invalid!")

    def _need(self, given: Mapping[str, Any], key: str) -> None:
        if not given.get(key) and not given.get(f"{key}ID"):
            self._missing(f"Ticket->{key}ID or Ticket->{key} parameter is required!")

    def _known(self, given: Mapping[str, Any], key: str, known: Mapping[str, int], *, fold: bool = False) -> None:
        """By id or by name; where both are given the id counts."""
        by_id, by_name = given.get(f"{key}ID"), given.get(key)
        if by_id:
            is_known = str(by_id) in {str(number) for number in known.values()}
        elif by_name:
            words = {word.casefold() for word in known} if fold else set(known)
            is_known = isinstance(by_name, str) and (by_name.casefold() if fold else by_name) in words
        else:
            return
        if not is_known:
            raise self._invalid(f"Ticket->{key}ID or Ticket->{key} parameter is invalid!")

    def _missing(self, message: str) -> None:
        raise GiError(self._operation, "MissingParameter", message)

    def _invalid(self, message: str) -> GiError:
        return GiError(self._operation, "InvalidParameter", message)


def chosen(given: Mapping[str, Any], key: str, known: Mapping[str, int]) -> int | None:
    """The id of what a checked request names, None where it names nothing."""
    if given.get(f"{key}ID"):
        return int(given[f"{key}ID"])
    if not given.get(key):
        return None
    folded = {word.casefold(): number for word, number in known.items()}
    return folded[str(given[key]).casefold()]


def is_visible(given: Mapping[str, Any]) -> bool:
    """Left out means visible. Source: recorded get.attachments_meta_only, "domyślna"."""
    value = given.get("IsVisibleForCustomer")
    return True if value is None else is_on(value)


def _is_content_type(text: str) -> bool:
    """The type must begin with word characters on both sides of the slash; a charset must be known."""
    if not re.match(r"\w+/\w+", text):
        return False
    charset = re.search(r"charset=[\"']?([\w.:\-]+)", text, re.I)
    if charset is None:
        return True
    try:
        codecs.lookup(charset.group(1))
    except LookupError:
        return False
    return True


def _is_value(field: DynamicField, value: Any) -> bool:
    if field.type == "Dropdown":
        return value == "" or value in field.options
    if field.type == "Multiselect":
        return value == "" or all(v in field.options for v in (value if isinstance(value, list) else [value]))
    if field.type == "Checkbox":
        return str(value) in ("", "0", "1")
    if field.type == "DateTime" and value != "":
        try:
            datetime.strptime(str(value), FORM)  # noqa: DTZ007 - only its form is looked at
        except ValueError:
            return False
    return True


def _free_name(name: str, taken: set[str]) -> str:
    stem, dot, ending = name.rpartition(".")
    free, number = name, 0
    while free in taken:
        number += 1
        free = f"{stem}-{number}.{ending}" if dot else f"{name}-{number}"
    return free


def _decoded(text: str) -> bytes:
    """As Perl decodes: whatever is no letter of the alphabet is left out, and so is a rest."""
    letters = re.sub(r"[^A-Za-z0-9+/]", "", text)
    if len(letters) % 4 == 1:
        letters = letters[:-1]
    return base64.b64decode(letters + "=" * (-len(letters) % 4))
