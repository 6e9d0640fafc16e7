"""Tickets, articles and files as the Generic Interface shows them.

Source: recorded `get.*`, `hub.read`: ids are numbers here, texts there; what is not set is an empty text or null.
"""

from __future__ import annotations

import base64
from typing import Any

from plugins.otrs.sandbox.state import PRIORITIES, SENDER_TYPES, Agent, Article, Customer, Store, Ticket

Json = dict[str, Any]


def is_on(value: object) -> bool:
    """Perl's idea of truth, for switches such as AllArticles."""
    return value not in (None, "", "0", 0, False)


def ticket(store: Store, one: Ticket, *, is_extended: bool = False) -> Json:
    """A ticket's own fields. The escalation clocks stand still: no queue here has any."""
    now, pending = store.now(), one.pending_until
    shown: Json = {
        "Age": int((now - one.created).total_seconds()),
        "ArchiveFlag": "n",
        "ChangeBy": one.change_by,
        "Changed": store.shown(one.changed),
        "CreateBy": one.create_by,
        "Created": store.shown(one.created),
        "CustomerID": one.customer_id,
        "CustomerUserID": one.customer_user,
        "EscalationResponseTime": 0,
        "EscalationSolutionTime": 0,
        "EscalationTime": 0,
        "EscalationUpdateTime": 0,
        "GroupID": one.queue.group_id,
        "Lock": "lock" if one.is_locked else "unlock",
        "LockID": 2 if one.is_locked else 1,
        "Owner": store.login_of(one.owner),
        "OwnerID": one.owner,
        "Priority": PRIORITIES[one.priority],
        "PriorityID": one.priority,
        "Queue": one.queue.name,
        "QueueID": one.queue.id,
        "RealTillTimeNotUsed": int(pending.timestamp()) if pending else 0,
        "Responsible": store.login_of(one.responsible),
        "ResponsibleID": one.responsible,
        "SLAID": store.slas.get(one.sla, ""),
        "ServiceID": store.services.get(one.service, ""),
        "State": one.state.name,
        "StateID": one.state.id,
        "StateType": one.state.type,
        "TicketID": one.id,
        "TicketNumber": one.number,
        "TimeUnit": sum(a.time_unit for a in one.articles),
        "Title": one.title,
        "Type": store.types[one.type],
        "TypeID": one.type,
        "UnlockTimeout": int(one.unlocked.timestamp()) if one.unlocked else 0,
        "UntilTime": int((pending - now).total_seconds()) if pending and "pending" in one.state.type else 0,
    }
    if one.service:
        shown["Service"] = one.service
    if one.sla:
        shown["SLA"] = one.sla
    if is_extended and one.first_response:
        shown["FirstResponse"] = store.shown(one.first_response)
    if is_extended and one.closed:
        shown["Closed"] = store.shown(one.closed)
    return shown


def with_more(store: Store, one: Ticket, wanted: Json, by: Agent | Customer) -> Json:
    """A ticket with what `TicketGet` was asked to add."""
    shown = ticket(store, one, is_extended=is_on(wanted.get("Extended")))
    if is_on(wanted.get("DynamicFields")):
        shown["DynamicField"] = dynamic_fields(store, "ticket", one.values)
    if not is_on(wanted.get("AllArticles")):
        return shown
    articles = [a for a in one.articles if isinstance(by, Agent) or a.is_visible]
    senders = wanted.get("ArticleSenderType")
    if senders:
        articles = [a for a in articles if a.sender_type in (senders if isinstance(senders, list) else [senders])]
    if wanted.get("ArticleOrder") == "DESC" and is_on(wanted.get("ArticleLimit")):
        # Without a limit the order is not looked at. Source: recorded get.article_desc_without_limit.
        articles = articles[::-1]
    if is_on(wanted.get("ArticleLimit")):
        articles = articles[: int(wanted["ArticleLimit"])]
    if articles:
        shown["Article"] = [_article_with_more(store, a, wanted) for a in articles]
    return shown


def article(store: Store, one: Article) -> Json:
    """An article's own fields. An HTML body comes as the text that was made of it."""
    mime, _, charset = one.content_type.partition(";")
    charset = charset.partition("=")[2].strip().strip('"')
    created = store.shown(one.created)
    is_html = bool(one.html)
    return {
        "ArticleID": one.id,
        "ArticleNumber": one.number,
        "Bcc": "",
        "Body": one.body,
        "Cc": one.cc,
        "ChangeBy": one.create_by,
        "ChangeTime": created,
        "Charset": "utf-8" if is_html else charset,
        "CommunicationChannelID": one.channel,
        "ContentCharset": "utf-8" if is_html else charset,
        "ContentType": "text/plain; charset=utf-8" if is_html else one.content_type,
        "CreateBy": one.create_by,
        "CreateTime": created,
        "From": one.sender,
        "InReplyTo": "",
        "IncomingTime": int(one.created.timestamp()),
        "IsDeleted": int(one.is_deleted),
        "IsEdited": 0,
        "IsVisibleForCustomer": int(one.is_visible),
        "MessageID": "",
        "MimeType": "text/plain" if is_html else mime.strip(),
        "References": "",
        "ReplyTo": "",
        "SenderType": one.sender_type,
        "SenderTypeID": SENDER_TYPES[one.sender_type],
        "Subject": one.subject,
        "TicketID": one.ticket_id,
        "TimeUnit": one.time_unit,
        "To": one.to,
    }


def dynamic_fields(store: Store, of: str, values: Json) -> list[Json]:
    """All fields of this sort, by name, with null for the empty ones."""
    return [{"Name": f.name, "Value": values.get(f.name)} for f in sorted(_fields(store, of), key=lambda f: f.name)]


def old_data(store: Store, one: Ticket, *, has_values: bool = False) -> Json:
    """The ticket as it was, as events carry it; with dynamic fields among the others for a new article's."""
    shown = ticket(store, one)
    del shown["TimeUnit"]
    if has_values:
        shown |= {f"DynamicField_{f.name}": one.values.get(f.name) for f in _fields(store, "ticket")}
    return shown


def _fields(store: Store, of: str) -> list[Any]:
    return [f for f in store.fields.values() if f.of == of]


def _article_with_more(store: Store, one: Article, wanted: Json) -> Json:
    shown = article(store, one)
    if is_on(wanted.get("DynamicFields")):
        shown["DynamicField"] = dynamic_fields(store, "article", one.values)
    if is_on(wanted.get("Attachments")):
        has_contents = is_on(wanted.get("GetAttachmentContents", 1))
        files = [
            (f.name, f.content_type, "attachment", f.content) for f in sorted(one.files, key=lambda file: file.name)
        ]
        if one.html and is_on(wanted.get("HTMLBodyAsAttachment")):
            files.append(("file-2", 'text/html; charset="utf-8"', "inline", one.html.encode()))
        made = [
            {
                "Content": base64.b64encode(content).decode() if has_contents else "",
                "ContentAlternative": "",
                "ContentID": "",
                "ContentType": content_type,
                "Disposition": disposition,
                "FileID": str(number),
                "Filename": name,
                "FilesizeRaw": str(len(content)),
            }
            for number, (name, content_type, disposition, content) in enumerate(files, 1)
        ]
        if made:
            shown["Attachment"] = made
    return shown
