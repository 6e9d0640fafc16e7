"""Rich text: one neutral form, canonical Markdown, between everything that trackers write.

`from_*` parses a tracker's text into it, `to_*` renders it. A text that has gone through a format once does not change
when it goes through again; that is what keeps two trackers from correcting each other for ever.
"""

from hub.text.canonical import canonical, fingerprint
from hub.text.defuse import defuse
from hub.text.html import from_html, to_html
from hub.text.plain import from_plain, to_plain
from hub.text.truncate import truncate
from hub.text.wiki import from_wiki, to_wiki

__all__ = [
    "canonical",
    "defuse",
    "fingerprint",
    "from_html",
    "from_plain",
    "from_wiki",
    "to_html",
    "to_plain",
    "to_wiki",
    "truncate",
]
