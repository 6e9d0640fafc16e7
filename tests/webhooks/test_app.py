from __future__ import annotations

import pytest

from tests.webhooks.stage import Stage, a_body, signed_like_zendesk


@pytest.mark.parametrize("path", ["/", "/nothing", "/webhooks", "/webhooks/", "/webhooks/a/b", "//webhooks//support"])
def test_an_address_without_anything_is_answered_in_words_for_machines(stage: Stage, path: str) -> None:
    answer = stage.client.get(path)
    assert (answer.status_code, answer.json()["error"]) in {(404, "not_found"), (405, "method_not_allowed")}
    assert answer.json()["description"]


def test_a_wrong_method_says_the_right_one(stage: Stage) -> None:
    answer = stage.client.post("/healthz")
    assert (answer.status_code, answer.json()["error"]) == (405, "method_not_allowed")
    assert "GET" in answer.headers["allow"]


def test_a_mistake_of_the_hub_never_shows_its_traceback(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("words from the inside")

    monkeypatch.setattr(stage.metrics, "delivery", broken)
    body = a_body()
    answer = stage.post("support", body, signed_like_zendesk(body))
    assert (answer.status_code, answer.json()["error"]) == (500, "internal")
    assert "inside" not in answer.text
    assert "Traceback" not in answer.text
