"""Laws of the texts that are written to GitLab: foretold exactly, and harmless whatever is in them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.text import canonical
from plugins.gitlab import text
from plugins.gitlab.sandbox import commands

BITS = (
    "/close", "/LABEL ~x", "@all", ".@all", "é@all", "@@all", "<@all>", "](@all)",
    "#1", "!3", "`", "```", "````", "~~~", "\n", "\n\n", " ", "    ", "> ", ">>>", "- ",
    "1. ", "\\", "|", "*", "<p>", "x", "<!-- ticket-hub m -->", "![a](attachment:a.png)",
    f"[f.txt](/uploads/{'a' * 32}/f.txt)", f"![b](/uploads/{'b' * 32}/b.png)",
)  # fmt: skip
markup = st.lists(st.sampled_from(BITS), max_size=14).map("".join)


@given(markup)
@settings(max_examples=400, deadline=None)
def test_nothing_that_is_written_runs_or_names_anything(raw: str) -> None:
    written = text.stamped(text.written(canonical(raw)), "m")
    assert commands.extract(written)[1] == []
    assert commands.mentions(written) == []
    assert commands.references(written) == []


@given(markup)
@settings(max_examples=400, deadline=None)
def test_what_is_read_back_is_the_same_with_and_without_the_mark_and_stays_so(raw: str) -> None:
    written = text.written(canonical(raw))
    held = text.shown(written)
    marked = text.with_files(written, [("c d.txt", f"/uploads/{'c' * 32}/c_d.txt")])
    assert text.shown(text.stamped(written, "m")) == held
    assert text.shown(text.stamped(marked, "m")) == held
    assert text.shown(text.written(held)) == held
    assert text.stamp_of(written) is None
    assert text.stamp_of(text.stamped(written, "hub:a:b c:ą")) == "hub:a:b c:ą"


def test_a_picture_at_the_end_is_part_of_the_text_and_a_list_of_files_is_not() -> None:
    picture, file = f"/uploads/{'a' * 32}/a.png", f"/uploads/{'b' * 32}/b.txt"
    neutral = canonical("see\n\n![a.png](attachment:a.png)")
    written = text.with_files(text.written(neutral), [("a.png", picture), ("b.txt", file)])
    assert written == f"see\n\n![a.png]({picture})\n\n[b.txt]({file})"
    assert text.shown(text.stamped(written, "m")) == neutral


@given(markup)
@settings(max_examples=200, deadline=None)
def test_a_title_names_nobody_and_no_other_issue(raw: str) -> None:
    title = text.safe_title(raw)
    assert commands.mentions(title) == []
    assert commands.references(title) == []
    assert text.safe_title(title) == title
