"""The section `alerts`: what is wrong in it is told with its place."""

from __future__ import annotations

import pytest

from tests.settings.conftest import Errors, Load

TRACKERS = """
people: {alex: {dev: "1"}}
trackers:
  support: {kind: desk, url: "https://support.example"}
  dev: {kind: bugs, url: "https://dev.example"}
"""
SOURCE = "alerts:\n  prom: {kind: alertmanager, tracker: support, secret: '${TOKEN}'}\n"


def test_a_source_needs_no_more_than_its_kind_its_secret_and_its_helpdesk(load: Load) -> None:
    source = load(TRACKERS + SOURCE, env={"TOKEN": "x"}).settings.alerts["prom"]
    assert (source.visibility, source.resolve, source.quiet_for) == ("private", "solve", 60)
    assert source.group_by is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("support, secret", "suport, secret"), "there is no tracker 'suport'. Did you mean 'support'"),
        (
            ("support, secret", "dev, secret"),
            "the tracker 'dev' is no helpdesk. Incidents are opened in a helpdesk: support",
        ),
        (("  prom:", "  pro m:"), "a source of alerts cannot be called 'pro m'"),
        (
            ("kind: alertmanager,", "kind: alertmanager, title: '{{ nam }}',"),
            "there is no placeholder 'nam'. Did you mean 'name'",
        ),
        (("kind: alertmanager,", "kind: alertmanager, title: '{{ ticket.key }}',"), "there is no placeholder 'ticket'"),
        (
            ("kind: alertmanager,", "kind: alertmanager, resolved_words: [ok],"),
            "Alertmanager's bodies have a form of their own",
        ),
        (("kind: alertmanager,", "kind: alertmanager, priorities: {bad: highest},"), "priorities.bad"),
        (
            ("kind: alertmanager,", "kind: alertmanager, assignee: aleks,"),
            "there is no person 'aleks'. Did you mean 'alex'",
        ),
        (("kind: alertmanager,", "kind: alertmanager, assignee: alex,"), "alex has no account in support"),
        (("'${TOKEN}'", "a-plain-secret"), "a secret must not stand in the settings"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_to_do(errors: Errors, change: tuple[str, str], said: str) -> None:
    told = errors(TRACKERS + SOURCE.replace(*change), env={"TOKEN": "x"})
    assert any(said in one and one.startswith("hub.yaml:6: alerts.") for one in told), told


def test_a_tracker_cannot_be_called_like_the_keys_of_alerts(errors: Errors) -> None:
    told = errors("trackers:\n  alert: {kind: desk, url: 'https://a.example'}\n")
    assert told == ["hub.yaml:2: trackers.alert: a tracker cannot be called 'alert'. The word stands for alerts."]


def test_alarms_name_notifiers_that_exist(errors: Errors) -> None:
    told = errors("notifiers: {oncall: {url: '${URL}'}}\nfailures: {notify: [oncal]}\n", env={"URL": "json://x"})
    assert told == ["hub.yaml:2: failures.notify[0]: there is no notifier 'oncal'. Did you mean 'oncall'?"]
