"""Mistakes in a rule book are told when it is loaded, with file, line and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.settings.load import load_settings
from hub.settings.problems import SettingsError

GOOD = """\
trackers:
  support:
    kind: zendesk
    url: https://acme.zendesk.com
    credentials: {email: hub@acme.example, api_token: "${TOKEN}"}
    fields:
      area: {id: 360001, type: select}
lines:
  1: {name: First}
  2: {name: Experts, calendar: office}
calendars:
  office: {zone: Europe/Warsaw, hours: {mon-fri: "08:00-16:00"}, holidays: PL}
agreements:
  gold:
    kind: SLA
    calendar: office
    targets: {resolution: {urgent: 4h, any: 16h}}
macros:
  hello: {visibility: public, text: "Dear {{ requester.name | default('customer') }}"}
"""


def problems(tmp_path: Path, more: str, *, base: str = GOOD) -> list[str]:
    """What loading says of the settings with `more` at their end."""
    file = tmp_path / "hub.yaml"
    file.write_text(base + more)
    try:
        load_settings(file, env={"TOKEN": "x"})
    except SettingsError as error:
        return [str(p).removeprefix(str(tmp_path)).lstrip("/") for p in error.problems]
    return []


def a_rule(when: str, then: str = "{note: Look.}", name: str = "one", more: str = "") -> str:
    return f"  - name: {name}\n    when: {when}\n    then: {then}\n{more}"


def test_a_good_rule_book_has_no_problems(tmp_path: Path) -> None:
    assert problems(tmp_path, "rules:\n" + a_rule("{priority: [high, urgent], custom: {area: billing}}")) == []


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("rules:\n" + a_rule("{prioritty: high}"), ["hub.yaml:22", "prioritty", "Did you mean 'priority'?"]),
        ("rules:\n" + a_rule("{priority: hihg}"), ["hub.yaml:22", "'hihg' is none of", "Did you mean 'high'?"]),
        ("rules:\n" + a_rule("{}"), ["hub.yaml:22", "would hold for every ticket"]),
        ("rules:\n" + a_rule("{line: 7}"), ["hub.yaml:22", "there is no line 7", "Lines are 1, 2."]),
        ("rules:\n" + a_rule("{tracker: suport}"), ["hub.yaml:22", "Did you mean 'support'?"]),
        ("rules:\n" + a_rule("{custom: {aera: x}}"), ["hub.yaml:22", "Did you mean 'area'?"]),
        ("rules:\n" + a_rule("{age: {over: 4h, under: 2h}}"), ["hub.yaml:22", "can never hold"]),
        ("rules:\n" + a_rule("{age: 2d}"), ["hub.yaml:22", "hours and minutes"]),
        (
            "rules:\n" + a_rule("{status: open, not: {status: [open, new]}}"),
            ["hub.yaml:22", "can never hold: what", "status"],
        ),
        ("rules:\n" + a_rule("{all: [{label: a}, {not: {label: a}}]}"), ["hub.yaml:22", "can never hold", "label a"]),
        (
            "rules:\n" + a_rule("{clock: {agreement: gold, target: update, reached: 50}}"),
            ["can never hold", "resolution"],
        ),
        ("rules:\n" + a_rule("{clock: {agreement: goold, target: resolution}}"), ["Did you mean 'gold'?"]),
        ("rules:\n" + a_rule("{changed: {status: {to: opne}}}"), ["'opne' is no status", "Did you mean 'open'?"]),
        ("rules:\n" + a_rule("{label: a}", "{}"), ["hub.yaml:23", "nothing is done here"]),
        ("rules:\n" + a_rule("{label: a}", "{set: {status: slved}}"), ["hub.yaml:23", "Did you mean 'solved'?"]),
        ("rules:\n" + a_rule("{label: a}", "{set: {assignee: ewa}}"), ["hub.yaml:23", "there is no person 'ewa'"]),
        ("rules:\n" + a_rule("{label: a}", "{macro: helo}"), ["hub.yaml:23", "Did you mean 'hello'?"]),
        ("rules:\n" + a_rule("{label: a}", "{notify: {to: oncall, text: x}}"), ["hub.yaml:23", "no notifier 'oncall'"]),
        ("rules:\n" + a_rule("{label: a}", "{run: {action: x.y}}"), ["hub.yaml:23", "there is no action 'x.y'"]),
        ("rules:\n" + a_rule("{label: a}", "{issue: true}"), ["hub.yaml:23", "under links"]),
        ("rules:\n" + a_rule("{label: a}", '{note: "{{ tiket.key }}"}'), ["hub.yaml:23", "Did you mean 'ticket'?"]),
        ("rules:\n" + a_rule("{label: a}", '{note: "{{ open(1) }}"}'), ["hub.yaml:23", "not use 'call'"]),
        ("rules:\n" + a_rule("{label: a}") + a_rule("{label: b}"), ["hub.yaml:24", "called 'one' as well"]),
        ("languages: {custom_field: lang}\n", ["hub.yaml:20", "there is no custom field 'lang'"]),
    ],
)
def test_a_mistake_is_named_with_its_place_and_remedy(tmp_path: Path, more: str, expected: list[str]) -> None:
    (told,) = problems(tmp_path, more)
    for part in expected:
        assert part in told


@pytest.mark.parametrize(
    ("line", "instead", "expected"),
    [
        ("  2: {name: Experts, calendar: office}", "  2: {name: Experts, calendar: ofice}", "Did you mean 'office'?"),
        ("  2: {name: Experts, calendar: office}", "  2: {name: Experts, issues: x}", "there is no link 'x'"),
        ("  2: {name: Experts, calendar: office}", "  2: {name: Experts, assign: true}", "nobody to assign"),
        ("holidays: PL", "holidays: XX", "no holidays are known for the country 'XX'"),
        ('"08:00-16:00"', '"8-16"', "must be hours such as 08:00-16:00"),
        ("Europe/Warsaw", "Europe/Warszawa", "must be a time zone"),
        ("mon-fri", "mo-fr", "mon"),
        ("{visibility: public, text:", "{text:", "must say who sees it"),
        ("any: 16h", "hgih: 16h", "Did you mean 'high'?"),
    ],
)
def test_a_mistake_in_what_rules_use_is_named(tmp_path: Path, line: str, instead: str, expected: str) -> None:
    assert line in GOOD
    told = problems(tmp_path, "", base=GOOD.replace(line, instead))
    assert len(told) == 1
    assert expected in told[0]
    assert told[0].startswith("hub.yaml:")


def test_two_rules_that_fight_over_a_field_are_named(tmp_path: Path) -> None:
    both = a_rule("{label: vip}", "{set: {priority: urgent}}", "vip") + a_rule(
        "{title: '*question*'}", "{set: {priority: low}}", "question"
    )
    (told,) = problems(tmp_path, f"rules:\n{both}")
    assert told.startswith("hub.yaml:24: rules[1]")
    assert "'question' and 'vip' fight over priority" in told
    assert problems(tmp_path, f"rules:\n{both}    overrides: vip\n") == []


def test_rules_whose_conditions_exclude_each_other_do_not_fight(tmp_path: Path) -> None:
    both = a_rule("{label: vip}", "{set: {priority: urgent}}", "vip") + a_rule(
        "{not: {label: vip}, title: '*question*'}", "{set: {priority: low}}", "question"
    )
    assert problems(tmp_path, f"rules:\n{both}") == []


def test_rules_that_set_each_other_off_for_ever_are_named(tmp_path: Path) -> None:
    three = (
        a_rule("{priority: urgent}", "{set: {priority: high}}", "calm")
        + a_rule("{priority: high}", "{set: {priority: normal}}", "calmer")
        + a_rule("{priority: normal}", "{set: {priority: urgent}}", "excite")
    )
    (told,) = problems(tmp_path, f"rules:\n{three}")
    assert "calm -> calmer -> excite -> calm" in told


def test_a_chain_that_ends_is_no_loop(tmp_path: Path) -> None:
    chain = a_rule("{status: pending}", "{set: {status: open}}", "back") + a_rule("{status: open}", "{note: x}", "two")
    assert problems(tmp_path, f"rules:\n{chain}") == []


def test_macros_that_run_each_other_are_named(tmp_path: Path) -> None:
    told = problems(tmp_path, "  a: {then: {macro: b}}\n  b: {then: {macro: a}}\n")
    assert any("macros run each other in a circle: a -> b -> a" in t for t in told)
