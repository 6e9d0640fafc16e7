"""What Bugzilla makes of values that are written: trimmed, spelt anew, or refused.

Sources: recorded exchanges create_*, upd_*, alias_*, see_also_*, att_*; Mozilla's `Bugzilla/BugUrl/External.pm`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any
from urllib.parse import parse_qs, urlsplit

from plugins.bugzilla.sandbox.errors import BugzillaError, CrashError, no_such, no_user, too_long
from plugins.bugzilla.sandbox.state import Bug, Field, Store, User

SHORT_LIMIT = 255
COMMENT_LIMIT = 65_535
ALIAS_LIMIT = 40
TAG_LIMITS = (3, 24)
TYPES = ("application", "audio", "image", "message", "model", "multipart", "text", "video")
TRACKERS = {
    "5.2": "show_bug.cgi in a Bugzilla installation. A bug on launchpad.net An issue on code.google.com. A bug on "
    "bugs.debian.org. An issue in a JIRA installation. A ticket in a Trac installation. A bug in a MantisBT "
    "installation. A bug on sourceforge.net. An issue/pull request on github.com.",
    "5.3": "show_bug.cgi in a Bugzilla installation. A bug on launchpad.net. An issue on code.google.com. A bug on "
    "bugs.debian.org or debugs.gnu.org. An issue in a JIRA installation. A ticket in a Trac installation. A bug in a "
    "MantisBT installation. A bug or ticket on sourceforge.net. An issue/pull request on github.com.",
}
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?")
_ISSUE = {
    "launchpad": re.compile(r"^https?://bugs\.launchpad\.net/.*\+bug/(\d+)/?$"),
    "debian": re.compile(r"^https?://bugs\.debian\.org/(?:cgi-bin/bugreport\.cgi\?bug=)?(\d+)$"),
    "google": re.compile(r"^https?://code\.google\.com(/p/[^/]+/issues/detail\?id=\d+)$"),
}
_KEPT = (
    re.compile(r"^https?://[^/]+(?:/[^?#]*)?/browse/[A-Z][A-Z0-9_]*-\d+$"),
    re.compile(r"^https?://github\.com/[^/]+/[^/]+/(?:issues|pull)/\d+$"),
    re.compile(r"^https?://[^/]+/(?:[^?#]*/)?view\.php\?id=\d+$"),
    re.compile(r"^https?://[^/]+/(?:[^?#]*/)?ticket/\d+$"),
)
_SOURCEFORGE = re.compile(r"^https?://sourceforge\.net/p/[^/]+/bugs/\d+/?$")


def summary(text: object) -> str:
    """One line of at most 255 characters."""
    line = re.sub(r"\s*\n\s*", " ", str(text or "")).strip()
    if not line:
        raise BugzillaError(107, "You must enter a summary for this bug.")
    if len(line) > SHORT_LIMIT:
        raise too_long("Summary", len(line), SHORT_LIMIT)
    return line


def comment_text(text: object) -> str:
    """Line ends of one sort, nothing blank at the end."""
    clean = str(text or "").replace("\r\n", "\n").replace("\r", "\n").rstrip()
    if len(clean) > COMMENT_LIMIT:
        raise BugzillaError(114, f"Comments cannot be longer than {COMMENT_LIMIT} characters.")
    return clean


def aliases(store: Store, text: object, bug: Bug | None = None) -> list[str]:
    """Blanks and commas split one text into several; each is unique whatever its case."""
    found = [part for part in re.split(r"[\s,]+", str(text or "")) if part]
    for alias in found:
        if len(alias) > ALIAS_LIMIT:
            raise BugzillaError(
                103, f"Bug aliases cannot be longer than {ALIAS_LIMIT} characters. Please choose a shorter alias."
            )
        if alias.isdigit():
            raise BugzillaError(
                103,
                f"You tried to give this bug the alias {alias}, but aliases cannot be merely numbers, since they could "
                "then be confused with bug IDs. Please choose an alias containing at least one letter.",
            )
        other = bug_by_alias(store, alias)
        if other is not None and other is not bug:
            taken = f"Bug {other.id} has already taken the alias {alias}. Please choose another alias."
            since = f"Bug {other.id} is currently using the alias {alias}. Please choose another alias or visit that "
            raise BugzillaError(103, since + "bug and change its alias." if store.is_new else taken)
    return found


def bug_by_alias(store: Store, alias: str) -> Bug | None:
    wanted = alias.casefold()
    return next((b for b in store.bugs.values() if wanted in (a.casefold() for a in b.alias)), None)


def person(store: Store, login: object) -> User:
    user = store.user(login)
    if user is None:
        raise no_user(login)
    return user


def word(words: tuple[str, ...], label: str, value: object) -> str:
    """A value of a field with values."""
    if value not in words:
        raise no_such(label, value)
    return str(value)


def date_of(text: object, zone: tzinfo = UTC) -> datetime:
    """A time as searches take it; without a zone it counts as the server's own."""
    if not _DATE.fullmatch(str(text)):
        raise BugzillaError(56, f"'{text}' is not a legal date.")
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise BugzillaError(56, f"'{text}' is not a legal date.") from error
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)


def custom(field: Field, value: Any) -> Any:
    """What a field of one's own holds after a value was written to it."""
    match field.type:
        case 1:
            text = str(value if value is not None else "").strip()
            if len(text) > SHORT_LIMIT:
                raise too_long(field.label, len(text), SHORT_LIMIT)
            return text
        case 2:
            return word(field.values or (), field.label, value or "---")
        case 3:
            chosen = [value] if isinstance(value, str) else list(value or ())
            for one in chosen:
                word(field.values or (), field.label, one)
            return [one for one in field.values or () if one in chosen]
        case 5 | 9:
            return _date(value, with_time=field.type == 5)
        case 10:
            if value in (None, ""):
                return "0"
            if not re.fullmatch(r"-?\d+", str(value)):
                why = f"The value '{value}' in the {field.label} field is not an integer value (i.e. a whole number)."
                raise BugzillaError(32000, why)
            return str(int(value))
        case 6:
            return int(value) if value else None
        case _:
            return str(value if value is not None else "").replace("\r\n", "\n")


def _date(value: object, *, with_time: bool) -> str | None:
    if value in (None, ""):
        return None
    form = r"(\d{4}-\d\d-\d\d)(?: (\d\d:\d\d(?::\d\d)?))?" if with_time else r"(\d{4}-\d\d-\d\d)"
    found = re.fullmatch(form, str(value).strip())
    if found is None:
        raise BugzillaError(56, f"'{str(value).split()[0]}' is not a legal date. Please use the format 'YYYY-MM-DD'.")
    if not with_time:
        return found.group(1)
    time = found.group(2) or "00:00:00"
    return f"{found.group(1)} {time if time.count(':') == 2 else f'{time}:00'}"


def list_change(value: Any, present: list[str], line: int) -> tuple[list[str], list[str]]:
    """What `{"add", "remove", "set"}` takes away from a list and adds to it. Anything but an object is Perl's end."""
    if not isinstance(value, Mapping):
        raise CrashError(f"Not a HASH reference at /srv/bugzilla/Bugzilla/Bug.pm line {line}.\n")
    if "set" in value:
        wanted = [str(v) for v in _listed(value["set"])]
        return [p for p in present if p not in wanted], [w for w in wanted if w not in present]
    removed = [str(v) for v in _listed(value.get("remove")) if str(v) in present]
    return removed, [str(v) for v in _listed(value.get("add")) if str(v) not in present]


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [] if value is None else [value]


def see_also(store: Store, base: str, text: str) -> str:
    """The address as it is kept. Mozilla takes every one; 5.x those of the trackers that it knows."""
    if store.flavour == "bmo":
        parts = urlsplit(text)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise BugzillaError(112, f"{text} is not a valid URL to a bug. URLs must start with 'http' or 'https'.")
        return parts._replace(scheme="https").geturl()
    if not text.startswith(("http://", "https://")):
        number = int(text) if text.isdigit() else 0
        if number not in store.bugs:
            raise BugzillaError(100, f"'{text}' is not a valid bug number nor an alias to a bug.")
        return f"{base}/show_bug.cgi?id={number}"
    parts = urlsplit(text)
    if parts.path.endswith("/show_bug.cgi") and (numbers := parse_qs(parts.query).get("id")):
        return parts._replace(query=f"id={numbers[0]}", fragment="").geturl()
    if found := _ISSUE["launchpad"].match(text):
        return f"https://launchpad.net/bugs/{found.group(1)}"
    if found := _ISSUE["debian"].match(text):
        return f"{'https' if store.is_new else 'http'}://bugs.debian.org/{found.group(1)}"
    if found := _ISSUE["google"].match(text):
        return f"http://code.google.com{found.group(1)}"
    if any(form.match(text) for form in _KEPT) or (store.is_new and _SOURCEFORGE.match(text)):
        return text
    known = TRACKERS[store.flavour]
    raise BugzillaError(112, f"{text} is not a valid URL to a bug. See Also URLs should point to one of: {known}")


def content_type(text: object) -> str:
    kind, slash, rest = str(text or "").partition("/")
    if not slash or kind not in TYPES or not re.fullmatch(r"[\w.+-]+", rest):
        named = f" {text}" if text else ""
        raise BugzillaError(
            601,
            f"The content type{named} is invalid. Valid types must be of the form foo/bar where foo is one of "
            f'{", ".join(TYPES)} and bar must not contain any special characters (such as "=", "?", ...).',
        )
    return str(text)


def comment_tag(text: str) -> str:
    shortest, longest = TAG_LIMITS
    if len(text) < shortest:
        raise BugzillaError(128, f"Comment tags must be at least {shortest} characters long.")
    if len(text) > longest:
        raise BugzillaError(127, f"Comment tags cannot be longer than {longest} characters.")
    if not re.fullmatch(r"[\w.-]+", text):
        raise BugzillaError(126, f'The comment tag "{text}" contains invalid characters or words.')
    return text
