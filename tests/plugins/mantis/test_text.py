"""Laws of the texts that are written to MantisBT: foretold exactly, and harmless whatever is in them."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hub.text import canonical
from hub.ticket import Markdown
from plugins.mantis import texts
from plugins.mantis.sandbox import mentions
from plugins.mantis.sandbox.checks import FOUR_BYTES
from plugins.mantis.settings import MantisSettings

PLAIN = MantisSettings.model_validate(
    {"kind": "mantis", "url": "https://bugs.example", "credentials": {"api_token": "x"}, "project": "1"}
)
MARKDOWN = PLAIN.model_copy(update={"markdown": True})
RICH = PLAIN.model_copy(update={"keeps_emoji": True})
SITES = [pytest.param(PLAIN, id="plain"), pytest.param(MARKDOWN, id="markdown"), pytest.param(RICH, id="emoji")]
BITS = (
    "@dev", "@dev.x", "@-dev", "ą@dev", "a@dev", ".@dev", "@@dev", "`@dev`", "#1", "~2", "a#1", "&#1", "#1#2", "~~5~~",
    "`#1`", "```", "\n", "\n\n", "\r\n", " ", "    ", "> ", "- ", "1. ", "\\", "|", "*", "_", "<p>", "&amp;", "x", "-",
    "[ref: a]", "🙂", "\ufffd", "https://x.example/@dev#1", "<https://x.example/~2>", "[#1](https://x.example/1)",
    "![a](attachment:a.png)", "mail@dev.example",
)  # fmt: skip
markup = st.lists(st.sampled_from(BITS), max_size=14).map("".join)


def stored(site: MantisSettings, text: str) -> str:
    """A note's text after MantisBT kept it: trimmed, and four-byte characters lost where the database loses them."""
    return (text if site.keeps_emoji else FOUR_BYTES.sub("\ufffd", text)).rstrip()


@pytest.mark.parametrize("site", SITES)
@given(raw=markup)
@settings(max_examples=300, deadline=None)
def test_nothing_that_is_written_calls_anybody_or_names_an_issue_or_a_note(site: MantisSettings, raw: str) -> None:
    for written in (
        texts.native_text(site, canonical(raw)),
        texts.native_description(site, canonical(raw)),
        texts.native_title(site, raw),
    ):
        assert mentions.names(written) == []
        # In an address the number is part of it.
        assert mentions.numbers(without_addresses(written)) == []


def without_addresses(text: str) -> str:
    return " ".join(word for word in text.split() if "https://" not in word)


@pytest.mark.parametrize("site", SITES)
@given(raw=markup)
@settings(max_examples=300, deadline=None)
@example(raw="- a\n- b\n\n`@dev`")
def test_what_is_read_back_is_what_was_foretold_with_and_without_the_mark_and_stays_so(
    site: MantisSettings, raw: str
) -> None:
    written = texts.native_text(site, canonical(raw))
    held = texts.neutral_text(site, written)
    words, mark = texts.unmarked(stored(site, texts.marked(written, "hub:a:b c:ą")))
    assert (texts.neutral_text(site, words), mark) == (held, "hub:a:b c:ą")
    assert texts.neutral_text(site, stored(site, written)) == held
    assert texts.neutral_text(site, texts.native_text(site, held)) == held


@pytest.mark.parametrize("site", SITES)
@given(raw=st.text(max_size=300) | st.lists(st.sampled_from(BITS), max_size=60).map("".join))
@settings(max_examples=300, deadline=None)
def test_a_title_is_one_line_that_mantis_keeps_as_it_is(site: MantisSettings, raw: str) -> None:
    written = texts.native_title(site, raw)
    assert len(written) <= 128
    assert written.split("\n") == [written.strip()]
    held = texts.held_title(site, raw)
    assert texts.neutral_title(stored(site, written)) == held == texts.held_title(site, held)


@pytest.mark.parametrize("site", SITES[:2])
@pytest.mark.parametrize("raw", ["word " * 50_000, "x" * 200_000, "@a " * 40_000, f"- {'`#1` ~2 _x_ ' * 75}\n" * 100])
def test_a_text_that_is_too_long_is_cut_with_a_word_about_it_and_stays_so(site: MantisSettings, raw: str) -> None:
    written = texts.native_text(site, canonical(raw))
    assert "(shortened)" in written[-40:]
    assert len(texts.marked(written, "hub:mark:" + "x" * 100)) <= 65_535
    assert mentions.names(written) == []
    held = texts.neutral_text(site, written)
    assert texts.neutral_text(site, texts.native_text(site, held)) == held


@given(raw=st.text(max_size=150))
@settings(max_examples=200, deadline=None)
def test_a_label_is_one_that_mantis_takes_and_stays_so(raw: str) -> None:
    held = texts.held_label(PLAIN, raw)
    assert held
    assert "," not in held
    assert held[0] not in "+-"
    assert len(held) <= 100
    assert texts.held_label(PLAIN, held) == held


@pytest.mark.parametrize("text", ["ask @dev", "as in #12 and ~34", "`@dev #1`, and (@dev)"])
def test_what_makes_a_text_harmless_here_does_not_travel_on(text: str) -> None:
    assert texts.held_title(PLAIN, text) == text
    assert texts.native_title(PLAIN, text) != text
    assert texts.neutral_text(MARKDOWN, texts.native_text(MARKDOWN, canonical(text))) == canonical(text)


def test_an_empty_description_is_written_as_something_and_read_back_as_nothing() -> None:
    written = texts.native_description(PLAIN, Markdown(""))
    assert written.strip()
    assert texts.neutral_description(PLAIN, written) == ""


def test_a_link_shows_its_address_and_names_no_issue_of_the_same_number() -> None:
    for site in (PLAIN, MARKDOWN):
        written = texts.native_text(site, Markdown("See [#7](https://support.example/tickets/7)."))
        # MantisBT would take the end of <…> into the link that it makes.
        assert "(https://support.example/tickets/7)" in written
        assert mentions.numbers(written) == []


def test_the_sandbox_finds_who_is_called_as_mantis_does() -> None:
    called = "@dev, (@dev.x) see @a-b. ą@ascii /@path"
    assert mentions.names(called) == ["dev", "dev.x", "a-b", "ascii", "path"]
    assert mentions.names("mail@dev @@dev a_@dev @") == []
    assert mentions.numbers("#1 (~2) x#3 &#4; #5a") == ["1", "2"]
