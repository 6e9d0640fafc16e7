"""Signing in, tokens that end, the pace of calls, locks, and what Agiloft's words mean."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from hub.connector import (
    AuthError,
    Changes,
    ConnectorError,
    Known,
    NotFoundError,
    PermanentError,
    RateLimitedError,
    RefusedError,
    TemporaryError,
)
from hub.sandbox import Fault
from hub.ticket import Status
from plugins.agiloft import tokens
from plugins.agiloft.budget import ENOUGH, Budget
from plugins.agiloft.client import RecordLockedError
from plugins.agiloft.connector import AgiloftConnector
from plugins.agiloft.refusals import TokenEndedError
from plugins.agiloft.sandbox import AgiloftSandbox
from plugins.agiloft.sandbox.cast import AgiloftActor
from plugins.agiloft.tokens import life_of
from tests.plugins.agiloft.builders import a_comment, created
from tests.plugins.agiloft.conftest import connect, values_of, writes
from tests.plugins.clock import Clock

# -- tokens -------------------------------------------------------------------------------------------------------


def sign_ins(site: AgiloftSandbox) -> list[str]:
    return [r.path.rpartition("/")[2] for r in site.requests if r.path.endswith(("/login", "/EWLogin"))]


def test_one_sign_in_serves_all_calls_of_all_threads(connector: AgiloftConnector, site: AgiloftSandbox) -> None:
    threads = [threading.Thread(target=connector.find_ticket, args=("none",)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sign_ins(site) == ["login"]


def test_a_token_is_renewed_by_its_refresh_token_before_it_ends(
    connector: AgiloftConnector, site: AgiloftSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "RENEW_AT", 0.0)
    ticket_id = created(connector)
    connector.read(ticket_id, Known())
    assert sign_ins(site)[:2] == ["login", "EWLogin"]
    assert set(sign_ins(site)[1:]) == {"EWLogin"}


def test_a_refresh_token_that_is_taken_no_more_leaves_the_password(
    connector: AgiloftConnector, site: AgiloftSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "RENEW_AT", 0.0)
    connector.find_ticket("none")
    site.tokens.sessions.clear()
    connector.find_ticket("none")
    assert sign_ins(site) == ["login", "EWLogin", "login"]


def test_a_token_that_ended_unseen_is_replaced_once_and_the_write_done_once(
    connector: AgiloftConnector, site: AgiloftSandbox, clock: Clock
) -> None:
    ticket_id = created(connector)
    clock.forward(minutes=16)
    connector.update(ticket_id, Changes(values={"title": "After the end"}), None)
    assert values_of(site, ticket_id)["summary"] == "After the end"
    assert sign_ins(site) == ["login", "login"]
    site.tokens.sessions.clear()
    connector.add_comment(ticket_id, a_comment("After another end."))
    assert len(connector.read(ticket_id, Known()).comments or ()) == 1


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "Token is expired"),
        (401, "Token is blocked"),
        (500, "No active session found for current token"),
        (400, "Wrong combination of access token and KB name. No access to data in KB"),
        (200, "Token is expired"),
    ],
)
def test_every_word_for_the_end_of_a_token_makes_one_new_sign_in_and_no_more(
    connector: AgiloftConnector, site: AgiloftSandbox, status: int, message: str
) -> None:
    connector.identify()
    body = {"success": False, "message": message, "result": None}
    site.faults.add(Fault(path="/search$", times=1, status=status, body=body))
    assert connector.find_ticket("none") is None
    assert sign_ins(site) == ["login", "login"]
    site.faults.add(Fault(path="/search$", times=None, status=status, body=body))
    with pytest.raises(TokenEndedError) as ended:
        connector.find_ticket("none")
    assert "credentials" in ended.value.remedy
    assert sign_ins(site) == ["login"] * 3


@pytest.mark.parametrize(
    ("token", "seconds"),
    [
        ({"expires_in": 15, "expiration_time_unit": "MINUTES"}, 900),
        ({"expires_in": 900, "expiration_time_unit": "SECONDS"}, 900),
        ({"expires_in": 15}, 900),
        ({"expires_in": "900"}, 900),
        ({"expires_in": "soon"}, 900),
        ({}, 900),
        ({"expires_in": 1, "expiration_time_unit": "HOURS"}, 3600),
    ],
)
def test_the_life_of_a_token_is_understood_in_each_form(token: dict[str, object], seconds: float) -> None:
    assert life_of(token) == seconds


def test_a_user_whose_group_may_not_use_rest_is_told_so(connector: AgiloftConnector, site: AgiloftSandbox) -> None:
    site.kb.users["hub_service"].may_use_rest = False
    with pytest.raises(AuthError, match="Manage Web Services"):
        connector.identify()


def test_no_password_and_no_token_stands_in_an_error(connector: AgiloftConnector, site: AgiloftSandbox) -> None:
    connector.find_ticket("none")
    (access,) = site.tokens.sessions
    password = site.kb.users["hub_service"].password
    body = {"success": False, "message": f"Wrong: {access} {site.tokens.sessions[access].refresh} {password}"}
    site.faults.add(Fault(path="/search$", status=400, body=body))
    with pytest.raises(PermanentError) as error:
        connector.find_ticket("none")
    assert "sandbox-" not in str(error.value)
    assert str(error.value).count("[secret]") == 3


# -- words of errors ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 200])
@pytest.mark.parametrize(
    ("message", "kind", "remedy"),
    [
        ("There is no permissions to access this resource", AuthError, "group"),
        ("Authentication failed. Invalid login/password combination", AuthError, "credentials"),
        ("User is blocked", AuthError, "credentials"),
        ("no data found for id range(s)", NotFoundError, ""),
        ("Cannot find specified knowledgebase: demo", PermanentError, "kb"),
        ("Table Case has not been found", PermanentError, "case sensitive"),
        ("No column external_ref in table case", PermanentError, "hub check"),
        ("Something of a rule's own", PermanentError, ""),
        ("This transition is not allowed", PermanentError, ""),
    ],
)
def test_the_words_of_a_refusal_say_what_to_do_whatever_the_status(
    connector: AgiloftConnector,
    site: AgiloftSandbox,
    status: int,
    message: str,
    kind: type[ConnectorError],
    remedy: str,
) -> None:
    connector.identify()
    site.faults.add(Fault(path="/search$", status=status, body={"success": False, "message": message}))
    with pytest.raises(kind, match=message[:20]) as error:
        connector.find_ticket("none")
    assert type(error.value) is kind
    assert remedy in error.value.remedy


def test_a_list_of_errors_is_told_whole(connector: AgiloftConnector, site: AgiloftSandbox) -> None:
    connector.identify()
    body = {"success": False, "message": "Failed", "errors": [{"message": "one"}, {"message": "two"}]}
    site.faults.add(Fault(path="/search$", status=400, body=body))
    with pytest.raises(PermanentError, match="Failed; one; two"):
        connector.find_ticket("none")


@pytest.mark.parametrize(
    "body",
    [
        {"success": True, "result": {"id": 1, "summary": "One", "wfstate": "New"}},
        {"success": True, "message": "", "case": {"id": 1, "summary": "One", "wfstate": "New"}},
        {"id": 1, "summary": "One", "wfstate": "New"},
        [{"id": 1, "summary": "One", "wfstate": "New"}],
        {"success": True, "result": [{"id": 1, "summary": "One", "wfstate": "New"}]},
    ],
)
def test_a_record_is_made_out_in_each_shape_that_clients_have_met(site: AgiloftSandbox, body: object) -> None:
    connector = connect(site, comments=None, columns={"attachments": "", "private_attachments": ""})
    site.faults.add(Fault(method="GET", path="/case/1$", status=200, body=body))  # type: ignore[arg-type]  # any JSON
    assert connector.read("1", Known()).ticket.title == "One"
    connector.close()


def test_an_answer_without_a_record_is_no_ticket(connector: AgiloftConnector, site: AgiloftSandbox) -> None:
    site.faults.add(Fault(method="GET", path="/case/1$", status=200, body={"success": True, "result": None}))
    with pytest.raises(NotFoundError):
        connector.read("1", Known())


# -- locks --------------------------------------------------------------------------------------------------------


def lock(site: AgiloftSandbox, ticket_id: str, login: str, minutes: float = 25) -> None:
    """Somebody opens the ticket on the screen."""
    with site.lock:
        table = site.kb.tables["case"]
        site.kb.lock(table, table.records[int(ticket_id)], login, minutes)


def test_a_ticket_that_somebody_edits_is_left_alone_until_they_are_done(
    connector: AgiloftConnector, site: AgiloftSandbox, clock: Clock
) -> None:
    ticket_id = created(connector)
    lock(site, ticket_id, "agent1")
    site.requests.clear()
    changes = Changes(values={"title": "Mine", "priority": None})
    with pytest.raises(RecordLockedError) as locked:
        connector.update(ticket_id, changes, None)
    assert "agent1 is editing record" in locked.value.why
    assert "25 minutes" in locked.value.why
    assert locked.value.retry_after == 60
    assert writes(site) == [f"PUT /case/{ticket_id}"]
    assert values_of(site, ticket_id)["summary"] == "A fault"
    clock.forward(minutes=26)
    connector.update(ticket_id, changes, None)
    assert values_of(site, ticket_id)["summary"] == "Mine"


def test_a_refusal_on_a_ticket_that_the_hub_itself_has_locked_is_a_refusal(
    connector: AgiloftConnector, site: AgiloftSandbox
) -> None:
    ticket_id = created(connector)
    lock(site, ticket_id, "hub_service")
    with pytest.raises(RefusedError):
        connector.update(ticket_id, Changes(values={"status": Status.CLOSED}), None)


def test_a_refusal_stays_one_where_locks_cannot_be_looked_at(connector: AgiloftConnector, site: AgiloftSandbox) -> None:
    ticket_id = created(connector)
    site.faults.add(Fault(path="EWLock", status=404, body={"error": "NOT_FOUND", "error_description": "none"}))
    with pytest.raises(RefusedError, match="cannot become Closed"):
        connector.update(ticket_id, Changes(values={"status": Status.CLOSED}), None)


# -- the pace -----------------------------------------------------------------------------------------------------


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_calls_are_saved_up_to_a_limit_and_spent_at_once() -> None:
    seconds = Seconds()
    budget = Budget(rate=1, burst=12, clock=seconds)
    seconds.now = 1000
    for _ in range(12):
        assert budget.wait() == 0
        budget.spend()
    assert budget.wait() == ENOUGH


def test_what_was_overdrawn_is_waited_for_until_work_can_be_done_to_its_end() -> None:
    seconds = Seconds()
    budget = Budget(rate=2, burst=20, clock=seconds)
    for _ in range(25):
        budget.spend()
    assert budget.wait() == (ENOUGH + 5) / 2
    seconds.now = budget.wait()
    assert budget.wait() == 0
    for _ in range(int(ENOUGH)):
        assert budget.wait() == 0
        budget.spend()
    assert budget.wait() > 0


def test_the_hub_waits_when_it_has_called_too_often_and_nothing_is_sent_meanwhile(site: AgiloftSandbox) -> None:
    connector = connect(site, calls_per_second=0.01, burst=5)
    ticket_id = created(connector)
    for _ in range(2):
        connector.read(ticket_id, Known())
    with pytest.raises(RateLimitedError) as limited:
        connector.read(ticket_id, Known())
    assert limited.value.retry_after > 60
    sent = len(site.requests)
    for call in (
        lambda: connector.read(ticket_id, Known()),
        lambda: connector.poll(None, datetime.now(UTC)),
        lambda: connector.add_comment(ticket_id, a_comment("Not now.")),
        lambda: connector.update(ticket_id, Changes(values={"title": "Not now"}), None),
    ):
        with pytest.raises(RateLimitedError):
            call()
    assert len(site.requests) == sent
    connector.close()


def test_a_piece_of_work_that_has_begun_is_done_to_its_end(site: AgiloftSandbox) -> None:
    """Half a comment would be doubled when it is tried again."""
    connector = connect(site, calls_per_second=0.01, burst=5)
    ticket_id = created(connector)
    connector.find_ticket("none")
    connector.find_ticket("none")
    connector.update(ticket_id, Changes(add_labels=frozenset({"x"})), None)
    with pytest.raises(RateLimitedError):
        connector.find_ticket("none")
    assert values_of(site, ticket_id)["tags"] == "x"
    connector.close()


def test_a_server_that_holds_calls_up_is_waited_for(site: AgiloftSandbox, connector: AgiloftConnector) -> None:
    site.change_settings(ws_delay=0.05)
    assert connector.find_ticket("none") is None


def test_a_password_that_the_proxy_swallows_is_trouble_not_a_wrong_login(site: AgiloftSandbox) -> None:
    connector = connect(site)
    site.faults.add(Fault(path="/login$", status=200, body={"success": True, "result": {}}))
    with pytest.raises(TemporaryError, match="no token"):
        connector.identify()
    connector.close()


def test_people_act_with_logins_of_their_own(agent: AgiloftActor, customer: AgiloftActor) -> None:
    ticket_id = customer.open_ticket("Mine", "x")
    agent.say(ticket_id, "secret", public=False)
    assert customer.read(ticket_id)["summary"] == "Mine"
    with pytest.raises(RuntimeError, match="no permissions"):
        customer.prioritise(ticket_id, "urgent")
