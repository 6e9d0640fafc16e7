"""The shapes in which Bugzilla refuses. Source: recorded exchanges auth_*, create_*, upd_*, comment_*, att_*."""

from __future__ import annotations


class BugzillaError(Exception):
    """A refusal with one of Bugzilla's numbers; the number decides the status."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message

    @property
    def status(self) -> int:
        return STATUSES.get(self.code, 400)


class CrashError(Exception):
    """Perl gave up in the middle: 200 with the number 100500 before 5.3, 500 without one since."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class EmptyAnswerError(Exception):
    """200 with nothing in it, as under mod_perl when a process dies."""


STATUSES = dict.fromkeys((51, 101, 32614), 404) | dict.fromkeys(
    (102, 106, 109, 110, 113, 115, 120, 300, 301, 304, 410, 504, 505), 401
)
LOGIN_NEEDED = "You must log in before using this part of Bugzilla."
NOT_INSIDER = "Sorry, but you are not allowed to (un)mark comments or attachments as private."


def no_bug(number: object) -> BugzillaError:
    return BugzillaError(101, f"Bug #{number} does not exist.")


def no_such(kind: str, name: object, where: str = "") -> BugzillaError:
    return BugzillaError(51, f"There is no {kind} named '{name}'{where}.")


def no_user(login: object) -> BugzillaError:
    why = "Either you mis-typed the name or that user has not yet registered for a Bugzilla account."
    return BugzillaError(51, f"There is no user named '{login}'. {why}")


def no_keyword(name: object) -> BugzillaError:
    return BugzillaError(51, f"There is no keyword named '{name}'. See the list of available keywords.")


def too_long(label: str, length: int, limit: int) -> BugzillaError:
    what = f"({length} characters, above the maximum length allowed of {limit} characters)"
    return BugzillaError(104, f"The text you entered in the {label} field is too long {what}.")


def missing(function: str, argument: str) -> BugzillaError:
    name = f"The function {function} " if function else "The function "
    return BugzillaError(50, f"{name}requires a {argument} argument, and that argument was not set.")


def no_route(method: str, path: str) -> BugzillaError:
    return BugzillaError(32614, f"A REST API resource was not found for '{method} {path}'.")
