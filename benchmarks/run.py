"""`python -m benchmarks.run`: what an event costs the hub, beside a bare loop that makes the same outside calls.

Trackers are fast stubs in a process of their own, the hub is a real process, all on this machine. Throughput is
measured with all webhooks sent as fast as they are taken, latency with one after the other, from sending the webhook to
the arrival of the last write that it causes. The stubs send no echoes of the hub's own writes.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

SECRET = "benchmark-webhook-secret"
SETTINGS = """
engine: {workers: 2}
logs: {level: warning}
trackers:
  support:
    kind: zendesk
    url: %(stub)s
    credentials: {email: hub@example.com, api_token: "${BENCH_SECRET}"}
    webhook: {secret: "${BENCH_SECRET}"}
    poll: {every: 0}
  dev:
    kind: jira
    flavour: cloud
    url: %(stub)s
    credentials: {email: hub@example.com, api_token: "${BENCH_SECRET}"}
    webhook: {secret: "${BENCH_SECRET}"}
    poll: {every: 0}
    project: OPS
    plain_comments: public
links:
  - {tickets: support, issues: dev, when: {label: escalate}, labels: {direction: both, ignore: [escalate]}}
"""
ROUNDS = 3
BARE = 1_000_000
"""Added to the numbers of the tickets that the bare loop works on, so that the hub never sees them."""
PATIENCE = 60.0


@dataclass(frozen=True)
class Figures:
    """Of one scenario. CPU in milliseconds an event, latency in milliseconds."""

    scenario: str
    events: int
    per_second: float
    hub_cpu: float
    bare_cpu: float
    ratio: float
    calls: float
    commits: float
    statements: float
    p50: float
    p99: float


@dataclass(frozen=True)
class Round:
    """A part of a scenario, an event."""

    per_second: float
    hub_cpu: float
    bare_cpu: float
    calls: float
    commits: float
    statements: float


class Bench:
    """The stub, the hub, and the webhooks that are sent to it."""

    def __init__(self, stack: ExitStack) -> None:
        self.stub_process = stack.enter_context(_process([sys.executable, "-m", "benchmarks.stubs"]))
        stack.callback(self.stub_process.kill)
        assert self.stub_process.stdout is not None
        self.stub = f"http://127.0.0.1:{self.stub_process.stdout.readline().strip()}"
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "hub.yaml").write_text(SETTINGS % {"stub": self.stub})
        command = [sys.executable, "-m", "hub", "-c", str(folder / "hub.yaml"), "serve", "--port", "0"]
        self.hub_process = stack.enter_context(_process(command, BENCH_SECRET=SECRET))
        stack.callback(self.hub_process.terminate)
        assert self.hub_process.stdout is not None
        self.hub = self.hub_process.stdout.readline().removeprefix("hub listens on ").strip()
        self.client = stack.enter_context(httpx.Client(timeout=30))
        self._number = 0

    def control(self, path: str, body: object = None) -> dict[str, Any]:
        found: dict[str, Any] = self.client.post(f"{self.stub}/_bench{path}", json=body).json()
        return found

    def zendesk(self, number: int, event: str, priority: str = "NORMAL") -> None:
        self._number += 1
        detail = {"id": str(number), "actor_id": "2", "tags": ["escalate"], "status": "OPEN", "priority": priority,
                  "subject": f"Ticket {number}", "updated_at": "2026-03-01T10:00:00Z"}  # fmt: skip
        body = json.dumps(
            {
                "type": f"zen:event-type:{event}",
                "detail": detail,
                "event": {},
                "time": "2026-03-01T10:00:00Z",
                "id": str(self._number),
            }
        ).encode()
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        digest = hmac.new(SECRET.encode(), at.encode() + body, hashlib.sha256).digest()
        headers = {
            "X-Zendesk-Webhook-Signature": base64.b64encode(digest).decode(),
            "X-Zendesk-Webhook-Signature-Timestamp": at,
            "X-Zendesk-Webhook-Invocation-Id": f"bench-{self._number}-{number}-{event}",
        }
        self.client.post(f"{self.hub}/webhooks/support", content=body, headers=headers).raise_for_status()

    def jira(self, issue: int, comment: str) -> None:
        author = {"accountId": "engineer", "displayName": "An Engineer"}
        body = json.dumps(
            {"webhookEvent": "comment_created", "timestamp": 1, "issue": {"id": str(issue)},
             "comment": {"id": comment, "author": author, "updateAuthor": author, "body": "Fixed."}}
        ).encode()  # fmt: skip
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers = {"X-Hub-Signature": f"sha256={signature}", "X-Atlassian-Webhook-Identifier": f"bench-{comment}"}
        self.client.post(f"{self.hub}/webhooks/dev", content=body, headers=headers).raise_for_status()

    def cpu(self) -> float:
        """Seconds of CPU that the hub has used, by its process' own clock (Linux: clock_getcpuclockid)."""
        return time.clock_gettime((~self.hub_process.pid << 3) | 2)

    def memory(self) -> float:
        """Resident memory of the hub in MB."""
        status = Path(f"/proc/{self.hub_process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def journal(self) -> dict[str, float]:
        """How many commits and statements the hub has done."""
        shown = self.client.get(f"{self.hub}/metrics").text
        found = re.findall(r'^hub_journal_work\{kind="(\w+)"\} (\S+)$', shown, re.M)
        return {kind: float(number) for kind, number in found}

    def wait(self, keys: Sequence[str]) -> dict[str, float]:
        """Until each key was written to; the times of the last writes."""
        deadline = time.monotonic() + PATIENCE
        pause = threading.Event()
        while True:
            arrived: dict[str, float] = self.control("/state")["arrived"]
            if all(key in arrived for key in keys):
                return arrived
            if time.monotonic() > deadline:
                raise SystemExit(
                    f"lost of {keys[0]}…: {sum(k not in arrived for k in keys)} of {len(keys)} events never arrived"
                )
            pause.wait(0.02)


def measure(
    bench: Bench,
    scenario: str,
    tickets: Sequence[int],
    send: Callable[[int], None],
    key: Callable[[int], str],
    latency: int,
) -> Figures:
    """Runs one scenario: the first `latency` tickets one after the other, the others at once, in rounds.

    The cost is that of the others: what is made once, a connection or a statement's text, is made by then, as it is in
    the bare loop before its time begins. In each round the bare loop follows the hub; the median of the rounds counts,
    because other machines on the same hardware are not always quiet.
    """
    waits = []
    bench.control("/reset")
    for ticket in tickets[:latency]:
        sent = time.monotonic()
        send(ticket)
        waits.append((bench.wait([key(ticket)])[key(ticket)] - sent) * 1000)
    at_once = tickets[latency:]
    rounds = [_round(bench, scenario, at_once[number::ROUNDS], send, key) for number in range(ROUNDS)]

    def median(of: Callable[[Round], float]) -> float:
        return statistics.median(map(of, rounds))

    return Figures(
        scenario=scenario,
        events=len(at_once),
        per_second=median(lambda r: r.per_second),
        hub_cpu=median(lambda r: r.hub_cpu),
        bare_cpu=median(lambda r: r.bare_cpu),
        ratio=median(lambda r: r.hub_cpu / r.bare_cpu),
        calls=median(lambda r: r.calls),
        commits=median(lambda r: r.commits),
        statements=median(lambda r: r.statements),
        p50=statistics.median(waits),
        p99=statistics.quantiles(waits, n=100)[98],
    )


def _round(
    bench: Bench, scenario: str, tickets: Sequence[int], send: Callable[[int], None], key: Callable[[int], str]
) -> Round:
    threading.Event().wait(0.3)
    bench.control("/reset")
    journal, count = bench.journal(), len(tickets)
    cpu, started = bench.cpu(), time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, tickets))
    arrived = bench.wait([key(t) for t in tickets])
    took = max(arrived.values()) - started
    threading.Event().wait(0.3)
    state = bench.control("/state")
    hub_cpu = (bench.cpu() - cpu) * 1000 / count
    done = {kind: (number - journal[kind]) / count for kind, number in bench.journal().items()}
    written = {"create": state["created"], "comment": state["commented"]}.get(scenario, count)
    if written != count:
        raise SystemExit(f"{scenario}: {written} written for {count} events")
    issues = {int(t): n for t, n in bench.control("/state")["issue_of"].items()}
    bare = subprocess.run(
        [sys.executable, "-m", "benchmarks.bare", bench.stub, scenario, *(f"{BARE + t}:{issues[t]}" for t in tickets)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return Round(
        per_second=count / took,
        hub_cpu=hub_cpu,
        bare_cpu=float(bare.stdout) * 1000 / count,
        calls=state["calls"] / count,
        commits=done["commits"],
        statements=done["statements"],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=300)
    parser.add_argument("--latency", type=int, default=50, help="events that are sent one after the other")
    parser.add_argument("--idle", type=float, default=5, help="seconds without any event")
    parser.add_argument("--max-ratio", type=float, help="fail when the hub costs more than this many bare loops")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with ExitStack() as stack:
        bench = Bench(stack)
        tickets = list(range(1, given.events + given.latency + 1))
        figures = [
            measure(
                bench,
                "create",
                tickets,
                lambda t: bench.zendesk(t, "ticket.tags_changed"),
                lambda t: f"ticket:{t}",
                given.latency,
            )
        ]
        issues = {int(t): n for t, n in bench.control("/state")["issue_of"].items()}
        linked = {t: issues[t] for t in tickets}
        # The first read of an issue by its own webhook is part of its life, not of the scenarios that follow.
        comments = bench.control("/comment", list(linked.values()))
        figures.append(
            measure(
                bench,
                "comment",
                tickets,
                lambda t: bench.jira(linked[t], comments[str(linked[t])]),
                lambda t: f"ticket:{t}",
                given.latency,
            )
        )
        bench.control("/priority", tickets)
        figures.append(
            measure(
                bench,
                "field",
                tickets,
                lambda t: bench.zendesk(t, "ticket.priority_changed", "URGENT"),
                lambda t: f"issue:{linked[t]}",
                given.latency,
            )
        )
        bench.control("/reset")
        cpu = bench.cpu()
        threading.Event().wait(given.idle)
        idle = {"cpu_ms_per_s": (bench.cpu() - cpu) * 1000 / given.idle, "calls": bench.control("/state")["calls"]}
        memory = bench.memory()
    if given.json:
        print(json.dumps({"scenarios": [asdict(f) for f in figures], "idle": idle, "memory_mb": memory}))
    else:
        show(figures, idle, memory)
    if given.max_ratio and max(f.ratio for f in figures) > given.max_ratio:
        raise SystemExit(f"the hub costs more than {given.max_ratio} bare loops")


def together(figures: Sequence[Figures]) -> float:
    """The hub's CPU for one event of each scenario, in bare loops that make the calls of all of them."""
    return sum(f.hub_cpu for f in figures) / sum(f.bare_cpu for f in figures)


def show(figures: Sequence[Figures], idle: dict[str, float], memory: float) -> None:
    table = Table(
        "scenario", "events", "events/s", "CPU ms hub", "CPU ms bare", "ratio", "calls", "commits", "statements",
        "p50 ms", "p99 ms",
    )  # fmt: skip
    for f in figures:
        table.add_row(
            f.scenario, str(f.events), f"{f.per_second:.0f}", f"{f.hub_cpu:.1f}", f"{f.bare_cpu:.1f}", f"{f.ratio:.1f}",
            f"{f.calls:.1f}", f"{f.commits:.1f}", f"{f.statements:.0f}", f"{f.p50:.0f}", f"{f.p99:.0f}",
        )  # fmt: skip
    Console(width=120).print(table)
    print(f"one of each: {together(figures):.1f} bare loops")
    print(
        f"memory {memory:.0f} MB; idle: {idle['cpu_ms_per_s']:.1f} ms CPU a second, {idle['calls']:.0f} outside calls"
    )


def _process(command: list[str], **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment})


if __name__ == "__main__":
    main()
