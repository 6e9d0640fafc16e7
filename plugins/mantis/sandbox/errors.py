"""The shapes in which MantisBT refuses. Source: recorded exchanges auth.*, create.*, patch.*, note.*, file.*."""

from __future__ import annotations


class MantisError(Exception):
    """JSON with a message; with `code` and `localized` unless it comes from the older layer."""

    def __init__(self, status: int, message: str, code: int | None = None, localized: str = "") -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.localized = status, message, code, localized

    @property
    def body(self) -> dict[str, object]:
        if self.code is None:
            return {"message": self.message}
        return {"message": self.message, "code": self.code, "localized": self.localized}


class PhraseError(Exception):
    """An empty body; the reason stands in the status line. `etag` where the answer carries one."""

    def __init__(self, status: int, phrase: str, etag: str = "") -> None:
        super().__init__(phrase)
        self.status, self.phrase, self.etag = status, phrase, etag


class CrashError(Exception):
    """PHP gave up: 500 with nothing in it."""


class NotAllowedError(Exception):
    """405 with a page for people; `methods` are those that there are."""

    def __init__(self, methods: str) -> None:
        super().__init__(methods)
        self.methods = methods


DENIED = "Access Denied."


def denied(message: str) -> MantisError:
    return MantisError(403, message, 13, DENIED)


def empty(message: str, field: str) -> MantisError:
    return MantisError(400, message, 11, f'A necessary field "{field}" was empty. Please recheck your inputs.')


def no_issue(number: object) -> MantisError:
    return MantisError(404, f"Issue #{number} not found", 1100, f"Issue {number} not found.")


def bad_body() -> PhraseError:
    return PhraseError(400, "Invalid request body or format")
