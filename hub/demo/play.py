"""The scenario: a customer's problem from the first mail to the answer, and what goes wrong on the way."""

from __future__ import annotations

import contextlib
import functools
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import click
import httpx
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.connector import Capability, Connector, HmacSignature
from hub.demo.stage import Stage, open_stage
from hub.sandbox import Sandbox
from hub.sandbox.cast import File
from hub.sync.context import utc_now
from hub.ticket import Snapshot

PATIENCE = 20.0
"""Seconds within which each step must have arrived on the other side."""

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
    """One run of the scenario between `support`, `dev`, and any others whose customers have the same problem."""

    stage: Stage
    console: Console
    partner_ids: dict[str, str] = field(default_factory=dict)
    """By tracker name, the tickets that share the issue with the first one."""
    ticket_id: str = ""
    issue_id: str = ""
    done: list[str] = field(default_factory=list)

    def play(self) -> bool:
        """Plays every step; True when all held and both sides agree at the end."""
        steps = self.steps()
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

    def steps(self) -> list[tuple[str, Callable[[], None]]]:
        """What happens, in order, in words for those who watch."""
        return [
            ("a customer opens a ticket", self.open_ticket),
            ("line 2 escalates it, and an issue appears", self.escalate),
            ("an engineer comments, and the customer's agent sees it", self.engineer_comments),
            ("the customer sends a screenshot, and it travels", self.send_screenshot),
            ("a private note stays private", self.private_note),
            ("the priority rises in the helpdesk, and the issue follows", self.prioritise),
            ("a doubled webhook changes nothing twice", self.doubled),
            ("a late webhook, overtaken by another, changes nothing back", self.late),
            ("a forged webhook is refused", self.forged),
            *(
                (f"a customer of {name} has the same problem", functools.partial(self.join, name))
                for name in self.partners
            ),
            *([("no customer reads what another wrote", self.keep_apart)] if self.partners else []),
            ("the engineer resolves the issue, and the status comes back", self.resolve),
            ("nobody edits any more, and the hub is quiet", self.is_quiet),
        ]

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
        # Some trackers change a file's name when it is sent; what they call it crosses.
        sent = [file.name for file in self.files(self.ticket())]
        self.eventually("the screenshot in dev", lambda: [file.name for file in self.files(self.issue())] == sent)

    def private_note(self) -> None:
        if Capability.PRIVATE_COMMENTS in self.connector("support").capabilities:
            agent = self.stage.actor("support", "agent")
            agent.say(self.ticket_id, "This customer is about to leave us.", public=False)
        self.stage.actor("support", "agent").say(self.ticket_id, "We are on it.", public=True)
        self.eventually("the public reply in dev", lambda: self.count(self.issue(), "We are on it") == 1)
        if self.count(self.issue(), "about to leave"):
            raise StepFailedError("the private note has left the helpdesk")

    def prioritise(self) -> None:
        self.stage.actor("support", "agent").prioritise(self.ticket_id, "urgent")
        wanted = self.connector("dev").hold("priority", self.ticket().ticket.priority)
        self.eventually("the priority in dev", lambda: self.issue().ticket.priority == wanted)

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
        before = self.caused()
        for name, connector in self.stage.connectors.items():
            if Capability.WEBHOOKS not in connector.capabilities:
                continue
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
        if self.caused() != before:
            raise StepFailedError("a forged webhook has caused something")

    def caused(self) -> float:
        """How much the hub has done: its runs, or its writes where polls also make it look at what is unchanged."""
        return self.intents() if self.stage.is_polled else self.figures()["hub_runs_total"]

    def join(self, name: str) -> None:
        ticket_id = self.stage.actor(name, "customer").open_ticket(
            "Sums are wrong", "All sums on my invoices are wrong."
        )
        self.stage.actor(name, "agent").start(ticket_id)
        linked = self.stage.run_command("link", f"{name}:{ticket_id}", f"dev:{self.issue_id}")
        if linked.returncode:
            raise StepFailedError(linked.stderr or linked.stdout)
        self.partner_ids[name] = ticket_id
        words = f"Customers of {name} have it too."
        self.stage.actor("dev", "engineer").say(self.issue_id, words, public=True)
        self.eventually_in_each(f"the engineer's word about {name}", lambda seen: self.count(seen, words) == 1)

    def keep_apart(self) -> None:
        said = {name: f"My account at {name} is private." for name in self.ticket_ids}
        for name, ticket_id in self.ticket_ids.items():
            self.stage.actor(name, "customer").say(ticket_id, said[name], public=True)
        for name, words in said.items():
            self.eventually(f"the word from {name} in dev", functools.partial(self.is_said_in_dev, words))
        self.wait_quiet()
        for name, words in said.items():
            others = [other for other in self.ticket_ids if other != name and self.count(self.see(other), words)]
            if others:
                raise StepFailedError(f"what the customer of {name} wrote can be read in {', '.join(others)}")

    def resolve(self) -> None:
        engineer = self.stage.actor("dev", "engineer")
        engineer.say(self.issue_id, "Fixed in the next release.", public=True)
        engineer.resolve(self.issue_id)
        self.eventually_in_each("the answer", lambda seen: self.count(seen, "next release") == 1)
        self.eventually_in_each("the status", lambda seen: seen.ticket.status.is_done)

    def is_quiet(self) -> None:
        self.wait_quiet()
        writes = self.intents()
        synced = self.stage.run_command("sync", "--all")
        if synced.returncode:
            raise StepFailedError(synced.stderr or synced.stdout)
        self.wait_quiet()
        if self.intents() != writes:
            raise StepFailedError("nobody changed anything, and the hub wrote")
        ticket, issue, form = self.ticket().ticket, self.issue().ticket, self.connector("dev")
        for name, one, other in (("title", ticket.title, issue.title), ("priority", ticket.priority, issue.priority)):
            if form.hold(name, one) != other:
                raise StepFailedError(f"the sides differ: the {name} is {one!r} here and {other!r} there")
        failures = self.stage.run_command("failures")
        if failures.returncode:
            raise StepFailedError(failures.stdout + failures.stderr)

    # looking

    @property
    def support(self) -> Sandbox:
        return self.stage.sandboxes["support"]

    @property
    def partners(self) -> list[str]:
        """The trackers beside `support` whose tickets share its issue."""
        return [name for name in self.stage.sandboxes if name not in ("support", "dev")]

    @property
    def ticket_ids(self) -> dict[str, str]:
        """By tracker name, every ticket that is kept in step with the issue."""
        return {"support": self.ticket_id, **self.partner_ids}

    def connector(self, tracker: str) -> Connector:
        return self.stage.connectors[tracker]

    def see(self, name: str) -> Snapshot:
        return self.stage.snapshot(name, self.ticket_ids[name])

    def look_at(self, name: str, look: Callable[[Snapshot], object]) -> object:
        return look(self.see(name))

    def is_said_in_dev(self, words: str) -> bool:
        return self.count(self.issue(), words) == 1

    def ticket(self) -> Snapshot:
        return self.stage.snapshot("support", self.ticket_id)

    def issue(self) -> Snapshot:
        return self.stage.snapshot("dev", self.issue_id)

    def find_issue(self) -> str:
        for entry in self.on_record():
            if entry["what"] == "intent" and entry["data"]["kind"] == "CreateTicket":
                return str((entry["data"]["receipt"] or {}).get("id", ""))
        return ""

    def on_record(self) -> list[dict[str, Any]]:
        """The ticket's timeline, as `hub explain` tells it."""
        explained = self.stage.run_command("explain", f"support:{self.ticket_id}", "--json")
        return [json.loads(line) for line in explained.stdout.splitlines()]

    def intents(self) -> int:
        """How many writes the hub has begun for this ticket and all that it is linked with."""
        return sum(entry["what"] == "intent" for entry in self.on_record())

    def count(self, snapshot: Snapshot, words: str) -> int:
        return sum(words in comment.text for comment in snapshot.comments or ())

    def files(self, snapshot: Snapshot) -> list[File]:
        found = {a.id: File(a.name, b"") for a in snapshot.attachments}
        found |= {a.id: File(a.name, b"") for c in snapshot.comments or () for a in c.attachments}
        return list(found.values())

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

    def eventually_in_each(self, what: str, look: Callable[[Snapshot], object]) -> None:
        """Looks at every ticket of the issue until there is something to see in it."""
        for name in self.ticket_ids:
            self.eventually(f"{what} in {name}", functools.partial(self.look_at, name, look))

    def wait_quiet(self) -> None:
        """Waits until every webhook is delivered, nothing waits in the hub, and it has not written for a while."""
        deadline = time.monotonic() + PATIENCE
        pause = threading.Event()
        while time.monotonic() < deadline:
            for sandbox in self.stage.sandboxes.values():
                sandbox.webhooks.wait_idle(PATIENCE)
            before = self.figures()["hub_writes_total"]
            pause.wait(self.stage.quiet_after)
            after = self.figures()
            if after["hub_writes_total"] == before and not after["hub_wakes"]:
                return
        raise StepFailedError("the hub does not come to rest")

    def figures(self) -> dict[str, float]:
        """Of the hub's metrics: how many keys wait, and how many runs and writes there were."""
        sums = dict.fromkeys(("hub_wakes", "hub_writes_total", "hub_runs_total"), 0.0)
        for line in httpx.get(f"{self.stage.hub_url}/metrics").text.splitlines():
            name = line.partition(" ")[0].partition("{")[0]
            if name in sums and 'state="running"' not in line:
                sums[name] += float(line.rpartition(" ")[2])
        return sums

    def show(self) -> None:
        """Both tickets side by side."""
        table = Table(show_header=True, header_style="bold", expand=True)
        sides = [("support", self.ticket())] + ([("dev", self.issue())] if self.issue_id else [])
        sides += [(name, self.see(name)) for name in self.partner_ids]
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


def play(
    *, pair: Mapping[str, str], once: bool, as_json: bool, with_scenario: bool, flavour: str, with_rules: bool = False
) -> bool:
    """The whole demo with these kinds by tracker name. False when a step did not hold; until SIGINT unless `once`.

    `with_rules` plays the rule book of an example instead of the plain sync.

    Raises LookupError for a kind that has no sandbox.
    """
    console = Console(stderr=as_json, highlight=False)
    ended = threading.Event()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: ended.set())
    held = True
    try:
        with _stage(pair, flavour, with_rules) as (stage, scenario):
            if as_json:
                click.echo(json.dumps(stage.describe()))
            else:
                _say_where(console, stage)
            if with_scenario:
                held = scenario(console).play()
                console.print("[green]Every step held.[/]" if held else "[red]The scenario did not hold.[/]")
            if not once and held:
                console.print("Everything goes on running; look around, and end it with Ctrl-C.")
                _say_where(console, stage)
                ended.wait()
    except KeyboardInterrupt:
        console.print("ended")
    return held


@contextlib.contextmanager
def _stage(
    pair: Mapping[str, str], flavour: str, with_rules: bool
) -> Iterator[tuple[Stage, Callable[[Console], Scenario]]]:
    if not with_rules:
        with open_stage(pair, flavour=flavour) as stage:
            yield stage, functools.partial(Scenario, stage)
        return
    from hub.demo.lines import Leads, LinesScenario, environment, example_rules

    rules, link = example_rules()
    tickets = [name for name in pair if name != "dev"]
    with Leads() as leads:
        links = [{**link, "tickets": tickets, "issues": "dev"}]
        with open_stage(pair, flavour=flavour, links=links, rules=rules, environment=environment(leads)) as stage:
            yield stage, functools.partial(LinesScenario, stage, leads=leads)


def _say_where(console: Console, stage: Stage) -> None:
    console.print(f"hub      {stage.hub_url}   ({stage.hub_url}/metrics, /healthz)")
    for name, sandbox in stage.sandboxes.items():
        console.print(
            f"{name:8} {sandbox.url}   a stand-in of {sandbox.kind}; who may sign in: {sandbox.url}/_sandbox/state"
        )
    console.print(f"settings {stage.folder}/hub.yaml   log: {stage.folder}/hub.log")
    asking = f"to ask the hub: set -a; . {stage.folder}/.env; set +a; hub -c {stage.folder} links\n"
    console.print(asking, soft_wrap=True)
