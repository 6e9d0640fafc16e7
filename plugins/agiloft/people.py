"""Who has an account, from the table of people, where the settings name one."""

from __future__ import annotations

from hub.ticket import Person
from plugins.agiloft.client import AgiloftClient
from plugins.agiloft.mapping import words_of
from plugins.agiloft.query import Unquotable, equals
from plugins.agiloft.settings import People


def with_address(client: AgiloftClient, people: People, email: str) -> Person | None:
    """The account with exactly this address, or None."""
    try:
        rows = client.search(people.table, equals(people.email, email), [people.name, people.email])
    except Unquotable:
        return None
    for row in rows:
        name, address = words_of(row.get(people.name)), words_of(row.get(people.email))
        if name and address.casefold() == email.casefold():
            return Person(name, name, address)
    return None
