"""The scenario: a customer's problem from the first mail to the answer, and what goes wrong on the way."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import click
import httpx
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.connector import HmacSignature
from hub.demo.stage import Stage, open_stage
from hub.sandbox import Sandbox
from hub.sandbox.cast import File
from hub.sync.context import utc_now
from hub.ticket import Snapshot, Status

PATIENCE = 20.0
"""Seconds within which each step must have arrived on the other side."""
QUIET = 0.5
"""Seconds without any call of the hub's that count as its having finished."""

# The smallest picture there is: one transparent pixel.
SCREENSHOT = File(
    "screenshot błąd.png",
    bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002"
        "000001e221bc330000000049454e44ae426082"
    ),
    "image/png",
)


class StepFailedError(Exception):
    """What a step promises did not come to be."""


@dataclass
class Scenario:
    """One run of the scenario between the helpdesk `support` and the bug tracker `dev`."""

    stage: Stage
    console: Console
    ticket_id: str = ""
    issue_id: str = ""
    done: list[str] = field(default_factory=list)

    def play(self) -> bool:
        """Plays every step; True when all held and both sides agree at the end."""
        steps: list[tuple[str, Callable[[], None]]] = [
            ("a customer opens a ticket", self.open_ticket),
            ("line 2 escalates it, and an issue appears", self.escalate),
            ("an engineer comments, and the customer's agent sees it", self.engineer_comments),
            ("the customer sends a screenshot, and it travels", self.send_screenshot),
            ("a private note stays private", self.private_note),
            ("the priority rises in the helpdesk, and the issue follows", self.prioritise),
            ("a doubled webhook changes nothing twice", self.doubled),
            ("a late webhook, overtaken by another, changes nothing back", self.late),
            ("a forged webhook is refused", self.forged),
            ("the engineer resolves the issue, and the status comes back", self.resolve),
            ("nobody edits any more, and the hub is quiet", self.is_quiet),
        ]
        for number, (title, step) in enumerate(steps, 1):
            self.console.print(f"[bold]{number:2}/{len(steps)}[/]  {title} …")
            started = time.monotonic()
            try:
                step()
                self.show()
            except (StepFailedError, RuntimeError) as error:
                self.console.print(f"       [red]failed:[/] {error}")
                return False
            self.done.append(title)
            self.console.print(f"       [green]seen[/] after {time.monotonic() - started:.2f} s\n")
        return len(self.done) == len(steps)

    # the steps

    def open_ticket(self) -> None:
        customer = self.stage.actor("support", "customer")
        self.ticket_id = customer.open_ticket(
            "The invoice shows the wrong sum",
            "Since the update the sum of my invoice is wrong.\n\nŁącznie: 12 zł too much.",
        )
        self.stage.actor("support", "agent").start(self.ticket_id)

    def escalate(self) -> None:
        self.stage.actor("support", "expert").escalate(self.ticket_id)
        self.issue_id = self.eventually("an issue in dev", self.find_issue)
        self.eventually("the issue shows the ticket", lambda: self.issue().ticket.title == self.ticket().ticket.title)

    def engineer_comments(self) -> None:
        text = "Reproduced. The rounding is wrong for sums over 10 000."
        self.stage.actor("dev", "engineer").say(self.issue_id, text, public=True)
        self.eventually("the comment in support", lambda: self.count(self.ticket(), "Reproduced") == 1)

    def send_screenshot(self) -> None:
        self.stage.actor("support", "customer").say(
            self.ticket_id, "This is what I see.", public=True, files=[SCREENSHOT]
        )
        self.eventually("the comment in dev", lambda: self.count(self.issue(), "This is what I see") == 1)
        self.eventually(
            "the screenshot in dev", lambda: [a.name for a in self.files(self.issue())] == [SCREENSHOT.name]
        )

    def private_note(self) -> None:
        self.stage.actor("support", "agent").say(self.ticket_id, "This customer is about to leave us.", public=False)
        self.stage.actor("support", "agent").say(self.ticket_id, "We are on it.", public=True)
        self.eventually("the public reply in dev", lambda: self.count(self.issue(), "We are on it") == 1)
        if self.count(self.issue(), "about to leave"):
            raise StepFailedError("the private note has left the helpdesk")

    def prioritise(self) -> None:
        self.stage.actor("support", "agent").prioritise(self.ticket_id, "urgent")
        self.eventually("the priority in dev", lambda: self.issue().ticket.priority == "urgent")

    def doubled(self) -> None:
        self.support.webhooks.double_next(10)
        self.stage.actor("support", "agent").say(self.ticket_id, "Sent once, told twice.", public=True)
        self.eventually("the comment in dev", lambda: self.count(self.issue(), "told twice") == 1)
        self.wait_quiet()
        if self.count(self.issue(), "told twice") != 1:
            raise StepFailedError("the comment is there twice")

    def late(self) -> None:
        agent = self.stage.actor("support", "agent")
        self.support.webhooks.reorder_next(2)
        agent.rename(self.ticket_id, "The invoice shows a wrong sum")
        agent.rename(self.ticket_id, "Invoice: wrong sum over 10 000")
        self.eventually("the newer title in dev", lambda: self.issue().ticket.title == "Invoice: wrong sum over 10 000")
        self.wait_quiet()
        if self.ticket().ticket.title != "Invoice: wrong sum over 10 000":
            raise StepFailedError("an older title has come back")

    def forged(self) -> None:
        calls = sum(len(s.requests) for s in self.stage.sandboxes.values())
        for name, connector in self.stage.connectors.items():
            scheme = connector.webhook_scheme
            headers = {scheme.header: "sha256=" + "0" * 64} if scheme else {}
            if isinstance(scheme, HmacSignature) and scheme.timestamp_header:
                headers[scheme.timestamp_header] = utc_now().isoformat()
            answer = httpx.post(
                f"{self.stage.hub_url}/webhooks/{name}", json={"ticket_id": self.ticket_id}, headers=headers
            )
            if answer.status_code != 401:
                raise StepFailedError(f"{name} took a forged webhook with {answer.status_code}")
        self.wait_quiet()
        if sum(len(s.requests) for s in self.stage.sandboxes.values()) != calls:
            raise StepFailedError("a forged webhook has caused calls")

    def resolve(self) -> None:
        engineer = self.stage.actor("dev", "engineer")
        engineer.say(self.issue_id, "Fixed in the next release.", public=True)
        engineer.resolve(self.issue_id)
        self.eventually("the answer in support", lambda: self.count(self.ticket(), "next release") == 1)
        self.eventually("the status in support", lambda: self.ticket().ticket.status is Status.SOLVED)

    def is_quiet(self) -> None:
        self.wait_quiet()
        writes = self.writes()
        synced = self.stage.run_command("sync", "--all")
        if synced.returncode:
            raise StepFailedError(synced.stderr or synced.stdout)
        self.wait_quiet()
        if self.writes() != writes:
            raise StepFailedError("nobody changed anything, and the hub wrote")
        ticket, issue = self.ticket().ticket, self.issue().ticket
        if (ticket.title, ticket.priority) != (issue.title, issue.priority):
            raise StepFailedError(
                f"the sides differ: {ticket.title!r} {ticket.priority}, {issue.title!r} {issue.priority}"
            )
        failures = self.stage.run_command("failures")
        if failures.returncode:
            raise StepFailedError(failures.stdout + failures.stderr)

    # looking

    @property
    def support(self) -> Sandbox:
        return self.stage.sandboxes["support"]

    def ticket(self) -> Snapshot:
        return self.stage.snapshot("support", self.ticket_id)

    def issue(self) -> Snapshot:
        return self.stage.snapshot("dev", self.issue_id)

    def find_issue(self) -> str:
        explained = self.stage.run_command("explain", f"support:{self.ticket_id}", "--json")
        for line in explained.stdout.splitlines():
            entry = json.loads(line)
            if entry["what"] == "intent" and entry["data"]["kind"] == "CreateTicket":
                return str((entry["data"]["receipt"] or {}).get("id", ""))
        return ""

    def count(self, snapshot: Snapshot, words: str) -> int:
        return sum(words in comment.text for comment in snapshot.comments or ())

    def files(self, snapshot: Snapshot) -> list[File]:
        found = {a.id: File(a.name, b"") for a in snapshot.attachments}
        found |= {a.id: File(a.name, b"") for c in snapshot.comments or () for a in c.attachments}
        return list(found.values())

    def writes(self) -> int:
        return sum(s.requests.count(m) for s in self.stage.sandboxes.values() for m in ("POST", "PUT", "DELETE"))

    def eventually(self, what: str, look: Callable[[], object]) -> str:
        """Looks until there is something to see. Raises StepFailedError after PATIENCE."""
        deadline = time.monotonic() + PATIENCE
        pause = threading.Event()
        while time.monotonic() < deadline:
            seen = look()
            if seen:
                return str(seen)
            pause.wait(0.05)
        raise StepFailedError(f"not seen within {PATIENCE:g} s: {what}")

    def wait_quiet(self) -> None:
        """Waits until every webhook is delivered and the hub has made no call for a while."""
        deadline = time.monotonic() + PATIENCE
        pause = threading.Event()
        while time.monotonic() < deadline:
            for sandbox in self.stage.sandboxes.values():
                sandbox.webhooks.wait_idle(PATIENCE)
            before = [len(s.requests) for s in self.stage.sandboxes.values()]
            pause.wait(QUIET)
            if before == [len(s.requests) for s in self.stage.sandboxes.values()]:
                return
        raise StepFailedError("the hub does not come to rest")

    def show(self) -> None:
        """Both tickets side by side."""
        table = Table(show_header=True, header_style="bold", expand=True)
        sides = [("support", self.ticket())] + ([("dev", self.issue())] if self.issue_id else [])
        for name, snapshot in sides:
            table.add_column(f"{name} {snapshot.ticket.key}", ratio=1)
        table.add_row(*[_shown(snapshot) for _, snapshot in sides])
        self.console.print(table)


def _shown(snapshot: Snapshot) -> Text:
    ticket = snapshot.ticket
    native = ticket.native.get("status", ticket.status)
    lines = [Text(ticket.title, style="bold"), Text(f"{native}, {ticket.native.get('priority') or ticket.priority}")]
    if ticket.labels:
        lines.append(Text(" ".join(sorted(ticket.labels)), style="dim"))
    for comment in snapshot.comments or ():
        mark = "" if comment.visibility.is_public else "private: "
        first = comment.text.replace("\\", "").replace("**", "").replace("\n", " ")
        files = "".join(f" [{a.name}]" for a in comment.attachments)
        lines.append(
            Text(f"- {mark}{first[:70]}{'…' if len(first) > 70 else ''}{files}", style="" if not mark else "yellow")
        )
    lines += [Text(f"- file {a.name}", style="cyan") for a in snapshot.attachments]
    return Text("\n").join(lines)


def play(*, once: bool, as_json: bool, with_scenario: bool, flavour: str) -> bool:
    """The whole demo. False when a step did not hold; runs until SIGINT unless `once`."""
    console = Console(stderr=as_json, highlight=False)
    ended = threading.Event()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: ended.set())
    held = True
    try:
        with open_stage({"support": "zendesk", "dev": "jira"}, flavour=flavour) as stage:
            if as_json:
                click.echo(json.dumps(stage.describe()))
            else:
                _say_where(console, stage)
            if with_scenario:
                held = Scenario(stage, console).play()
                console.print("[green]Every step held.[/]" if held else "[red]The scenario did not hold.[/]")
            if not once and held:
                console.print("Everything goes on running; look around, and end it with Ctrl-C.")
                _say_where(console, stage)
                ended.wait()
    except KeyboardInterrupt:
        console.print("ended")
    return held


def _say_where(console: Console, stage: Stage) -> None:
    console.print(f"hub      {stage.hub_url}   ({stage.hub_url}/metrics, /healthz)")
    for name, sandbox in stage.sandboxes.items():
        console.print(
            f"{name:8} {sandbox.url}   a stand-in of {sandbox.kind}; who may sign in: {sandbox.url}/_sandbox/state"
        )
    console.print(f"settings {stage.folder}/hub.yaml   log: {stage.folder}/hub.log\n")
