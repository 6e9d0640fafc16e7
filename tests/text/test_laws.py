"""The laws of the text layer: what has gone through a format once does not change again, and nothing raises."""

from __future__ import annotations

import json
from collections.abc import Callable

import nh3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.text import (
    canonical,
    defuse,
    fingerprint,
    from_html,
    from_plain,
    from_wiki,
    to_html,
    to_plain,
    to_wiki,
    truncate,
)
from hub.text.canonical import LONGEST
from hub.ticket import Markdown
from tests.shared import payload_files

FORMATS: dict[str, tuple[Callable[[str], Markdown], Callable[[Markdown], str]]] = {
    "html": (from_html, to_html),
    "wiki": (from_wiki, to_wiki),
    "plain": (from_plain, to_plain),
}
markup = st.text(alphabet=st.sampled_from("ab *_-`[]()!#>|\\\n{}~+&;<1.:@é h/")) | st.text()
word = st.text(alphabet="abcżółw 0*_{[|!\\-", min_size=1, max_size=12).filter(lambda t: t.strip())


@st.composite
def documents(draw: st.DrawFn) -> Markdown:
    """Documents of the constructs that every format has."""
    parts = []
    for _ in range(draw(st.integers(1, 4))):
        text = from_plain(draw(word))
        kind = draw(st.sampled_from(["text", "strong", "list", "heading", "code", "link", "quote"]))
        parts.append(
            {
                "text": text,
                "strong": f"**{text}**",
                "list": f"- {text}\n- {text}",
                "heading": f"## {text}",
                "code": "```\nx = {1}\n```",
                "link": f"[{text}](https://example.com/a?b=1)",
                "quote": f"> {text}",
            }[kind]
        )
    return canonical("\n\n".join(parts))


@given(markup)
@settings(max_examples=400, deadline=None)
def test_the_canonical_form_of_a_canonical_form_is_itself(text: str) -> None:
    once = canonical(text)
    assert canonical(once) == once


@pytest.mark.parametrize("name", FORMATS)
@given(text=markup | documents())
@settings(max_examples=300, deadline=None)
def test_a_text_that_went_through_a_format_once_does_not_change_again(name: str, text: str) -> None:
    parse, render = FORMATS[name]
    once = parse(render(canonical(text)))
    assert canonical(once) == once
    assert parse(render(once)) == once


@given(documents())
@settings(max_examples=200, deadline=None)
def test_a_text_may_go_from_html_to_wiki_and_back_for_ever(text: Markdown) -> None:
    def round_trip(one: Markdown) -> Markdown:
        return from_html(to_html(from_wiki(to_wiki(one))))

    once = round_trip(text)
    assert round_trip(once) == once


@given(st.text())
@settings(max_examples=300, deadline=None)
def test_plain_text_says_the_same_after_any_format(text: str) -> None:
    plain = from_plain(text)
    said = to_plain(plain)
    assert to_plain(from_html(to_html(plain))) == said
    assert to_plain(from_wiki(to_wiki(plain))) == said


@given(st.text())
@settings(max_examples=300, deadline=None)
def test_no_text_whatever_raises(text: str) -> None:
    for parse, render in FORMATS.values():
        render(parse(text))
    fingerprint(text)
    defuse(canonical(text), quick_actions=True)


@given(markup)
@settings(max_examples=300, deadline=None)
def test_html_is_safe_whatever_was_written(text: str) -> None:
    made = to_html(canonical(text + "<script>alert(1)</script>[x](javascript:alert(1))<img src=x onerror=y>"))
    assert "<script" not in made
    assert 'href="javascript' not in made
    # What a sanitizer would take away is not there in the first place.
    assert from_html(nh3.clean(made)) == from_html(made)
    assert "<img" not in made


def test_form_alone_makes_no_difference() -> None:
    one = "Some *words*\r\n\r\n* a\r\n* b"
    other = "Some _words_   \n\n\n- a\n- b\n"
    assert fingerprint(one) == fingerprint(other)
    assert fingerprint(one) != fingerprint("Some words\n\n- a\n- b")


@pytest.mark.parametrize(
    ("wiki", "markdown"),
    [
        ("h2. Title", "## Title"),
        ("*bold* _em_ -gone- {{code}}", "**bold** *em* ~~gone~~ `code`"),
        ("* a\n** b\n* c", "- a\n  - b\n- c"),
        ("# one\n# two", "1. one\n2. two"),
        ("{code:java}\nint x = 1;\n{code}", "```java\nint x = 1;\n```"),
        ("{quote}\nsaid\n{quote}", "> said"),
        ("||A||B||\n|1|2|", "| A | B |\n| --- | --- |\n| 1 | 2 |"),
        ("[text|https://example.com]", "[text](https://example.com)"),
        ("!shot.png|thumbnail!", "![shot.png](attachment:shot.png)"),
        ("{color:red}warm{color}", "warm"),
        ("[~jdoe] look", "@jdoe look"),
        ("a\nb", "a\\\nb"),
        ("2*3*4 and snake_case_name", "2\\*3\\*4 and snake\\_case\\_name"),
        ("\\*not bold\\*", "\\*not bold\\*"),
    ],
)
def test_wiki_markup_means_what_jira_says(wiki: str, markdown: str) -> None:
    assert from_wiki(wiki) == markdown


@pytest.mark.parametrize(
    ("html", "markdown"),
    [
        ("<p>a</p><p>b</p>", "a\n\nb"),
        ("a<br>b", "a\\\nb"),
        ("<ul><li>x<ul><li>y</li></ul></li></ul>", "- x\n  - y"),
        ("<div dir='auto'><b>B</b> &amp; <i>I</i></div>", "**B** \\& *I*"),
        ("<pre><code>a &lt; b</code></pre>", "```\na < b\n```"),
        ('<a href="https://x.example/?a=1&amp;b=2">t</a>', "[t](https://x.example/?a=1&b=2)"),
        ('<a href="javascript:alert(1)">t</a>', "t"),
        ("<style>p{}</style><script>x()</script>text", "text"),
        ('<span style="color:red">warm</span>', "warm"),
        ("<table><tr><th>A</th></tr><tr><td>1</td></tr></table>", "| A |\n| --- |\n| 1 |"),
        ("<ul><li>never<li>closed", "- never\n- closed"),
    ],
)
def test_html_means_what_it_says(html: str, markdown: str) -> None:
    assert from_html(html) == markdown


@pytest.mark.parametrize(
    ("markdown", "plain"),
    [
        ("See [the manual](https://x.example/a?b=1&c=2).", "See the manual <https://x.example/a?b=1&c=2>."),
        ("[https://x.example/a](https://x.example/a)", "https://x.example/a"),
        ("[https://x.example](https://x.example/)", "https://x.example"),
        ("[x.example/a](https://x.example/a)", "https://x.example/a"),
        ("[https://x.example/ż](https://x.example/%C5%BC)", "https://x.example/ż"),
        ("[https://x.example](https://other.example)", "https://x.example <https://other.example>"),
        ("[Anna](mailto:anna@x.example)", "Anna <anna@x.example>"),
        ("[anna@x.example](mailto:anna@x.example)", "anna@x.example"),
        ("- **[a](https://x.example)**", "- a <https://x.example>"),
        ("| [a](https://x.example) |\n| --- |\n| b |", "a <https://x.example>\nb"),
        ("## [a](https://x.example)", "a <https://x.example>"),
    ],
)
def test_plain_text_keeps_the_addresses_of_links(markdown: str, plain: str) -> None:
    assert to_plain(canonical(markdown)) == plain
    assert to_plain(from_plain(plain)) == plain


def test_a_picture_refers_to_the_file_that_it_is_and_is_a_picture_again_where_the_file_is() -> None:
    text = from_html('<img src="https://x.example/1" alt="">', images={"https://x.example/1": "mój plik.png"})
    assert to_wiki(text) == "!mój plik.png!"
    assert to_html(text, image_url=lambda name: f"https://y.example/{len(name)}") == (
        '<p><img src="https://y.example/12" alt="mój plik.png"></p>'
    )
    assert "[mój plik.png]" in to_html(text)


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("@all look", "@\u2060all look"),
        ("mail anna@example.com", "mail anna@example.com"),
        ("`@all` stays", "`@all` stays"),
        ("/close", "\u2060/close"),
        ("/CLOSE", "\u2060/CLOSE"),
        ("\\`@all\\`", "\\`@\u2060all\\`"),
        ("\\`\\`x\\` @all `@code`", "\\`\\`x\\` @\u2060all `@code`"),
        ("see https://x.example/@me", "see https://x.example/@me"),
        ("see [me](https://x.example/@me)", "see [me](https://x.example/@me)"),
        ("done.@all -@all +@all @@all é@all", "done.@\u2060all -@\u2060all +@\u2060all @@\u2060all é@\u2060all"),
        ("@.hidden", "@\u2060.hidden"),
        ("snake\\_@all", "snake\\_@all"),
        ("\\<@all\\>", "\\<@\u2060all\\>"),
        ("\\](@all)", "\\](@\u2060all)"),
        ("https://x.example/\\<@all", "https://x.example/\\<@\u2060all"),
    ],
)
def test_mentions_and_commands_are_made_harmless(text: str, harmless: str) -> None:
    once = defuse(canonical(text), quick_actions=True)
    assert once == harmless
    assert defuse(once, quick_actions=True) == once


def test_a_number_that_would_name_another_ticket_is_broken_up_where_the_tracker_asks_for_it() -> None:
    text = canonical("Like #7 and [#8](https://x.example/#9), `#10`, https://x.example/#11, # 12")
    once = defuse(text, references="#")
    assert once == text.replace("#7", "#\u20607").replace("[#8", "[#\u20608")
    assert defuse(once, references="#") == once
    assert defuse(text) == text


def test_a_text_that_is_too_long_is_cut_between_blocks_and_says_so() -> None:
    text = canonical("\n\n".join(f"paragraph number {n}" for n in range(100)) + "\n\n```\nlong\n```")
    cut = truncate(text, 200, "*(shortened)*")
    assert len(cut) <= 200
    assert cut.endswith("*(shortened)*")
    assert truncate(text, 100_000, "*(shortened)*") == text


def test_two_megabytes_of_polish_html_are_read_as_far_as_anybody_would_show_them() -> None:
    line = "<p>Zażółć gęślą jaźń <b>bardzo</b> ważne &amp; pilne</p>\n"
    text = from_html(line * 35_000)
    assert text.count("**bardzo**") == pytest.approx(LONGEST / len(line), abs=1)


def test_deep_nesting_is_flattened_and_not_refused() -> None:
    assert "x" in from_html("<div><ul><li><blockquote>" * 500 + "x")


def test_public_bodies_of_jira_are_stable() -> None:
    files = payload_files("jira/webhooks")
    if not files:
        pytest.skip("the public payloads are not beside the repository")
    for file in files:
        data = json.loads(file.read_text())
        for body in (
            (data.get("comment") or {}).get("body"),
            ((data.get("issue") or {}).get("fields") or {}).get("description"),
        ):
            if isinstance(body, str):
                once = from_wiki(to_wiki(from_wiki(body)))
                assert from_wiki(to_wiki(once)) == once
