"""The counterpart's address in a bug: See Also where that takes it, a field of one address else, a comment at last.

Mozilla's See Also takes every address, upstream's only those of trackers that it knows (recorded: see_also_*). Which
address belongs to which counterpart is kept in tags of the description, which move no time and send no mail; tags have
at most 24 characters of a few sorts, so they hold digests (recorded: comment_tags_add, tag_try_*).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from hub.connector import RemoteLink
from plugins.bugzilla.client import BugzillaClient, LinkRefusedError, NotGrantedError
from plugins.bugzilla.settings import BugzillaSettings

PREFIX = "hub."


class Links:
    """The links of one installation's bugs."""

    def __init__(self, client: BugzillaClient, settings: BugzillaSettings) -> None:
        self._client, self._settings = client, settings

    def show(self, bug_id: str, link: RemoteLink) -> bool:
        """Shows a link; False where no field takes it. Doing it again changes nothing."""
        place = self._settings.link_field
        raw = self._read(bug_id)
        if link.url in shown_addresses(raw, place):
            return True
        shown = link.url
        try:
            answer = self._client.send("PUT", f"/bug/{bug_id}", {"see_also": {"add": [link.url]}})
        except LinkRefusedError:
            if not place or raw.get(place):
                return False
            self._client.send("PUT", f"/bug/{bug_id}", {place: link.url})
        else:
            # Some addresses are spelt anew; Mozilla makes every one https.
            shown = str(answer["bugs"][0]["changes"].get("see_also", {}).get("added") or link.url)
        self._tag(bug_id, link.global_id, shown)
        return True

    def take_back(self, bug_id: str, global_id: str) -> None:
        """Takes back what was shown for this counterpart, and nothing that people put there."""
        place = self._settings.link_field
        raw, own = self._read(bug_id), _digest(global_id)
        comment_id, tags = self._description(bug_id)
        for tag in tags:
            if not tag.startswith(f"{PREFIX}{own}."):
                continue
            gone = [url for url in raw.get("see_also") or () if tag.endswith(f".{_digest(url)}")]
            body: dict[str, Any] = {"see_also": {"remove": gone}} if gone else {}
            if place and raw.get(place) and tag.endswith(f".{_digest(str(raw[place]))}"):
                body[place] = ""
            if body:
                self._client.send("PUT", f"/bug/{bug_id}", body)
            self._change_tags(comment_id, {"remove": [tag]})

    def _read(self, bug_id: str) -> Mapping[str, Any]:
        wanted = ",".join(filter(None, ("id", "see_also", self._settings.link_field)))
        return dict(self._client.get(f"/bug/{bug_id}", include_fields=wanted)["bugs"][0])

    def _tag(self, bug_id: str, global_id: str, url: str) -> None:
        comment_id, tags = self._description(bug_id)
        tag = f"{PREFIX}{_digest(global_id)}.{_digest(url)}"
        if comment_id and tag not in tags:
            self._change_tags(comment_id, {"add": [tag]})

    def _description(self, bug_id: str) -> tuple[str, list[str]]:
        """The number of the comment that is the description, and its tags; nothing where it is private to others."""
        answer = self._client.get(f"/bug/{bug_id}/comment", include_fields="id,count,tags")
        for comments in answer["bugs"].values():
            for one in comments["comments"]:
                if one["count"] == 0:
                    return str(one["id"]), [str(tag) for tag in one.get("tags") or ()]
        return "", []

    def _change_tags(self, comment_id: str, body: Mapping[str, Any]) -> None:
        """An installation may not let the account tag: then a link stays when its tickets are parted."""
        with suppress(NotGrantedError):
            self._client.send("PUT", f"/bug/comment/{comment_id}/tags", {"comment_id": int(comment_id), **body})


def shown_addresses(raw: Mapping[str, Any], place: str) -> set[str]:
    """The addresses that a bug shows, in both schemes: Mozilla makes every one https."""
    found = {str(url) for url in [*(raw.get("see_also") or ()), raw.get(place) or ""] if url}
    return {urlsplit(url)._replace(scheme=scheme).geturl() for url in found for scheme in ("http", "https")}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
