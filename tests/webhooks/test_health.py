from __future__ import annotations

import pytest

from hub.metrics import Metrics
from tests.webhooks.stage import SECRET, Stage, a_body, signed_like_zendesk, start


def test_a_living_hub_says_so(stage: Stage) -> None:
    answer = stage.client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


def test_a_hub_that_can_work_is_ready(stage: Stage) -> None:
    answer = stage.client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "parts": {"database": "ok", "engine": "ok"}}


@pytest.mark.parametrize("part", ["database", "engine"])
def test_a_hub_that_cannot_work_says_which_part(stage: Stage, part: str) -> None:
    stage.parts[part] = "gone"
    answer = stage.client.get("/readyz")
    assert (answer.status_code, answer.json()["status"], answer.json()["parts"][part]) == (503, "not ready", "gone")
    assert stage.client.get("/healthz").status_code == 200


def test_a_hub_that_cannot_tell_is_not_ready() -> None:
    def ready() -> dict[str, str | None]:
        raise RuntimeError(f"cannot connect with {SECRET}")

    running = start(ready=ready)
    try:
        answer = running.client.get("/readyz")
        assert (answer.status_code, answer.json()["parts"]) == (503, {"hub": "RuntimeError"})
        assert SECRET not in answer.text
    finally:
        running.client.close()
        running.server.stop()


def test_the_figures_are_in_the_text_format_and_hold_no_secret_and_no_text(stage: Stage) -> None:
    body = a_body("7", title="private words")
    stage.post("support", body, signed_like_zendesk(body, delivery="a-delivery"))
    stage.metrics.watch_wakes(lambda: {"waiting": 3, "running": 1})
    stage.metrics.watch_failures(lambda: 2)
    stage.metrics.watch_polls(lambda: {"support": 12.5})
    stage.metrics.call("support", "GET", "ok", 0.2)
    stage.metrics.run("written", 0.3)
    stage.metrics.write("dev", "add_comment")
    answer = stage.client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert answer.headers["cache-control"] == "no-store"
    lines = answer.text.splitlines()
    assert {
        'hub_deliveries_total{outcome="accepted",tracker="support"} 1.0',
        "hub_receive_seconds_count 1.0",
        'hub_wakes{state="waiting"} 3.0',
        'hub_wakes{state="running"} 1.0',
        "hub_failures_open 2.0",
        'hub_poll_age_seconds{tracker="support"} 12.5',
        'hub_calls_total{method="GET",outcome="ok",tracker="support"} 1.0',
        'hub_runs_total{outcome="written"} 1.0',
        'hub_writes_total{kind="add_comment",tracker="dev"} 1.0',
    } <= set(lines)
    for word in (SECRET, "private", "a-delivery", "python_info"):
        assert word not in answer.text


def test_a_figure_that_cannot_be_looked_up_is_left_out_and_the_others_are_shown() -> None:
    def broken() -> float:
        raise OSError("the database is gone")

    metrics = Metrics()
    metrics.watch_failures(broken)
    metrics.gauge("hub_other", "Something else", lambda: 4)
    metrics.write("dev", "update")
    shown = metrics.render().decode()
    assert "hub_failures_open" not in shown
    assert "hub_other 4.0" in shown
    assert "hub_writes_total" in shown


def test_two_hubs_in_one_process_count_for_themselves() -> None:
    one, other = Metrics(), Metrics()
    one.write("dev", "update")
    assert b"hub_writes_total{" not in other.render()


def test_one_name_cannot_be_watched_twice() -> None:
    metrics = Metrics()
    metrics.watch_failures(lambda: 1)
    with pytest.raises(ValueError, match="hub_failures_open"):
        metrics.watch_failures(lambda: 2)
