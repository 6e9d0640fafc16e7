"""What happened between the recorded exchanges, and which of them are not compared, each for a stated reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.plugins.bugzilla.replay import BASE, Replay, Step, gadgets, params, several

LONG = "ż" * 65_535
MOZILLA = "https://bugzilla.mozilla.org/show_bug.cgi?id=42"
SMALL = "emHFvMOzxYLEhwo="


def _closed_components(replay: Replay) -> None:
    component = replay.site.store.products["Widgets"].component("Backend")
    assert component is not None
    component.is_active = False


def _closed_gadgets(replay: Replay) -> None:
    replay.site.store.products["Gadgets"].is_open = False


def _no_priority_chosen(number: int) -> Step:
    def do(replay: Replay) -> None:
        replay.params(letsubmitterchoosepriority="0")
        replay.new_bug(number, priority="High")

    return do


def _comment_needed(*statuses: str) -> Step:
    def do(replay: Replay) -> None:
        replay.params(commentonchange_resolution="0")
        replay.site.store.comment_needed = set(statuses)

    return do


def _count(kind: str, number: int) -> Step:
    return lambda replay: replay.site.store.count_from(kind, number)


def common(
    private: int, gadget: int, flow: int, talk: int, files: int, times: Sequence[str], began: str, said: int
) -> dict[str, Step]:
    """Both runs, whose bugs had other numbers: `said` is that of the first comment of the bug with files."""
    return {
        "create_description_65535": lambda r: r.new_bug(3, summary="line1\nline2"),
        "create_by_unprivileged": lambda r: _private(r, private),
        "time_ref": gadgets(gadget, *times),
        "upd_assignee": lambda r: r.change(flow, assigned_to="gone@example.test"),
        "upd_reopen_with_resolution": lambda r: r.change(flow, resolution="WONTFIX"),
        "upd_product_back": lambda r: r.change(flow, alias={"set": ["HUB-2"]}),
        "upd_by_hubmin_denied": lambda r: r.change(flow, priority="Highest"),
        "comment_add": lambda r: _talk(r, talk, began),
        "comment_add_private": lambda r: r.pass_by(1),
        "comment_by_dev": lambda r: r.say(talk, LONG),
        "comment_unknown_field": lambda r: r.say(talk, "worked"),
        "comment_duplicate_2": lambda r: r.say(talk, "same text"),
        "see_also_long": lambda r: r.change(talk, see_also={"remove": [MOZILLA]}),
        "at_create": _count("comment", said),
        "put_query_overrides_body": lambda r: r.change(10, whiteboard="writer D"),
        "att_file_name_path": lambda r: r.attach(files, "max.bin", "eHh4" * 341_333 + "eA==", is_private=False),
        "att_unknown_bug": several(
            lambda r: r.attach(files, "n" * 251 + ".txt", SMALL),
            lambda r: r.attach(files, "x.html", "PGI+eDwvYj48YnI+PGhyPiAg", content_type="text/html"),
        ),
        "att_list": lambda r: _by_hubmin(r, files),
        "hide": lambda r: r.say(files, "to be hidden"),
    }  # fmt: skip


def _talk(replay: Replay, number: int, began: str) -> None:
    replay.at(began)
    replay.new_bug(number, description="Opis zażółć", url="https://acme.zendesk.com/agent/tickets/42")
    replay.pass_by(2)


def _private(replay: Replay, number: int) -> None:
    replay.new_bug(number, summary="private description", description="x", comment_is_private=True)


def _by_hubmin(replay: Replay, number: int) -> None:
    body = {"data": SMALL, "file_name": "zażółć gęślą.txt", "summary": "Załącznik ł", "content_type": "text/plain"}
    replay.site.creation.file(replay.user("hubmin"), replay.bug(number), body)


IN_5_2 = {
    **common(
        13, 19, 25, 26, 28, ["21:02:59", "21:03:00", "21:03:01", "21:03:01", "21:03:02", "21:03:02"], "21:03:12", 44
    ),
    "create_full": lambda r: r.new_bug(10),
    "requirelogin_anon": params(requirelogin="1"),
    "shutdown_get": params(requirelogin="0", shutdownhtml="Maintenance"),
    "emailfilter_anon_bug": params(shutdownhtml="", webservice_email_filter="1"),
    "maxresults_nolimit": params(webservice_email_filter="0", max_search_results="5"),
    "defaultlimit3_nolimit": params(max_search_results="10000"),
    "nocriteria_refused": params(search_allow_no_criteria="0"),
    "create_with_default_os": params(search_allow_no_criteria="1", defaultopsys="All", defaultplatform="All"),
    "create_prio_not_allowed_get": _no_priority_chosen(30),
    "features_off_put": params(letsubmitterchoosepriority="1", defaultopsys="", defaultplatform=""),
    "noinsider_comment_private": params(insidergroup=""),
    "comment_required_resolution_ok": params(insidergroup="insiders", commentonchange_resolution="1"),
    "workflow_comment_required": _comment_needed("RESOLVED"),
    "open_blockers": several(_comment_needed(), params(noresolveonopenblockers="1")),
    "move_product_ok": params(noresolveonopenblockers="0"),
    "component_disable": _closed_components,
    "create_closed_product": _closed_gadgets,
    "drift_page2": several(lambda r: r.pass_by(2), lambda r: r.change(20, whiteboard="touched")),
}
IN_WARSAW = {
    "tz_time": several(lambda r: r.zone("Europe/Warsaw"), lambda r: r.at("20:59:22")),
    "tz_comment": lambda r: r.at("20:59:24"),
}
WITH_ALIASES = {
    "same_second_put2": several(lambda r: r.new_bug(29), lambda r: r.change(29, whiteboard="one")),
}
WITH_TAGS = {
    "put_url_id_not_in_ids": lambda r: r.new_bug(2),
    "att_lct_after": lambda r: r.attach(1, "y.txt", SMALL),
    "cc_lct_after": lambda r: r.change(1, cc={"add": ["dev@example.test"]}),
}
IN_5_3 = {
    **common(
        11, 17, 23, 24, 25, ["21:19:39", "21:19:39", "21:19:40", "21:19:40", "21:19:41", "21:19:42"], "21:19:51", 43
    ),
    "create_full": lambda r: r.new_bug(8),
    "comment_via_put": _count("comment", 42),
    "utf8_escaped_body_get": lambda r: r.new_bug(27, **{**BASE, "summary": "zażółć 😀"}),
}

SCENES: Mapping[str, tuple[str, str, str, Mapping[str, Step]]] = {
    "5.2": ("5.2", "version", "drift_page2", IN_5_2),
    "5.2 in Warsaw": ("5.2", "tz_time", "tz_get2", IN_WARSAW),
    "5.2 with aliases": ("5.2", "alias_create_by_unprivileged", "cc_only_history", WITH_ALIASES),
    "5.2 with tags": ("5.2", "tag_lct_create", "dep_lct_other_after", WITH_TAGS),
    "5.3": ("5.3", "version", "utf8_escaped_body_get", IN_5_3),
}
"""An installation each: its flavour, the first and the last exchange, and what happened between them."""
FILES = {"5.2": "bugzilla.jsonl", "5.3": "bugzilla-5.3.3.jsonl"}

LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    "the hub does not use the resource, which answers 501 in the sandbox": (
        "last_audit_time", "login_bad", "logout", "auth_token_after_logout", "auth_login_password_params", "lockout_4",
        "lockout_5", "lockout_11", "last_visit_get", "group_list", "group_list_admin", "user_create_admin",
        "user_create_dup", "user_create_bad_email", "component_create_admin", "component_disable", "flag_type_get",
        "timezone", "tz_timezone", "comment_tags_search", "comment_render",
        *(f"jsonrpc11_{n}" for n in ("version", "bug_get", "bug_search", "unknown_bug", "permissive", "bad_key",
                                     "unknown_method", "user_get")),
        *(f"jsonrpc_{n}" for n in ("bug_get", "bug_search", "bug_search_many_ids", "unknown_bug", "bad_key",
                                   "unknown_method", "comments", "history", "user_get_self", "add_comment",
                                   "user_valid_login")),
        "jsonrpc20_bug_get",
    ),
    "the hub does not use what it is about: pages for people, JSONP, entity tags, passwords, tokens":
        ("create_accept_html", "jsonp", "etag_first", "etag_if_none_match", "att_cgi_download", "midair_stale_token",
         "auth_basic_ignored", "options_bug", "double_slash"),
    "the answer shows what the sandbox has only the part of that the hub uses: all parameters, all fields": (
        "parameters_auth", "parameters_admin", "field_bug_all",
    ),
    "the order or the merging of values changed within one second differs between calls of the real one too": (
        "history_full", "history_anon", "history_many", "same_second_history", "cc_only_history",
        "emailfilter_anon_history",
    ),
    "the answer shows time that was booked, which the sandbox knows nothing of": ("history_after_privatise",),
    "Apache's limit of an address, not Bugzilla's": ("search_long_url",),
    "another machine's state: a database that is stopped, Bugzilla as plain CGI": (
        "db_down_get", "db_down_put", "db_down_version", "db_up_again", "cgi_version", "cgi_get_bug", "cgi_json_array",
        "cgi_keywords_plain_list", "cgi_header_key", "cgi_put", "cgi_db_down", "cgi_db_up",
    ),
}  # fmt: skip
