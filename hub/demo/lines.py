"""The scenario of the rule book: three support lines, clocks, macros, and one issue for many customers.

It plays with the example `three-lines` as it stands, on sandboxes; only what belongs to a real installation is left out
(the trackers' addresses and custom fields), and the leads are told through a receiver on this machine.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import yaml

from hub.demo.play import Scenario, StepFailedError
from hub.settings.starter import example_text
from hub.ticket import Status

EXAMPLE = "three-lines"
SECTIONS = ("calendars", "lines", "agreements", "rules", "macros", "languages", "similar", "notifiers")


class Leads:
    """Receives what the leads are told, as any service behind a notifier would."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        received = self.messages

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                received.append(self.rfile.read(length).decode())
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """The demo's own output is enough."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """The address in apprise's form."""
        return f"json://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def example_rules() -> tuple[dict[str, Any], dict[str, Any]]:
    """The example's rule book without the fields of its own trackers, and its link."""
    example = yaml.safe_load(example_text(EXAMPLE))
    rules = {name: example[name] for name in SECTIONS}
    for agreement in rules["agreements"].values():
        agreement.pop("show", None)
    for number, line in rules["lines"].items():
        line["label"] = f"line-{number}"
    return rules, example["links"][0]


@dataclass
class LinesScenario(Scenario):
    """One run through the rule book between `support` and `dev`."""

    leads: Leads = field(default_factory=Leads)
    second_id: str = ""

    def steps(self) -> list[tuple[str, Callable[[], None]]]:
        return [
            ("an outage is reported: urgent, with the experts, and the leads are told", self.outage),
            ("an agent answers, and the clock of the first response is met", self.answer),
            ("it goes on to the engineers: an issue appears, written by the template", self.escalate),
            ("a second customer has it too: the issue is offered instead of a new one", self.similar),
            ("an agent's macro answers in the requester's language", self.macro),
            ("the engineer resolves it, and every customer is told", self.resolve),
            ("nobody edits any more: each rule fired once, and hub explain says why", self.is_quiet),
        ]

    def outage(self) -> None:
        customer = self.stage.actor("support", "customer")
        self.ticket_id = customer.open_ticket("Total outage in the warehouse", "Nothing works since the update.")
        self.eventually("the urgent priority", lambda: self.ticket().ticket.priority == "urgent")
        self.eventually("the label outage", lambda: "outage" in self.ticket().ticket.labels)
        self.eventually("a word to the leads", lambda: any("Outage" in told for told in self.leads.messages))
        self.eventually("the experts' line", lambda: self.count(self.ticket(), "Handed to line 2") == 1)

    def answer(self) -> None:
        agent = self.stage.actor("support", "agent")
        agent.start(self.ticket_id)
        agent.say(self.ticket_id, "We are on it.", public=True)
        self.eventually("the clock met", lambda: "everybody.first_response: met" in self.explained(self.ticket_id))

    def escalate(self) -> None:
        self.stage.actor("support", "expert").escalate(self.ticket_id)
        self.issue_id = self.eventually("an issue in dev", self.find_issue)
        self.eventually("the note of the hand-over", lambda: self.count(self.ticket(), "Handed to line 3") == 1)
        if "customer(s) wait for this" not in (self.issue().ticket.description or ""):
            raise StepFailedError("the issue's description is not the template's")

    def similar(self) -> None:
        customer, expert = self.stage.actor("support", "customer"), self.stage.actor("support", "expert")
        self.second_id = customer.open_ticket(
            "Outage in the warehouse, total", "Nothing works since the update here too."
        )
        self.eventually("the experts' line", lambda: self.count(self.second(), "Handed to line 2") == 1)
        expert.escalate(self.second_id)
        self.eventually("the offer", lambda: self.count(self.second(), "this looks like") == 1)
        linked = self.stage.run_command("link", f"support:{self.second_id}", f"dev:{self.issue_id}")
        if linked.returncode:
            raise StepFailedError(linked.stderr or linked.stdout)

    def macro(self) -> None:
        self.stage.actor("support", "agent").say(self.second_id, "/macro ask-for-logs", public=False)
        self.eventually("the answer", lambda: self.count(self.second(), "Please send us the log") == 1)
        self.eventually("the status", lambda: self.second().ticket.status is Status.PENDING)

    def resolve(self) -> None:
        self.stage.actor("dev", "engineer").resolve(self.issue_id)
        for what, look in (("the first customer", self.ticket), ("the second customer", self.second)):
            self.eventually(f"the word to {what}", lambda look=look: self.count(look(), "is fixed") == 1)  # type: ignore[misc]
            self.eventually(f"waiting for {what}", lambda look=look: look().ticket.status is Status.PENDING)  # type: ignore[misc]

    def is_quiet(self) -> None:
        self.wait_quiet()
        writes = self.intents()
        synced = self.stage.run_command("sync", "--all")
        if synced.returncode:
            raise StepFailedError(synced.stderr or synced.stdout)
        self.wait_quiet()
        if self.intents() != writes:
            raise StepFailedError("nobody changed anything, and the hub wrote")
        explained = self.explained(self.ticket_id)
        self.console.print(explained, markup=False, soft_wrap=True)
        for rule in ("an outage is urgent", "an agent hands it on", "it is fixed"):
            if explained.count(f"rule {rule} fired on support:{self.ticket_id}:") != 1:
                raise StepFailedError(f"the rule {rule!r} did not fire once")
        self.console.print(self.stage.run_command("report").stdout, markup=False)

    def second(self) -> Any:
        return self.stage.snapshot("support", self.second_id)

    def explained(self, ticket_id: str) -> str:
        """What `hub explain` says of a ticket."""
        return self.stage.run_command("explain", f"support:{ticket_id}").stdout


def environment(leads: Leads) -> Mapping[str, str]:
    """What the example's rule book takes from the environment."""
    return {"LEADS_URL": leads.url}
