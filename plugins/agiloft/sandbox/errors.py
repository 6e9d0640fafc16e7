"""How Agiloft says no. Source: help.agiloft.com, "REST Interface", general error codes; the words are its own."""

from __future__ import annotations


class AgiloftError(Exception):
    """An answer of 400 or more, as `{"success": false, "message": …}`."""

    def __init__(self, status: int, message: str) -> None:
        self.status, self.message = status, message
        super().__init__(message)


class PlainError(Exception):
    """The shape of OAuth, webhooks and locks: `{"error", "error_description"}`."""

    def __init__(self, status: int, error: str, description: str) -> None:
        self.status, self.error, self.description = status, error, description
        super().__init__(description)


def no_permission() -> AgiloftError:
    return AgiloftError(400, "There is no permissions to access this resource")


def no_record() -> AgiloftError:
    return AgiloftError(400, "no data found for id range(s)")


def no_column(column: str, table: str) -> AgiloftError:
    return AgiloftError(400, f"No column {column} in table {table}")


def wrong_value(column: str) -> AgiloftError:
    return AgiloftError(400, f"Wrong format/value pointed to {column}")
