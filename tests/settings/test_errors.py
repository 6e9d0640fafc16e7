"""Settings that are wrong: each message names the file, the line, what is wrong and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub.settings.load import SettingsError, load_settings

DEV = "  dev: {kind: bugs, url: https://bugs.example.com}\n"
DESK = "trackers:\n  support: {kind: desk, url: https://desk.example.com}\n"

SYNTAX = {
    "a tab": ("server:\n\tport: 1\n", "2: the line is indented with a tab. Indent with blanks."),
    "a second colon": (
        "server:\n  host: a: b\n",
        "2: a colon stands where none may. Is the line indented wrongly, or does a text with a colon need quotes?",
    ),
    "a wrong indentation": (
        "server:\n  port: 1\n host: a\n",
        "3: the indentation does not fit the lines above. Begin the lines of one section in one column.",
    ),
    "no colon": (
        "server:\n  port: 1\n  hostname\n  threads: 1\n",
        "4: this is no key: value. Is a colon missing, or the blank after it?",
    ),
    "an open bracket": (
        "plugins: [a, b\nserver: {}\n",
        "2: a bracket is not closed, or a comma is missing. Mind [a, b] and {a: b}.",
    ),
    "an open quote": ("server:\n  host: 'abc\n  port: 1\n", "2: a quoted text has no end. Close the quotes."),
    "a star": (
        "server:\n  host: *abc\n",
        "2: * refers to an anchor that does not exist. Put a text that begins with * in quotes.",
    ),
    "an at sign": ("server:\n  host: @abc\n", "2: a text must not begin with this character. Put the text in quotes."),
    "an escape": (
        'server:\n  host: "a\\qb"\n',
        "2: there is no such escape in double quotes. Use single quotes, or write \\\\ for a backslash.",
    ),
    "two documents": (
        "server: {}\n---\nlogs: {}\n",
        "2: a second document begins here. Remove the line ---, or make two files of it.",
    ),
    "a control character": (
        "server:\n  host: a\x07b\n",
        "2: this character is not allowed in YAML. Remove it, or write it as an escape in double quotes.",
    ),
    "a list": ("- a\n", "1: the file holds no settings. Write settings as key: value."),
}


@pytest.mark.parametrize("name", SYNTAX)
def test_broken_yaml_is_told_with_its_line(errors: Any, name: str) -> None:
    text, message = SYNTAX[name]
    assert errors(text) == [f"hub.yaml:{message}"]


WRONG = {
    "a tag": (
        "server:\n  host: !name abc\n",
        ["2: server.host: tags (!name) have no meaning here. Put a text that begins with ! in quotes."],
    ),
    "a loop": (
        "people: &a\n  anna: *a\n",
        ["1: people.anna: this refers to itself. Write the values out."],
    ),
    "a complex key": (
        "server:\n  {a: b}: c\n",
        ["2: server: a key must be a word. Does a text with { or [ need quotes?"],
    ),
    "a doubled key": (
        "server:\n  port: 1\n  host: a\n  port: 2\n",
        ["4: server.port: this key stands here twice; the other one is on line 2. Remove one of the two."],
    ),
    "an unknown section": ("serfer: {}\n", ["1: serfer: there is no setting 'serfer' here. Did you mean 'server'?"]),
    "an unknown key like no other": (
        "logs:\n  xyzzy: 1\n",
        ["2: logs.xyzzy: there is no setting 'xyzzy' here. Known are level, format."],
    ),
    "a word for a number": ("server:\n  port: abc\n", ["2: server.port: this must be a whole number, not 'abc'."]),
    "a fraction for a number": (
        "engine:\n  workers: 1.5\n",
        ["2: engine.workers: this must be a whole number, not '1.5'."],
    ),
    "too high a number": ("server:\n  port: 70000\n", ["2: server.port: this must be at most 65535, not 70000."]),
    "too low a number": (
        "engine:\n  retry_first: 0\n",
        ["2: engine.retry_first: this must be more than 0.0, not 0."],
    ),
    "a number for a text": (
        "server:\n  host: 1.10\n",
        ['2: server.host: this must be a text, not the number 1.10. Put it in quotes: "1.10"'],
    ),
    "a section for a text": ("server:\n  host: {a: b}\n", ["2: server.host: this must be a text, not a section."]),
    "a text for a section": (
        "server: 8080\n",
        ["1: server: this must be a section, not '8080'. Is the indentation right?"],
    ),
    "a tracker indented too little": (
        "trackers:\n  support:\n  kind: desk\n",
        [
            "2: trackers.support: this is empty. Give it a value, or remove the line.",
            "3: trackers.kind: this must be a section, not 'desk'. Is the indentation right?",
        ],
    ),
    "a text for a list": (
        "plugins: abc\n",
        ["1: plugins: this must be a list, not 'abc'. Write [a, b], or one line for each that begins with -."],
    ),
    "an unknown word": (
        "logs:\n  level: inof\n",
        ["2: logs.level: 'inof' is none of debug, info, warning, error. Did you mean 'info'?"],
    ),
    "a word like no other": (
        "logs:\n  level: loud\n",
        ["2: logs.level: 'loud' is none of debug, info, warning, error."],
    ),
    "an address without a scheme": (
        "server:\n  public_url: hub.example.com\n",
        ["2: server.public_url: must begin with https:// (or http:// on this machine), not 'hub.example.com'."],
    ),
    "an unknown plugin": (
        "plugins:\n  - fakee\n",
        ["2: plugins[0]: there is no plugin 'fakee'. Did you mean 'fake'? PLUGINS"],
    ),
    "an unknown status": (
        "trackers:\n  support:\n    kind: desk\n    url: https://a\n    statuses:\n      opne: [a]\n",
        ["6: trackers.support.statuses.opne: there is no status 'opne'. Did you mean 'open'?"],
    ),
    "a mapped unknown": (
        "trackers:\n  support:\n    kind: desk\n    url: https://a\n    priorities: {unknown: a}\n",
        ["5: trackers.support.priorities: 'unknown' cannot be mapped: it is what has no mapping."],
    ),
    "no status word": (
        "trackers:\n  support:\n    kind: desk\n    url: https://a\n    statuses: {open: }\n",
        ["5: trackers.support.statuses.open: this is empty. Give it a value, or remove the line."],
    ),
    "an unknown kind": (
        "trackers:\n  support:\n    kind: dsk\n    url: https://a\n",
        ["3: trackers.support.kind: there is no kind 'dsk'. Did you mean 'desk'? KINDS"],
    ),
    "no kind and no url": (
        "trackers:\n  support: {timeout: 3}\n",
        [
            "2: trackers.support.kind: this setting is missing. Which connector: zendesk, jira, ….",
            "2: trackers.support.url: this setting is missing. Base address of the tracker, "
            "e.g. https://acme.zendesk.com.",
        ],
    ),
    "a bad tracker name": (
        "trackers:\n  'a:b': {kind: desk, url: https://a}\n",
        ["2: trackers.a:b: a tracker cannot be called 'a:b'. Use letters, digits, - and _."],
    ),
    "a reserved tracker name": (
        "trackers:\n  link: {kind: desk, url: https://a}\n",
        ["2: trackers.link: a tracker cannot be called 'link'. The word stands for links."],
    ),
    "a misspelt credential": (
        "trackers:\n  support: {kind: desk, url: https://a, credentials: {emial: a@b, client_id: x}}\n",
        [
            "2: trackers.support.credentials.client_secret: this setting is missing.",
            "2: trackers.support.credentials.emial: there is no setting 'emial' here. Did you mean 'email'?",
        ],
    ),
    "empty credentials": (
        "trackers:\n  support: {kind: desk, url: https://a, credentials: {}}\n",
        [
            "2: trackers.support.credentials: this is empty. "
            "Give email and api_token, or client_id and client_secret, or access_token."
        ],
    ),
    "an unknown tracker in a link": (
        DESK + DEV + "links:\n  - tickets: [support, suport]\n    issues: dve\n",
        [
            "5: links[0].tickets[1]: there is no tracker 'suport'. Did you mean 'support'?",
            "6: links[0].issues: there is no tracker 'dve'. Did you mean 'dev'?",
        ],
    ),
    "a link without trackers": (
        "links:\n  - {tickets: abc, issues: xyz}\n",
        [
            "2: links[0].tickets: there is no tracker 'abc'. There are no trackers at all.",
            "2: links[0].issues: there is no tracker 'xyz'. There are no trackers at all.",
        ],
    ),
    "issues in a helpdesk": (
        DESK + DEV + "links:\n  - {tickets: dev, issues: support}\n",
        ["5: links[0].issues: the tracker 'support' is a helpdesk. Issues must be in a bug tracker: dev."],
    ),
    "tickets in an action": (
        DESK + DEV + "  act: {kind: act, url: https://a}\nlinks:\n  - {tickets: act, issues: dev}\n",
        ["6: links[0].tickets: the tracker 'act' has no tickets. Name a helpdesk, or a bug tracker."],
    ),
    "a tracker linked with itself": (
        DESK + DEV + "links:\n  - {tickets: dev, issues: dev}\n",
        [
            "5: links[0].tickets: the tracker 'dev' cannot be linked with itself. "
            "Name another tracker for tickets or for issues."
        ],
    ),
    "a tracker named twice": (
        DESK + DEV + "links:\n  - {tickets: [support, support], issues: dev}\n",
        ["5: links[0].tickets[1]: the tracker 'support' is named twice. Remove one of the two."],
    ),
    "no tickets": (
        DESK + DEV + "links:\n  - {tickets: [], issues: dev}\n",
        ["5: links[0].tickets: this must not be empty. Give it a value, or remove the line."],
    ),
    "two links of one name": (
        DESK + DEV + "links:\n  - {tickets: support, issues: dev}\n  - {tickets: support, issues: dev}\n",
        ["6: links[1].name: the link at hub.yaml:5 is called 'support-dev' as well. Give one of them another name."],
    ),
    "an unknown field": (
        DESK + DEV + "links:\n  - tickets: support\n    issues: dev\n    fields:\n      titel: both\n",
        ["8: links[0].fields.titel: there is no field 'titel'. Did you mean 'title'?"],
    ),
    "an unknown direction": (
        DESK + DEV + "links:\n  - {tickets: support, issues: dev, fields: {title: to_isue}}\n",
        ["5: links[0].fields.title: 'to_isue' is none of both, to_issue, to_tickets, none. Did you mean 'to_issue'?"],
    ),
    "an unknown propagation, both ways": (
        DESK + DEV + "links:\n  - {tickets: support, issues: dev, comments: {edits: miror}}\n",
        ["5: links[0].comments.edits: 'miror' is none of mirror, note, ignore. Did you mean 'mirror'?"],
    ),
    "a custom field on one side only": (
        "trackers:\n"
        "  support: {kind: desk, url: https://a, fields: {product: {id: 1}}}\n"
        "  dev: {kind: bugs, url: https://b}\n"
        "links:\n  - {tickets: support, issues: dev, fields: {'custom:product': both}}\n",
        [
            "5: links[0].fields.custom:product: there is no custom field 'product' in dev. "
            "Add it under trackers.dev.fields."
        ],
    ),
    "a misspelt custom field": (
        "trackers:\n"
        "  support: {kind: desk, url: https://a, fields: {product: {id: 1}}}\n"
        "  dev: {kind: bugs, url: https://b, fields: {product: {id: 2}}}\n"
        "links:\n  - {tickets: support, issues: dev, fields: {'custom:prodcut': both}}\n",
        [
            "5: links[0].fields.custom:prodcut: there is no custom field 'prodcut' in support and dev. "
            "Did you mean 'product'?"
        ],
    ),
    "an empty condition": (
        DESK + DEV + "links:\n  - tickets: support\n    issues: dev\n    when: {any: [{label: a}, {}]}\n",
        [
            "7: links[0].when.any[1]: a condition without parts would hold for every ticket. "
            "Say which: label, line, priority or category; or remove it."
        ],
    ),
    "an unknown priority in a condition": (
        DESK + DEV + "links:\n  - {tickets: support, issues: dev, when: {priority: [hihg]}}\n",
        ["5: links[0].when.priority[0]: 'hihg' is none of lowest, low, normal, high, urgent. Did you mean 'high'?"],
    ),
    "a negative history": (
        DESK + DEV + "links:\n  - {tickets: support, issues: dev, comments: {history: -1}}\n",
        ["5: links[0].comments.history: this must be at least 0, not -1."],
    ),
    "a strange history": (
        DESK + DEV + "links:\n  - {tickets: support, issues: dev, comments: {history: some}}\n",
        ["5: links[0].comments.history: this must be a whole number or all, not 'some'."],
    ),
    "a word for a key that is a number": (
        "trackers:\n  support: {kind: desk, url: https://a, lines: {1: first, two: second}}\n",
        ["2: trackers.support.lines.two: the key must be a whole number, not 'two'."],
    ),
    "an account in no tracker": (
        DESK + "people:\n  anna: {suport: '1'}\n",
        ["4: people.anna.suport: there is no tracker 'suport'. Did you mean 'support'?"],
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_told_with_place_and_remedy(errors: Any, registry: Any, name: str) -> None:
    text, messages = WRONG[name]
    kinds = f"Known are {', '.join(registry.kinds())}."
    plugins = f"Known are {', '.join(registry.names())}."
    assert errors(text) == [
        f"hub.yaml:{message.replace('KINDS', kinds).replace('PLUGINS', plugins)}" for message in messages
    ]


def test_all_mistakes_are_told_at_once(errors: Any) -> None:
    found = errors(
        """
        server: {port: abc, prot: 1}
        server: {}
        trackers:
          support: {kind: desk, url: nowhere, credentials: {access_token: "${TOKEN}"}}
          dev: {kind: bgus, url: https://b}
        links:
          - {tickets: spport, issues: dev, fields: {titel: both}}
        """
    )
    assert [line.split(": ")[1] for line in found] == [
        "server.port",
        "server.prot",
        "server",
        "trackers.support.url",
        "trackers.support.credentials.access_token",
        "trackers.dev.kind",
        "links[0].tickets",
        "links[0].fields.titel",
    ]


def test_a_problem_holds_its_facts(load: Any) -> None:
    with pytest.raises(SettingsError) as caught:
        load("server:\n  port: abc\n")
    problem = caught.value.problems[0]
    assert (problem.file, problem.line, problem.column, problem.where) == ("hub.yaml", 2, 3, "server.port")
    assert (problem.value, problem.what) == ("abc", "this must be a whole number, not 'abc'")


def test_the_same_value_in_two_files_is_told_with_both_places(errors: Any) -> None:
    assert errors(files={"conf/a.yaml": "server:\n  port: 1", "conf/b.yaml": "logs: {}\nserver: {port: 2}"}) == [
        "conf/b.yaml:2: server.port: this is set already at conf/a.yaml:2. Remove one of the two."
    ]


def test_a_broken_file_does_not_hide_mistakes_in_others(errors: Any) -> None:
    files = {"conf/a.yaml": "server:\n  port: abc\nlinks: [{tickets: x, issues: y}]", "conf/b.yaml": "trackers: [\n"}
    assert [line.split(":")[0:2] for line in errors(files=files)] == [["conf/a.yaml", "2"], ["conf/b.yaml", "2"]]


def test_a_missing_file_is_told(tmp_path: Path, registry: Any) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(tmp_path / "none.yaml", registry, env={})
    assert str(caught.value) == f"{tmp_path}/none.yaml: there is no such file or folder. Make one: hub init"


def test_a_folder_without_settings_is_told(tmp_path: Path, registry: Any) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(tmp_path, registry, env={})
    assert str(caught.value) == f"{tmp_path}: there is no *.yaml file in this folder. Make one: hub init"


def test_a_file_in_another_encoding_is_told(tmp_path: Path, registry: Any) -> None:
    (tmp_path / "hub.yaml").write_bytes("server: {}\n# Büro\n".encode("latin-1"))
    with pytest.raises(SettingsError) as caught:
        load_settings(tmp_path / "hub.yaml", registry, env={})
    assert str(caught.value) == f"{tmp_path}/hub.yaml:2: this is not UTF-8 text. Save the file as UTF-8."


def test_a_broken_plugin_is_told_where_its_kind_is_used(tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "acme.py").write_text("x = 1\nimport nowhere_to_be_found\n")
    (tmp_path / "hub.yaml").write_text("plugin_folder: plugins\ntrackers:\n  a: {kind: acme, url: https://a}\n")
    with pytest.raises(SettingsError) as caught:
        load_settings(tmp_path / "hub.yaml", env={})
    file = tmp_path / "plugins" / "acme.py"
    assert str(caught.value) == (
        f"{tmp_path}/hub.yaml:3: trackers.a.kind: the plugin of kind 'acme' is broken: acme ({file}): "
        f"ModuleNotFoundError: No module named 'nowhere_to_be_found' ({file}:2). Mend or remove it."
    )
