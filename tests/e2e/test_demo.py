"""The main job, as a newcomer runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest


@pytest.mark.parametrize("flavour", ["cloud", "datacenter"])
def test_the_demo_plays_every_step_and_ends_with_zero(flavour: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hub", "demo", "--once", "--flavour", flavour],
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("seen after") == 11


def test_the_demo_of_the_rule_book_plays_every_step_and_ends_with_zero() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hub", "demo", "--once", "--rules"],
        capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("seen after") == 7


@pytest.mark.parametrize(
    ("pair", "steps"),
    [
        ("gitlab:jira", 11),
        ("jira:mantis", 11),
        ("freshdesk+zendesk:jira", 13),
        ("otrs+agiloft:gitlab", 13),
        ("zendesk+otrs+zendesk:mantis", 14),
    ],
)
def test_any_trackers_play_it_together_and_one_issue_takes_any_number_of_helpdesks(pair: str, steps: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hub", "demo", "--once", "--pair", pair],
        capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("seen after") == steps


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        ("jira", "--pair wants a:b or a+b:c"),
        ("zendesk+:jira", "--pair wants a:b or a+b:c"),
        ("nosuch:jira", "there is no tracker of kind 'nosuch'; there are"),
        ("jira:zendesk", "behind the colon stands a bug tracker, and zendesk is a helpdesk; try"),
    ],
)
def test_a_pair_that_cannot_be_played_is_told_in_words(pair: str, words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hub", "demo", "--once", "--pair", pair],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert words in done.stderr


def test_for_scripts_a_pair_names_its_trackers() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "hub", "demo", "--json", "--no-scenario", "--pair", "freshdesk+zendesk+otrs:gitlab"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as demo:  # fmt: skip
        assert demo.stdout is not None
        described = json.loads(demo.stdout.readline())
        kinds = {name: tracker["kind"] for name, tracker in described["trackers"].items()}
        assert kinds == {"support": "freshdesk", "partner": "zendesk", "partner2": "otrs", "dev": "gitlab"}
        demo.terminate()
        assert demo.wait(timeout=30) == 0


def test_for_scripts_the_first_line_says_where_everything_is() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "hub", "demo", "--json", "--no-scenario"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as demo:  # fmt: skip
        assert demo.stdout is not None
        described = json.loads(demo.stdout.readline())
        assert {t["kind"] for t in described["trackers"].values()} == {"zendesk", "jira"}
        assert httpx.get(f"{described['hub']}/readyz").json()["status"] == "ready"
        support = described["trackers"]["support"]
        login = support["credentials"]
        secrets = dict(line.split("=", 1) for line in (Path(described["config"]) / ".env").read_text().splitlines())
        asked = subprocess.run(
            [sys.executable, "-m", "hub", "-c", described["config"], "check"],
            env={**os.environ, **secrets}, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert asked.returncode == 0, asked.stdout + asked.stderr
        me = httpx.get(f"{support['url']}/api/v2/users/me", auth=(f"{login['email']}/token", login["token"]))
        assert me.json()["user"]["role"] == "admin"
        demo.terminate()
        assert demo.wait(timeout=30) == 0
