"""The checks of the conformance kit, one function each: they raise CheckFailed with what was wrong.

They use nothing but the contract of `hub.connector`, so they hold for every tracker. Values are compared in the form
that the connector says the tracker holds (`hold`, `hold_text`, `hold_label`): a lossy tracker is fine, an unforeseen
loss is not.
"""

from __future__ import annotations

import hashlib
import io
import secrets
import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from hub.connector import (
    AuthError,
    Capability,
    Changes,
    Connector,
    ConnectorError,
    Created,
    Draft,
    Hint,
    Known,
    NewComment,
    NotFoundError,
    PermanentError,
    RateLimitedError,
    RefusedError,
    RemoteLink,
    Role,
    StoredMacro,
    TemporaryError,
    Unwritable,
    Upload,
    WebhookRequest,
)
from hub.sandbox import Fault, Sandbox
from hub.sandbox.cast import Actor, File, Rater
from hub.testing.site import Site
from hub.text import canonical, fingerprint
from hub.ticket import Category, Comment, Markdown, Person, Priority, Snapshot, Status, Value, Visibility

WORD = Markdown("word")
PUBLIC, PRIVATE = Visibility.PUBLIC, Visibility.PRIVATE
SOLVED = Status.SOLVED
NO_CHANGES = Changes()
NO_MACRO = StoredMacro(name="none", title="none")
EMPTY_REQUEST = WebhookRequest({}, b"{}")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
PATIENCE = 15.0
"""Seconds within which a webhook or a poll must show a change."""
LONGEST_WITHHELD = 90.0
"""Seconds for which a tracker may keep its newest changes back from polls."""
BEHIND = 40.0
"""Seconds by which a tracker's clock may be wrong without anybody's noticing."""
NAME = "hub connector verify"
"""How scratch tickets are titled, so that everybody sees what they are."""

TEXTS = {
    "paragraphs": "One.\n\nTwo, with **bold**, *emphasis* and `code`.",
    "lists": "Steps:\n\n1. open it\n2. look\n\n- first\n- second",
    "code": "```\nTraceback: x < y && z\n```",
    "links": "See [the manual](https://example.com/a?b=1&c=2).",
    "quotes": "> It is broken.\n\nSince when?",
    "unicode": "Zażółć gęślą jaźń — 你好 🙂",
    "markup of others": "{code}x{code} h1. no [link] <b>no</b> &amp; \\*plain\\*",
    "mentions": "@everyone /close @[~admin]",
}
FILE_NAMES = ("plain.txt", "raport ąę (1).pdf", "a;b=c's.txt", "字.png")

T = TypeVar("T")


class CheckFailed(AssertionError):  # noqa: N818 - reads as the sentence that it is
    """The connector does not do what the contract promises."""


class NotPossible(Exception):  # noqa: N818
    """What is at hand does not suffice for this check; `args[0]` says what is missing."""


@dataclass(frozen=True, slots=True)
class Check:
    """One promise. `needs` are the capabilities it is about; `name` is for people."""

    name: str
    run: Callable[[Kit], None]
    needs: frozenset[Capability] = frozenset()
    needs_sandbox: bool = False


ALL: list[Check] = []


def check(*needs: Capability, sandbox: bool = False) -> Callable[[Callable[[Kit], None]], None]:
    """Registers a check under its function's name."""

    def register(run: Callable[[Kit], None]) -> None:
        ALL.append(Check(run.__name__.replace("_", " "), run, frozenset(needs), sandbox))

    return register


class Kit:
    """What a check works with: the site, and tickets of the hub's own. One ticket is shared by all that can share."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.connector, self.people = site.connector, site.people
        self._shared = ""
        self._made: list[str] = []

    @property
    def sandbox(self) -> Sandbox:
        """The sandbox. Raises NotPossible for a real tracker."""
        if self.site.sandbox is None:
            raise NotPossible("needs other people or faults on demand: only a sandbox has them")
        return self.site.sandbox

    def now(self) -> datetime:
        """The present time in UTC, as the sandbox's clock tells it."""
        return self.site.clock() if self.site.clock else datetime.now(UTC)

    def let_time_pass(self) -> None:
        """So that a tracker that keeps the newest changes back shows them: at once in a sandbox, by waiting else."""
        if self.site.clock:
            self.site.clock.pass_by(LONGEST_WITHHELD)

    def ticket(self) -> str:
        """The id of the shared ticket."""
        if not self._shared:
            self._shared = self.create().id
        return self._shared

    def create(self, draft: Draft | None = None) -> Created:
        """A new ticket of the hub's own."""
        created = self.connector.create(draft or a_draft())
        self._made.append(created.id)
        return created

    def clean_up(self) -> None:
        """Closes what was made, as far as the tracker lets it be closed."""
        for ticket_id in self._made:
            for status in (Status.CLOSED, Status.SOLVED):
                try:
                    set_status(self.connector, ticket_id, status)
                except (ConnectorError, Unwritable):
                    continue
                break


def a_draft(**more: object) -> Draft:
    marker = f"verify-{secrets.token_hex(6)}"
    given: dict[str, object] = {
        "marker": marker,
        "title": f"{NAME} {marker[-6:]}: can be deleted",
        "description": canonical("A **scratch** ticket. It can be deleted."),
    }
    return Draft(**{**given, **more})  # type: ignore[arg-type]  # the caller names Draft's own fields


def set_status(connector: Connector, ticket_id: str, status: Status) -> None:
    """By the way that the tracker has. Raises RefusedError, Unwritable."""
    connector.hold("status", status)
    if Capability.TRANSITIONS in connector.capabilities:
        connector.transition(ticket_id, status)
    else:
        connector.update(ticket_id, Changes(values={"status": status}), connector.read(ticket_id, Known()))


def expect(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise CheckFailed(otherwise)


def same(seen: object, wanted: object, what: str) -> None:
    expect(seen == wanted, f"{what}: the tracker shows {seen!r}, {wanted!r} was to be expected")


def raises(kinds: type[Exception] | tuple[type[Exception], ...], call: Callable[[], object], what: str) -> Exception:
    try:
        given = call()
    except kinds as error:
        return error
    except ConnectorError as error:
        raise CheckFailed(f"{what}: {type(error).__name__} instead: {error}") from error
    raise CheckFailed(f"{what}: no error, but {given!r}")


def eventually(look: Callable[[], T], what: str, patience: float = PATIENCE) -> T:
    deadline, pause = time.monotonic() + patience, threading.Event()
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise CheckFailed(f"not seen within {patience:g} s: {what}")
        pause.wait(0.05)
    return seen


def comments_of(kit: Kit, ticket_id: str) -> tuple[Comment, ...]:
    found = kit.connector.read(ticket_id, Known()).comments
    expect(found is not None, "a read that must read comments left them out")
    return found or ()


def a_comment(text: str, visibility: Visibility = PUBLIC, *uploads: Upload, author: Person | None = None) -> NewComment:
    marker = f"hub:verify:kit:1:{secrets.token_hex(5)}"
    return NewComment(text=canonical(text), visibility=visibility, marker=marker, uploads=uploads, author=author)


def an_upload(name: str, content: bytes, content_type: str = "application/octet-stream") -> Upload:
    return Upload(name=name, content_type=content_type, size=len(content), open=lambda: io.BytesIO(content))


def somebody(kit: Kit) -> Actor:
    """Whoever works with tickets beside the hub."""
    for role in ("agent", "engineer"):
        if role in kit.people:
            return kit.people[role]
    raise NotPossible("needs somebody else's account")


def opener(kit: Kit) -> Actor:
    for role in ("customer", "expert"):
        if role in kit.people:
            return kit.people[role]
    raise NotPossible("needs somebody else's account")


def has_no_secret(kit: Kit, error: Exception) -> None:
    text = f"{error} {error!r} {getattr(error, '__dict__', '')}"
    for secret in kit.site.secrets():
        expect(secret not in text, "an error shows a secret")


# -- who ----------------------------------------------------------------------------------------------------------


@check()
def the_hub_knows_who_it_is(kit: Kit) -> None:
    who = kit.connector.identify()
    expect(bool(who.account_id and who.name), f"identify gives no account: {who}")
    skew = who.clock_skew
    expect(skew is None or abs(skew) < 300, f"the clocks differ by {skew} s")


@check()
def a_good_configuration_has_no_errors(kit: Kit) -> None:
    bad = [f"{f.what} {f.remedy}" for f in kit.connector.check() if f.level == "error"]
    expect(not bad, "; ".join(bad))


@check()
def wrong_credentials_are_an_auth_error_with_a_remedy(kit: Kit) -> None:
    stranger = kit.site.with_wrong_secrets()
    try:
        error = raises(AuthError, stranger.identify, "identify with wrong credentials")
    finally:
        stranger.close()
    has_no_secret(kit, error)
    assert isinstance(error, AuthError)
    expect(bool(error.remedy), "the error names no remedy")


@check(Capability.USERS)
def an_unknown_address_belongs_to_nobody(kit: Kit) -> None:
    same(kit.connector.find_person("nobody-at-all@example.com"), None, "a person whom nobody knows")


# -- create and read ----------------------------------------------------------------------------------------------


@check(Capability.CREATE)
def what_is_created_is_read_back(kit: Kit) -> None:
    connector = kit.connector
    values: dict[str, Value] = {}
    wishes: dict[str, Value] = {
        "priority": Priority.HIGH,
        "category": Category.BUG if connector.role is Role.BUG_TRACKER else Category.INCIDENT,
    }
    for name, value in wishes.items():
        try:
            values[name] = connector.hold(name, value)
        except Unwritable:
            continue
    draft = a_draft(
        values=values,
        labels=frozenset({connector.hold_label("Needs Work")}),
        description=canonical(TEXTS["paragraphs"]),
    )
    created = kit.create(draft)
    expect(not created.refused, f"fields were refused: {created.refused}")
    snapshot = connector.read(created.id, Known())
    ticket = snapshot.ticket
    same(ticket.id, created.id, "id")
    same(ticket.key, created.key, "key")
    same(ticket.title, connector.hold("title", draft.title), "title")
    same(fingerprint(ticket.description or ""), fingerprint(connector.hold_text(draft.description)), "description")
    for name, held in values.items():
        same(getattr(ticket, name), held, name)
    expect(draft.labels <= ticket.labels, f"labels: {set(draft.labels)} are not among {set(ticket.labels)}")
    expect(ticket.url.startswith("http") and created.url.startswith("http"), "there is no address for people")
    expect(ticket.status is not Status.UNKNOWN, f"a new ticket's status has no mapping: {ticket.native}")
    for at in (ticket.created, ticket.updated):
        expect(at is None or at.tzinfo is not None, "a time without a zone")


@check(Capability.CREATE)
def a_ticket_is_found_by_its_marker_and_by_no_other(kit: Kit) -> None:
    connector, draft = kit.connector, a_draft()
    created = kit.create(draft)
    patience = connector.search_lag.total_seconds()
    found = connector.find_ticket(draft.marker) if not patience else eventually(
        lambda: connector.find_ticket(draft.marker), "the ticket by its marker"
    )  # fmt: skip
    expect(found is not None, "the ticket is not found by its marker")
    assert found is not None
    same(found.id, created.id, "the ticket found by its marker")
    same(connector.find_ticket(a_draft().marker), None, "a marker that nobody used")
    same(connector.find_ticket(draft.marker[:-1]), None, "a part of a marker")


@check(Capability.CREATE, sandbox=True)
def a_half_made_create_is_found(kit: Kit) -> None:
    """The tracker made the ticket, and its answer was lost."""
    connector, draft = kit.connector, a_draft()
    connector.identify()
    kit.sandbox.faults.add(Fault(method="POST", drop=True, mode="after"))
    try:
        connector.create(draft)
    except TemporaryError:
        pass
    else:
        raise CheckFailed("an answer that never came is no error")
    found = eventually(lambda: connector.find_ticket(draft.marker), "the half-made ticket")
    assert found is not None
    same(connector.read(found.id, Known()).ticket.title, connector.hold("title", draft.title), "its title")


@check()
def a_ticket_that_never_was_is_not_found(kit: Kit) -> None:
    error = raises(NotFoundError, lambda: kit.connector.read("99999999", Known()), "a ticket that never was")
    has_no_secret(kit, error)


# -- fields -------------------------------------------------------------------------------------------------------


@check(Capability.CREATE, Capability.UPDATE)
def a_title_is_changed(kit: Kit) -> None:
    connector, ticket_id = kit.connector, kit.ticket()
    for title in (f"{NAME}: Zażółć <b> & 'quotes' 🙂", f"{NAME}: " + "long " * 100):
        held = connector.hold("title", title)
        connector.update(ticket_id, Changes(values={"title": held}), connector.read(ticket_id, Known()))
        same(connector.read(ticket_id, Known()).ticket.title, held, "title")
        same(connector.hold("title", held), held, "what is held is held again")


@check(Capability.CREATE, Capability.UPDATE)
def every_priority_is_written_or_refused_beforehand(kit: Kit) -> None:
    connector, ticket_id, written = kit.connector, kit.ticket(), 0
    for priority in Priority:
        if priority is Priority.UNKNOWN:
            continue
        try:
            held = connector.hold("priority", priority)
        except Unwritable:
            continue
        connector.update(ticket_id, Changes(values={"priority": held}), connector.read(ticket_id, Known()))
        same(connector.read(ticket_id, Known()).ticket.priority, held, f"priority {priority}")
        written += 1
    if not written:
        raise NotPossible("no priority is mapped to one of this tracker's")


@check(Capability.CREATE, Capability.UPDATE, Capability.LINES)
def a_ticket_is_handed_from_line_to_line_and_back(kit: Kit) -> None:
    """To the settings' first group of each line; what is read back was foretold."""
    connector, ticket_id = kit.connector, kit.create().id
    lines = list(connector.lines)
    if not lines:
        raise NotPossible("the settings name no groups for support lines")
    for line in [*lines, *lines[::-1]]:
        held = connector.hold("line", line)
        before = connector.read(ticket_id, Known())
        connector.update(ticket_id, Changes(values={"line": line}), before)
        after = connector.read(ticket_id, Known()).ticket
        same(after.line, held, f"the line of a ticket that was handed to line {line}")
        same(after.title, before.ticket.title, "the title of a ticket that was handed over")


@check(Capability.CREATE, Capability.LINES)
def a_new_ticket_goes_to_the_line_that_was_asked_for(kit: Kit) -> None:
    connector = kit.connector
    for line in connector.lines:
        created = kit.create(a_draft(values={"line": line}))
        expect("line" not in created.refused, f"line {line} was refused: {created.refused}")
        held = connector.hold("line", line)
        same(connector.read(created.id, Known()).ticket.line, held, f"the line of a ticket made for line {line}")


@check(Capability.LINES)
def a_line_without_a_group_is_refused_beforehand(kit: Kit) -> None:
    unknown = max(kit.connector.lines, default=0) + 1
    error = raises(Unwritable, lambda: kit.connector.hold("line", unknown), f"line {unknown}")
    expect(
        str(unknown) in str(error) and "lines" in str(error), f"the refusal says neither which nor what to do: {error}"
    )


@check(Capability.CREATE, Capability.UPDATE)
def labels_are_added_and_removed_and_others_stay(kit: Kit) -> None:
    connector, ticket_id = kit.connector, kit.ticket()
    first, second, third = (connector.hold_label(label) for label in ("kit one", "Kit-Two", "kit_three"))
    expect(len({first, second, third}) == 3, "different labels became the same")

    def change(add: Collection[str], remove: Collection[str]) -> frozenset[str]:
        changes = Changes(add_labels=frozenset(add), remove_labels=frozenset(remove))
        connector.update(ticket_id, changes, connector.read(ticket_id, Known()))
        return connector.read(ticket_id, Known()).ticket.labels

    before = connector.read(ticket_id, Known()).ticket.labels
    same(change({first, second}, ()), before | {first, second}, "labels after adding two")
    same(change({third}, {first}), before | {second, third}, "labels after adding one and removing one")
    same(change((), {second, third}), before, "labels after removing all")


@check(Capability.CREATE, Capability.UPDATE)
def statuses_along_the_workflow_and_back(kit: Kit) -> None:
    """A status that cannot be reached is refused, and leaves the ticket where it was."""
    connector, ticket_id = kit.connector, kit.create().id
    reached: set[Status] = set()
    with suppress(PermanentError):
        # Some trackers solve only what somebody is working on.
        me = connector.identify().account_id
        connector.update(ticket_id, Changes(values={"assignee": me}), connector.read(ticket_id, Known()))
    for status in (Status.IN_PROGRESS, Status.PENDING, Status.SOLVED, Status.OPEN, Status.SOLVED):
        before = connector.read(ticket_id, Known()).ticket.status
        try:
            held = connector.hold("status", status)
            set_status(connector, ticket_id, status)
        except Unwritable:
            continue
        except RefusedError as error:
            expect(set(error.fields) == {"status"}, f"the refusal of {status} names {sorted(error.fields)}")
            same(
                connector.read(ticket_id, Known()).ticket.status, before, f"a refused status {status} moved the ticket"
            )
            continue
        same(connector.read(ticket_id, Known()).ticket.status, held, f"status {status}")
        reached.add(Status(str(held)))
    expect(len(reached) >= 2, f"only {sorted(reached)} can be reached")
    expect(any(status.is_done for status in reached), "no ticket can ever be solved")


@check()
def a_status_that_has_no_form_here_is_refused_before_any_call(kit: Kit) -> None:
    raises(Unwritable, lambda: kit.connector.hold("status", Status.UNKNOWN), "an unknown status")
    raises(Unwritable, lambda: kit.connector.native("status", Status.UNKNOWN), "an unknown status")


@check(Capability.CREATE, Capability.UPDATE)
def a_status_that_the_tracker_does_not_have_is_refused_with_a_reason(kit: Kit) -> None:
    """A word in the settings that the tracker does not know, as after a change of its configuration.

    Where statuses are free words (labels) there is none, and the word must be shown then.
    """
    try:
        mistaken = kit.site.reconnected(statuses={Status.ON_HOLD: ["No Such Status"]})
    except ValueError:
        # Where words are numbers it shows when the settings are read, which is even better.
        return
    ticket_id = kit.create().id
    try:
        set_status(mistaken, ticket_id, Status.ON_HOLD)
    except PermanentError as error:
        has_no_secret(kit, error)
        expect(bool(error.why), "the refusal has no reason")
    else:
        same(mistaken.read(ticket_id, Known()).ticket.status, Status.ON_HOLD, "a status that is a free word")
    finally:
        mistaken.close()


# -- comments -----------------------------------------------------------------------------------------------------


@check(Capability.CREATE, Capability.COMMENTS)
def comments_are_read_in_the_order_they_were_written(kit: Kit) -> None:
    connector, ticket_id = kit.connector, kit.ticket()
    before = {c.id for c in comments_of(kit, ticket_id)}
    written = [connector.add_comment(ticket_id, a_comment(f"Number {n}")).id for n in range(4)]
    same([c.id for c in comments_of(kit, ticket_id) if c.id not in before], written, "the order of comments")


@check(Capability.CREATE, Capability.COMMENTS, Capability.PRIVATE_COMMENTS)
def a_private_comment_is_private_and_a_public_one_public(kit: Kit) -> None:
    connector, ticket_id = kit.connector, kit.ticket()
    for visibility in (PRIVATE, PUBLIC, PRIVATE):
        receipt = connector.add_comment(ticket_id, a_comment(f"This is {visibility}", visibility))
        same(receipt.visibility, visibility, "the receipt's visibility")
        seen = {c.id: c.visibility for c in comments_of(kit, ticket_id)}
        same(seen.get(receipt.id), visibility, "the visibility that is read")


@check(Capability.CREATE, Capability.COMMENTS)
def a_comment_is_found_by_its_marker_and_by_no_other(kit: Kit) -> None:
    connector, ticket_id = kit.connector, kit.ticket()
    comment = a_comment("Marked.")
    receipt = connector.add_comment(ticket_id, comment)
    found = connector.find_comment(ticket_id, comment.marker)
    expect(found is not None and found.id == receipt.id, f"by its marker {found} is found, not {receipt.id}")
    same(connector.find_comment(ticket_id, a_comment("x").marker), None, "a marker that nobody used")
    same(connector.find_comment(ticket_id, comment.marker[:-2]), None, "a part of a marker")


@check(Capability.CREATE, Capability.COMMENTS, sandbox=True)
def a_comment_whose_answer_was_lost_is_found(kit: Kit) -> None:
    connector, ticket_id, comment = kit.connector, kit.ticket(), a_comment("Lost.")
    # A tracker may write a comment by any method; the first write is the one that is lost.
    for method in ("POST", "PUT", "PATCH"):
        kit.sandbox.faults.add(Fault(method=method, drop=True, mode="after"))
    raises(TemporaryError, lambda: connector.add_comment(ticket_id, comment), "an answer that never came")
    kit.sandbox.faults.clear()
    expect(connector.find_comment(ticket_id, comment.marker) is not None, "the half-written comment is not found")


@check(Capability.CREATE, Capability.COMMENTS, sandbox=True)
def the_hubs_comments_and_other_peoples_are_told_apart(kit: Kit) -> None:
    connector, person, ticket_id = kit.connector, somebody(kit), kit.ticket()
    own = connector.add_comment(ticket_id, a_comment("From the hub.")).id
    person.say(ticket_id, "From a person.", public=True)
    me = connector.identify().account_id
    authors = {c.id: c.author.id for c in comments_of(kit, ticket_id)}
    same(authors.get(own), me, "who wrote the hub's comment")
    others = [author for author in authors.values() if author != me]
    expect(bool(others) and all(others), "a person's comment has no author of its own")


@check(Capability.CREATE, Capability.COMMENTS, sandbox=True)
def what_people_write_is_as_public_as_they_made_it(kit: Kit) -> None:
    ticket_id, person = kit.ticket(), somebody(kit)
    person.say(ticket_id, "Everybody may read this.", public=True)
    seen = {str(c.text): c.visibility for c in comments_of(kit, ticket_id)}
    same(seen.get("Everybody may read this."), PUBLIC, "a person's public comment")
    if Capability.PRIVATE_COMMENTS in kit.connector.capabilities:
        person.say(ticket_id, "Only we may read this.", public=False)
        seen = {str(c.text): c.visibility for c in comments_of(kit, ticket_id)}
        same(seen.get("Only we may read this."), PRIVATE, "a person's private comment")


@check(Capability.CREATE, Capability.COMMENTS)
def every_text_comes_back_in_the_form_that_was_foretold(kit: Kit) -> None:
    connector, ticket_id = kit.connector, kit.ticket()
    for name, text in TEXTS.items():
        neutral = canonical(text)
        held = connector.hold_text(neutral)
        same(connector.hold_text(held), held, f"{name}: what is held is held again")
        receipt = connector.add_comment(
            ticket_id, NewComment(text=neutral, visibility=PUBLIC, marker=a_comment("").marker)
        )
        seen = next((c.text for c in comments_of(kit, ticket_id) if c.id == receipt.id), None)
        same(seen, held, f"{name}: the text of a comment")


@check(Capability.CREATE, Capability.COMMENTS)
def an_empty_and_a_very_long_text_are_written_or_refused(kit: Kit) -> None:
    connector, ticket_id = kit.connector, kit.ticket()
    for text in ("", "Long. " * 20_000):
        try:
            connector.add_comment(ticket_id, a_comment(text))
        except PermanentError as error:
            expect(bool(error.why), "a text was refused without a reason")


@check(Capability.CREATE, Capability.EDIT_COMMENTS)
def a_comment_is_edited_and_keeps_its_visibility(kit: Kit) -> None:
    connector, ticket_id = kit.connector, kit.ticket()
    private = PRIVATE if Capability.PRIVATE_COMMENTS in connector.capabilities else PUBLIC
    for visibility in {PUBLIC, private}:
        comment = a_comment("Before.", visibility)
        receipt = connector.add_comment(ticket_id, comment)
        connector.edit_comment(ticket_id, receipt.id, canonical("After."), visibility)
        seen = {c.id: (c.text, c.visibility) for c in comments_of(kit, ticket_id)}
        same(seen.get(receipt.id), ("After.", visibility), "an edited comment")
        found = connector.find_comment(ticket_id, comment.marker)
        expect(found is not None and found.id == receipt.id, "an edited comment lost its marker")


@check(Capability.CREATE, Capability.DELETE_COMMENTS)
def a_comment_is_deleted(kit: Kit) -> None:
    connector, ticket_id = kit.connector, kit.ticket()
    receipt = connector.add_comment(ticket_id, a_comment("Away with it."))
    connector.delete_comment(ticket_id, receipt.id)
    expect(receipt.id not in {c.id for c in comments_of(kit, ticket_id)}, "a deleted comment is still there")


# -- files --------------------------------------------------------------------------------------------------------


@check(Capability.CREATE, Capability.ATTACHMENTS)
def files_come_back_byte_by_byte_under_their_names(kit: Kit) -> None:
    for number, name in enumerate(FILE_NAMES):
        _file_travels(kit, kit.ticket(), name, f"{number} content ąę".encode())


@check(Capability.CREATE, Capability.ATTACHMENTS)
def two_megabytes_travel(kit: Kit) -> None:
    block = hashlib.sha256(b"kit").digest()
    _file_travels(kit, kit.ticket(), "big.bin", block * (2 * 1024 * 1024 // len(block)))


def _file_travels(kit: Kit, ticket_id: str, name: str, content: bytes) -> None:
    connector = kit.connector
    upload = an_upload(name, content, "image/png" if name.endswith("png") else "application/octet-stream")
    if Capability.ATTACHMENTS_IN_COMMENTS in connector.capabilities:
        receipt = connector.add_comment(ticket_id, a_comment(f"With a file {len(content)}.", PUBLIC, upload))
        wanted = set(receipt.attachment_ids)
        expect(len(wanted) == 1, f"the receipt names {len(wanted)} files")
    else:
        wanted = {connector.attach(ticket_id, upload).id}
    snapshot = connector.read(ticket_id, Known())
    files = [*snapshot.attachments, *(a for c in snapshot.comments or () for a in c.attachments)]
    found = next((a for a in files if a.id in wanted), None)
    expect(found is not None, f"{name} is not among the files that are read")
    assert found is not None
    same(found.name, name, "the file's name")
    with connector.download(found) as chunks:
        fetched = b"".join(chunks)
    same(hashlib.sha256(fetched).hexdigest(), hashlib.sha256(content).hexdigest(), f"the content of {name}")


@check(Capability.CREATE, Capability.ATTACHMENTS, sandbox=True)
def a_file_that_a_person_adds_is_seen(kit: Kit) -> None:
    ticket_id = kit.ticket()
    somebody(kit).say(ticket_id, "See the file.", public=True, files=[File("log.txt", b"line 1\n", "text/plain")])
    snapshot = kit.connector.read(ticket_id, Known())
    files = [*snapshot.attachments, *(a for c in snapshot.comments or () for a in c.attachments)]
    expect("log.txt" in {a.name for a in files}, f"log.txt is not among {[a.name for a in files]}")


# -- links --------------------------------------------------------------------------------------------------------


@check(Capability.CREATE, Capability.REMOTE_LINKS)
def a_link_is_written_twice_and_removed_twice(kit: Kit) -> None:
    connector, ticket_id = kit.connector, kit.create().id
    link = RemoteLink(
        global_id=f"hub:verify:{secrets.token_hex(4)}", url="https://example.com/42", key="EX-42", title="An example",
        tracker="example", note=canonical("Linked to [EX-42](https://example.com/42)."),
    )  # fmt: skip
    note = connector.write_link(ticket_id, link)
    if note is not None:
        same(note.visibility, PRIVATE, "the visibility of the note about a link")
        found = connector.find_comment(ticket_id, link.global_id)
        expect(found is not None and found.id == note.id, "the note is not found by the link's id")
    else:
        connector.write_link(ticket_id, link)
    public = [c.text for c in comments_of(kit, ticket_id) if c.visibility.is_public and "EX-42" in c.text]
    if connector.role is Role.HELPDESK:
        expect(not public, "customers can read about the link")
    connector.remove_link(ticket_id, link.global_id)
    connector.remove_link(ticket_id, link.global_id)


# -- ratings ------------------------------------------------------------------------------------------------------


@check(Capability.RATINGS, sandbox=True)
def a_customers_rating_is_read_the_latest_counts(kit: Kit) -> None:
    connector, customer, agent = kit.connector, opener(kit), somebody(kit)
    if not isinstance(customer, Rater):
        raise NotPossible("needs a customer who can rate")
    ticket_id = customer.open_ticket("Rate me", "It is broken.")
    same(connector.read(ticket_id, Known()).ticket.rating, None, "the rating of a ticket that nobody rated")
    agent.resolve(ticket_id)
    same(connector.read(ticket_id, Known()).ticket.rating, None, "the rating before the customer answered")
    for good, word in ((True, "good"), (False, "bad")):
        kit.let_time_pass()
        customer.rate(ticket_id, good=good)
        same(connector.read(ticket_id, Known()).ticket.rating, word, "the customer's rating")


# -- knowledge base -----------------------------------------------------------------------------------------------


@check(Capability.KNOWLEDGE_BASE)
def articles_are_found_by_words_and_no_more_than_asked_for(kit: Kit) -> None:
    connector = kit.connector
    found = connector.find_articles("invoice", 10)
    expect(len(found) <= 10, f"{len(found)} articles instead of at most 10")
    expect(all(a.title and a.url.startswith("http") for a in found), f"an article without title or address: {found}")
    expect(len(connector.find_articles("invoice", 1)) <= 1, "more than one article was given for a limit of one")
    if kit.site.sandbox is not None:
        expect(len(found) >= 2, f"an account with articles about invoices gives {[a.title for a in found]}")
        said = [a.title.casefold() for a in found]
        # What every sandbox has beside them: an article for agents only, and one that is not published.
        expect(not any("correcting" in title or "by card" in title for title in said), f"not for customers: {said}")


@check(Capability.KNOWLEDGE_BASE)
def words_that_fit_nothing_and_odd_words_find_nothing(kit: Kit) -> None:
    connector = kit.connector
    for words in ("", "   ", "?!…", "xyzzyqwv", '"unclosed: -(quotes) AND [brackets'):
        found = connector.find_articles(words, 3)
        expect(len(found) == 0 or "unclosed" in words, f"{words!r} finds {[a.title for a in found]}")


# -- macros -------------------------------------------------------------------------------------------------------


@check(Capability.MACROS)
def macros_are_read_whole_with_what_has_no_equivalent(kit: Kit) -> None:
    found = kit.connector.macros()
    if kit.site.sandbox is not None:
        expect(len(found) >= 2, f"an account with macros gives {[m.title for m in found]}")
    for macro in found:
        expect(bool(macro.name and macro.title), f"a macro without a name: {macro}")
        expect(bool(macro.text or macro.changes or macro.unmapped), f"{macro.title} says and does nothing")
        for name in macro.changes.values:
            known = name in ("status", "priority", "category", "assignee", "line") or name.startswith("custom:")
            expect(known, f"{macro.title} sets {name}, which is no neutral field")
        expect(Status.UNKNOWN not in macro.changes.values.values(), f"{macro.title} sets an unknown status")


@check(Capability.MACROS, Capability.PUBLISH_MACROS)
def a_macro_is_published_once_and_read_back(kit: Kit) -> None:
    connector, key = kit.connector, f"verify-{secrets.token_hex(5)}"
    priority = connector.hold("priority", Priority.HIGH)
    for text in ("Dear {{ requester.name }}, *this* is **old**.", "Dear {{ requester.name }}, see {{ ticket.key }}."):
        macro = StoredMacro(
            name=key, title=f"{NAME} {key}", text=canonical(text), visibility=PRIVATE,
            changes=Changes(values={"priority": priority}, add_labels=frozenset({connector.hold_label("kit one")})),
        )  # fmt: skip
        ids = {connector.publish_macro(macro, key), connector.publish_macro(macro, key)}
        same(len(ids), 1, "how many macros were made of one")
        (seen,) = [m for m in connector.macros() if m.title == macro.title] or [NO_MACRO]
        same((seen.text, seen.visibility, seen.changes), (macro.text, PRIVATE, macro.changes), "the published macro")
        same(seen.key, key, "the key of a published macro")
        same(seen.unmapped, (), "what of a published macro has no equivalent")


@check(Capability.PUBLISH_MACROS)
def a_macro_that_has_no_form_is_refused_and_not_half_published(kit: Kit) -> None:
    connector, key = kit.connector, f"verify-{secrets.token_hex(5)}"
    strange = StoredMacro(
        name=key, title=f"{NAME} {key}", text=Markdown("{% if due %}{{ due }}{% endif %}"), visibility=PUBLIC
    )
    raises(Unwritable, lambda: connector.publish_macro(strange, key), "a text with placeholders that it does not have")
    unsaid = StoredMacro(name=key, title=f"{NAME} {key}", text=Markdown("Hello."))
    raises(Unwritable, lambda: connector.publish_macro(unsaid, key), "a text that does not say who may read it")
    if Capability.MACROS in connector.capabilities:
        expect(not [m for m in connector.macros() if key in m.title], "a refused macro was published")


# -- noticing -----------------------------------------------------------------------------------------------------


@check(Capability.WEBHOOKS, sandbox=True)
def a_persons_changes_are_told_by_webhooks(kit: Kit) -> None:
    connector, person = kit.connector, somebody(kit)
    assert kit.site.webhooks is not None
    ticket_id = opener(kit).open_ticket("Told by webhook", "It is broken.")
    person.say(ticket_id, "I look at it.", public=True)
    webhooks = kit.site.webhooks

    def told() -> list[Hint]:
        hints: list[Hint] = []
        for request in webhooks.wait_for(1, 0.2):
            parsed = connector.parse_webhook(request)
            hints += parsed if isinstance(parsed, list | tuple) else []
        return [hint for hint in hints if hint.ticket_id == ticket_id]

    hints = eventually(told, "a webhook about the ticket")
    expect(all(h.at is None or h.at.tzinfo is not None for h in hints), "a hint's time has no zone")


@check(Capability.WEBHOOKS)
def a_strangers_body_is_refused_with_words(kit: Kit) -> None:
    for body in (b"", b"not json", b"[]", b"3", b'"x"', b'{"nothing": "of ours"}'):
        try:
            parsed = kit.connector.parse_webhook(WebhookRequest({}, body))
        except ValueError as error:
            expect(bool(str(error)), f"{body!r} was refused without a reason")
        else:
            expect(not isinstance(parsed, list | tuple) or not parsed, f"{body!r} was taken for a change: {parsed}")


@check(Capability.CREATE, Capability.POLLING)
def polling_misses_nothing_and_comes_to_an_end(kit: Kit) -> None:
    """More changes than fit a small page, many of them within one second."""
    connector = kit.connector
    cursor = connector.poll(None, kit.now()).cursor
    wanted = {kit.create().id for _ in range(5)}
    kit.let_time_pass()
    seen: set[str] = set()

    def look() -> bool:
        nonlocal cursor
        for _ in range(50):
            polled = connector.poll(cursor, kit.now())
            seen.update(hint.ticket_id for hint in polled.hints)
            cursor = polled.cursor
            if not polled.has_more:
                return wanted <= seen
        raise CheckFailed("polling has more for ever")

    eventually(look, f"all of {sorted(wanted)} by polling", LONGEST_WITHHELD + PATIENCE)


@check(Capability.CREATE, Capability.POLLING, sandbox=True)
def polling_shows_a_change_of_an_old_ticket(kit: Kit) -> None:
    connector, ticket_id = kit.connector, kit.ticket()
    cursor = connector.poll(None, kit.now()).cursor
    somebody(kit).say(ticket_id, "Anything new?", public=True)
    kit.let_time_pass()

    def look() -> bool:
        nonlocal cursor
        polled = connector.poll(cursor, kit.now())
        cursor = polled.cursor
        return ticket_id in {hint.ticket_id for hint in polled.hints}

    eventually(look, "a person's comment by polling")


@check(Capability.CREATE, Capability.POLLING, sandbox=True)
def a_tracker_whose_clock_is_behind_is_polled_well(kit: Kit) -> None:
    connector, clock = kit.connector, kit.site.clock
    if clock is None:
        raise NotPossible("needs a sandbox whose clock can be set")
    clock.pass_by(-BEHIND)
    connector.identify()
    cursor = connector.poll(None, kit.now() + timedelta(seconds=BEHIND)).cursor
    ticket_id = kit.create().id
    kit.let_time_pass()
    seen: set[str] = set()

    def look() -> bool:
        nonlocal cursor
        polled = connector.poll(cursor, kit.now() + timedelta(seconds=BEHIND))
        cursor = polled.cursor
        seen.update(hint.ticket_id for hint in polled.hints)
        return ticket_id in seen

    eventually(look, f"a ticket made while the tracker's clock was {BEHIND:g} s behind ours")


# -- trouble ------------------------------------------------------------------------------------------------------

TROUBLE: Mapping[str, tuple[Fault, type[ConnectorError]]] = {
    "500": (Fault(times=None, status=500, body="<html>oops</html>"), TemporaryError),
    "502 of a proxy": (Fault(times=None, status=502, body="<html>Bad Gateway</html>"), TemporaryError),
    "503": (Fault(times=None, status=503, body="busy"), TemporaryError),
    "a page of a proxy": (Fault(times=None, status=200, body="<html>Sign in</html>"), TemporaryError),
    "a cut connection": (Fault(times=None, drop=True), TemporaryError),
    "403": (Fault(times=None, status=403, body={"error": "Forbidden"}), AuthError),
}


@check(sandbox=True)
def each_trouble_is_told_in_the_hubs_own_words(kit: Kit) -> None:
    kit.connector.identify()
    ticket_id = opener(kit).open_ticket("Trouble", "It is broken.")
    kit.connector.read(ticket_id, Known())
    for name, (fault, kind) in TROUBLE.items():
        kit.sandbox.faults.add(fault)
        error = raises(kind, lambda: kit.connector.read(ticket_id, Known()), name)
        kit.sandbox.faults.clear()
        has_no_secret(kit, error)
    expect(not isinstance(kit.connector.read(ticket_id, Known()), type(None)), "it does not recover")


@check(sandbox=True)
def a_rate_limit_tells_how_long_to_wait(kit: Kit) -> None:
    kit.connector.identify()
    ticket_id = opener(kit).open_ticket("Limited", "It is broken.")
    fault = Fault(times=None, status=429, headers={"Retry-After": "7"}, body={"error": "too many"})
    kit.sandbox.faults.add(fault)
    error = raises(RateLimitedError, lambda: kit.connector.read(ticket_id, Known()), "429")
    kit.sandbox.faults.clear()
    assert isinstance(error, RateLimitedError)
    same(error.retry_after, 7.0, "seconds to wait")


@check(Capability.CREATE, sandbox=True)
def a_write_is_never_repeated_by_the_connector(kit: Kit) -> None:
    connector, sandbox = kit.connector, kit.sandbox
    connector.identify()
    connector.create(a_draft())
    before = sum(1 for r in sandbox.requests if r.method != "GET")
    sandbox.faults.add(Fault(method="POST", times=None, drop=True))
    raises(TemporaryError, lambda: connector.create(a_draft()), "a create without an answer")
    sandbox.faults.clear()
    same(sum(1 for r in sandbox.requests if r.method != "GET") - before, 1, "how often the create was sent")


@check(Capability.CREATE)
def many_threads_can_share_the_connector(kit: Kit) -> None:
    ticket_id = kit.ticket()
    wanted = kit.connector.read(ticket_id, Known()).ticket.title
    seen: list[Snapshot | Exception] = []

    def look() -> None:
        try:
            seen.append(kit.connector.read(ticket_id, Known()))
        except ConnectorError as error:
            seen.append(error)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    titles = {s.ticket.title if isinstance(s, Snapshot) else str(s) for s in seen}
    same(titles, {wanted}, "what four threads read")
