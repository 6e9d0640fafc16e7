"""Recorded exchanges with a real OTOBO, and a sandbox that is in the state in which they were recorded.

The exchanges are replayed in their order. Where the run that was recorded did something that is not in the file, the
same is done here to the sandbox's state. It compares nothing: see `test_recordings`.
"""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from plugins.otrs.sandbox import OtrsSandbox
from plugins.otrs.sandbox.people import Session
from plugins.otrs.sandbox.state import RIGHTS
from tests.shared import SHARED

FILE = SHARED / "recordings" / "otrs.jsonl"
SERVICE = SHARED / "recordings" / "otrs-webservice.yml"
OWN_FIELDS = ("HubMarker", "HubLabels", "HubLink", "HubCommentMarker")
STOCK_TICKET = "/otobo/nph-genericinterface.pl/Webservice/GenericTicketConnectorREST/Ticket"


@dataclass(frozen=True)
class Exchange:
    """One line of the file; `id` is its name, with its place where a name comes more than once."""

    id: str
    name: str
    request: dict[str, Any]
    status: int
    body: Any


def exchanges() -> list[Exchange]:
    """All lines of the file, none where it is not there."""
    if not FILE.is_file():
        return []
    lines = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
    names = [line["name"] for line in lines]
    return [
        Exchange(
            f"{line['name']}#{at}" if names.count(line["name"]) > 1 else line["name"],
            line["name"],
            line["request"],
            line["response"]["status"],
            line["response"]["body"],
        )
        for at, line in enumerate(lines)
    ]


class Replay:
    """A sandbox with the people of the recording; its clock goes on by a second with each exchange."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 20, 22, 40, tzinfo=UTC)
        self.sandbox = OtrsSandbox(clock=lambda: self.now)
        store = self.sandbox.store
        store.agents = {"root@localhost": store.agents["root@localhost"]}
        store.customers.clear()
        for name in OWN_FIELDS:
            del store.fields[name]
        hub = store.add_agent(4, "hub", "Hub Integration", "hub@helpdesk-corp.pl", "hub-pw-1")
        hub.rights = {"": RIGHTS, "Restricted": frozenset()}
        store.add_agent(5, "anna", "Anna Agent", "anna@helpdesk-corp.pl", "anna-pw-1")
        store.add_agent(6, "reader", "Rhea Readonly", "reader@helpdesk-corp.pl", "reader-pw-1")
        store.add_agent(7, "toni", "Toni Agent", "toni@helpdesk-corp.pl", "toni-pw-1")
        store.add_customer("jan", "Jan Kowalski", "jan@acme.example.com", "jan-pw-1")
        store.add_customer("ola", "Ola Nowak", "ola@acme.example.com", "ola-pw-1")
        store.are_types_on = False
        self.sandbox.import_service("IntegrationHub", SERVICE)
        self.hub = hub
        self.sandbox.start()
        self.http = httpx.Client(base_url=self.sandbox.url, timeout=30)
        for ticket_id in (1, 2):
            self.open(ticket_id, title="First", queue="Support::L1" if ticket_id == 2 else "Raw")
        store.are_types_on = True

    def close(self) -> None:
        self.http.close()
        self.sandbox.stop()

    def open(
        self, ticket_id: int, *, title: str = "filler", queue: str = "Support::L2", login: str = "hub", **more: Any
    ) -> None:
        """A ticket of the recorded run that the file does not show being opened."""
        store = self.sandbox.store
        store.ticket_ids = itertools.count(ticket_id)
        body = {
            "UserLogin": login, "Password": f"{login}-pw-1",
            "Ticket": {
                "Title": title, "Queue": queue, "State": "new", "Priority": "3 normal", "CustomerUser": "jan",
                "Type": "Incident",
            },
            "Article": {"Subject": "s", "Body": "b", "ContentType": "text/plain; charset=utf-8"},
            **more,
        }  # fmt: skip
        answer = self.http.post(STOCK_TICKET, json=body).json()
        assert answer.get("TicketID") == str(ticket_id), answer

    def change(self, ticket_id: int, login: str = "hub", **body: Any) -> None:
        """A change of the recorded run that the file does not show."""
        who = {"UserLogin": login, "Password": f"{login}-pw-1"}
        answer = self.http.patch(f"{STOCK_TICKET}/{ticket_id}", json={**who, **body}).json()
        assert "Error" not in answer, answer

    def answer(self, exchange: Exchange) -> tuple[int, Any]:
        """What the sandbox answers to a recorded request, in the state that the real server was in."""
        self.prepare(exchange)
        self.now += timedelta(seconds=1)
        request = exchange.request
        response = self.http.request(
            request["method"],
            request["path"] + (f"?{request['query']}" if request.get("query") else ""),
            content=_content(exchange),
            headers=request.get("headers") or {},
        )
        try:
            return response.status_code, response.json()
        except ValueError:
            return response.status_code, response.text

    def prepare(self, exchange: Exchange) -> None:
        """Ids as they will be, sessions that were open, and what the file leaves out."""
        store, body = self.sandbox.store, exchange.body if isinstance(exchange.body, dict) else {}
        for session_id in _sessions(exchange):
            session = self.sandbox.sessions.sessions.setdefault(session_id, Session(self.hub, self.now, self.now))
            session.began = session.used = self.now
        store.are_types_on = store.are_types_on or exchange.name.startswith("create.text_plain")
        if step := STEPS.get(exchange.id):
            step(self)
        is_create = (
            "ArticleID" in body and exchange.request["method"] == "POST" and "/change" not in exchange.request["path"]
        )
        if is_create:
            first, last = max(store.tickets) + 1, int(body["TicketID"])
            for ticket_id in range(first, last) if last - first < 10 else ():
                self.open(ticket_id)
            store.ticket_ids = itertools.count(last)
        if "ArticleID" in body:
            store.article_ids = itertools.count(int(body["ArticleID"]))


def _sessions(exchange: Exchange) -> Iterator[str]:
    request = exchange.request
    body = request["body"] if isinstance(request.get("body"), dict) else {}
    given = [str(body.get("SessionID", "")), str(request.get("query") or "").partition("SessionID=")[2]]
    if exchange.name == "session.get":
        given.append(request["path"].rpartition("/")[2])
    yield from (one for one in given if len(one) == 32)


def _content(exchange: Exchange) -> bytes | None:
    """The request's body as it was sent: what the file shows as broken was latin-2, what it cuts was 2 MB long."""
    body = exchange.request.get("body")
    if body in (None, ""):
        return None
    if isinstance(body, str):
        broken = body.replace("za\ufffd\ufffd\ufffd", "zażółć").replace("b\ufffd\ufffdd", "błąd")
        return broken.encode("iso-8859-2" if broken != body else "utf-8")
    files = body.get("Attachment")
    if isinstance(files, list) and any("<cut," in str(f.get("Content")) for f in files):
        big = base64.b64encode(bytes(2 * 1024 * 1024)).decode()
        body = {**body, "Attachment": [{**f, "Content": big} for f in files]}
    return json.dumps(body).encode()


ARTICLE = {"Subject": "s", "Body": "b", "ContentType": "text/plain; charset=utf-8"}


def _article_of_34(number: int, **more: Any) -> Callable[[Replay], None]:
    """An article of ticket 34 that the file shows being read, but not being written."""

    def write(replay: Replay) -> None:
        replay.sandbox.store.article_ids = itertools.count(number)
        files = {"Attachment": more.pop("Attachment")} if "Attachment" in more else {}
        replay.change(34, Article={**ARTICLE, **more}, **files)

    return write


def _attachment(name: str, content_type: str, content: bytes) -> dict[str, str]:
    return {"Filename": name, "ContentType": content_type, "Content": base64.b64encode(content).decode()}


def _ticket_35(replay: Replay) -> None:
    """The ticket whose clock was watched: each change in its own second, the last at 20:29:22."""

    def at(text: str) -> None:
        replay.now = datetime.fromisoformat(f"2026-11-23T{text}+00:00")

    def change(text: str, **body: Any) -> None:
        at(text)
        replay.change(35, **body)

    at("20:28:57")
    replay.sandbox.store.article_ids = itertools.count(61)
    replay.open(35, title="inkrement")
    change("20:28:58", Article=ARTICLE)
    change("20:29:00", Article={**ARTICLE, "IsVisibleForCustomer": 0})
    change("20:29:01", DynamicField={"Name": "ExternalKey", "Value": "Z-1"})
    for text, values in (
        ("20:29:04", {"State": "open"}),
        ("20:29:07", {"Title": "x2"}),
        ("20:29:08", {"Queue": "Support::L3"}),
        ("20:29:10", {"Priority": "1 very low"}),
        ("20:29:11", {"Owner": "anna"}),
        ("20:29:13", {"Responsible": "anna"}),
        ("20:29:14", {"Lock": "lock"}),
        ("20:29:16", {"CustomerUser": "ola"}),
    ):
        change(text, Ticket=values)
    change("20:29:17", Article=ARTICLE, DynamicField={"Name": "ExternalCommentID", "Value": "q"})
    replay.sandbox.store.tickets[35].owner = 1
    change("20:29:22", Ticket={"State": "closed successful"})


def _tickets_of_anna(replay: Replay) -> None:
    """Three tickets of an agent: one goes on, one is merged into it, one is deleted."""
    replay.now = datetime(2026, 11, 23, 20, 39, 52, tzinfo=UTC)
    for ticket_id, title in ((37, "anna zmienia"), (38, "do scalenia"), (39, "do usuniecia")):
        replay.sandbox.store.article_ids = itertools.count(ticket_id + 33)
        replay.open(ticket_id, title=title, login="anna")
    tickets = replay.sandbox.store.tickets
    tickets[37].number, tickets[38].number = "2026112310000361", "2026112310000379"
    # On the real server it was opened without an article.
    tickets[38].history = [entry for entry in tickets[38].history if not entry["ArticleID"]]
    for entry in tickets[38].history:
        entry["Name"] = entry["Name"].replace("2026112310000370", "2026112310000379")
    replay.now += timedelta(seconds=5)
    replay.sandbox.store.article_ids = itertools.count(75)
    replay.sandbox.merge(tickets[38], tickets[37], "anna")
    replay.sandbox.delete(tickets[39], "anna")


def _in_zone(name: str) -> Callable[[Replay], None]:
    def change(replay: Replay) -> None:
        replay.now = max(replay.now, datetime(2026, 11, 23, 20, 49, 21, tzinfo=UTC))
        replay.sandbox.store.zone = ZoneInfo(name)

    return change


def _in_utc_again(replay: Replay) -> None:
    """Ticket 36 had got a service level meanwhile, and an article that took time."""
    _in_zone("UTC")(replay)
    replay.change(36, Ticket={"Service": "Mail", "SLA": "Gold"}, Article={**ARTICLE, "TimeUnit": 3})


def _opened(ticket_id: int, title: str) -> Callable[[Replay], None]:
    return lambda replay: replay.open(ticket_id, title=title)


def _two_of_a_name(replay: Replay) -> None:
    replay.open(301, title="dwa razy")
    replay.open(302, title="dwa razy")


STEPS: dict[str, Callable[[Replay], None]] = {
    "article.phone": _article_of_34(39, Subject="domyślna", Body="bez flagi widoczności"),
    "article.with_from": _article_of_34(
        41, Subject="mail", Body="mejl", CommunicationChannel="Email", To="jan@acme.example.com",
        Cc="ola@acme.example.com",
    ),
    "article.charset_latin2_declared": _article_of_34(
        45, Subject="utf8", Body="ąę", ContentType="text/plain; charset=utf8"
    ),
    "article.long_subject": _article_of_34(53, Subject="długie", Body="ą" * 100_000),
    "attachment.unicode_name_and_duplicates": _article_of_34(
        56, Subject="zał1", Body="obiekt zamiast listy",
        Attachment=_attachment("a.png", "image/png", bytes.fromhex("89504e470d0a1a0a00")),
    ),
    "update.other_customer_denied": lambda replay: replay.change(
        33, "reader", Ticket={"CustomerUser": "ola", "Lock": "unlock"}
    ),
    "get.list_route": lambda replay: replay.change(3, "reader", Ticket={"State": "open"}),
    "get.customer_view": lambda replay: replay.change(33, "reader", Article=ARTICLE),
    "history.get": _ticket_35,
    "get.merged_ticket": _tickets_of_anna,
    "article.visible_json_false": _opened(300, "wartosci"),
    "get.query_plus_space": _two_of_a_name,
    "tz_warsaw.create": _in_zone("Europe/Warsaw"),
    "update.session_in_query": _in_utc_again,
}  # fmt: skip
"""What happened just before an exchange and is not in the file."""
