"""Web API methods about people, conversations, files and the app itself."""

import json
import secrets

from sandbox.slack.calls import Arguments
from sandbox.slack.people import (
    APP_ID,
    BOT_ID,
    BOT_NAME,
    BOT_USER,
    TEAM_DOMAIN,
    TEAM_ID,
    TEAM_NAME,
)
from sandbox.slack.workspace import Json, Workspace
from sandbox.slack.world import Message, SlackError

PAGE = 100


def auth_test(workspace: Workspace, _: Arguments) -> Json:
    return {
        "url": f"{workspace.settings.public_url}/",
        "team": TEAM_NAME,
        "user": BOT_NAME,
        "team_id": TEAM_ID,
        "user_id": BOT_USER,
        "bot_id": BOT_ID,
        "is_enterprise_install": False,
    }


def api_test(_: Workspace, args: Arguments) -> Json:
    return {"args": {key: value for key, value in args.values.items() if key != "token"}}


def auth_revoke(workspace: Workspace, _: Arguments) -> Json:
    workspace.world.installed = False
    workspace.announce({"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [BOT_USER]}}, BOT_USER)
    return {"revoked": True}


def apps_uninstall(workspace: Workspace, args: Arguments) -> Json:
    settings = workspace.settings
    if args.text("client_id") != settings.client_id:
        raise SlackError("invalid_client_id")
    if args.text("client_secret") != settings.client_secret:
        raise SlackError("bad_client_secret")
    workspace.world.installed = False
    workspace.announce({"type": "app_uninstalled"}, BOT_USER)
    return {}


def users_info(workspace: Workspace, args: Arguments) -> Json:
    person = workspace.world.person(args.need("user", "user_not_found"))
    now = workspace.world.now()
    return {"user": person.as_user(now, with_locale=args.flag("include_locale"))}


def users_list(workspace: Workspace, args: Arguments) -> Json:
    now, with_locale = workspace.world.now(), args.flag("include_locale")
    people = workspace.world.people.values()
    return {
        "members": [person.as_user(now, with_locale=with_locale) for person in people],
        "response_metadata": {"next_cursor": ""},
    }


def team_info(workspace: Workspace, _: Arguments) -> Json:
    return {
        "team": {
            "id": TEAM_ID,
            "name": TEAM_NAME,
            "domain": TEAM_DOMAIN,
            "url": f"{workspace.settings.public_url}/",
            "email_domain": "",
            "icon": {"image_default": True},
        }
    }


def bots_info(_: Workspace, args: Arguments) -> Json:
    if args.text("bot") not in {"", BOT_ID}:
        raise SlackError("bot_not_found")
    bot = {
        "id": BOT_ID,
        "deleted": False,
        "name": BOT_NAME,
        "app_id": APP_ID,
        "user_id": BOT_USER,
        "updated": 1_700_000_000,
        "icons": {},
    }
    return {"bot": bot}


def conversations_open(workspace: Workspace, args: Arguments) -> Json:
    if args.text("channel"):
        channel = workspace.world.channel(args.text("channel"))
    else:
        users = [user for user in args.need("users", "users_list_not_supplied").split(",") if user]
        if len(users) != 1:
            raise SlackError("method_not_supported_for_channel_type")
        channel = workspace.world.direct(workspace.world.person(users[0]).id)
    return {"channel": channel.as_conversation() if args.flag("return_im") else {"id": channel.id}}


def conversations_info(workspace: Workspace, args: Arguments) -> Json:
    channel = workspace.world.channel(args.need("channel", "channel_not_found"))
    return {"channel": channel.as_conversation()}


def conversations_members(workspace: Workspace, args: Arguments) -> Json:
    channel = workspace.world.channel(args.need("channel", "channel_not_found"))
    members = sorted(channel.members)
    start, end = _slice(args)
    more = str(end) if end < len(members) else ""
    return {"members": members[start:end], "response_metadata": {"next_cursor": more}}


def _slice(args: Arguments) -> tuple[int, int]:
    start = args.number("cursor", 0)
    return start, start + max(1, min(args.number("limit", PAGE), 999))


def _page(found: list[Message], args: Arguments) -> Json:
    start, end = _slice(args)
    answer: Json = {
        "messages": [message.as_message() for message in found[start:end]],
        "has_more": end < len(found),
    }
    if end < len(found):
        answer["response_metadata"] = {"next_cursor": str(end)}
    return answer


def conversations_history(workspace: Workspace, args: Arguments) -> Json:
    """Newest first, without answers in threads and without what only one person saw."""
    channel = workspace.world.channel(args.need("channel", "channel_not_found"))
    oldest, latest = args.text("oldest") or "0", args.text("latest") or "9" * 12
    inclusive = args.flag("inclusive")

    def in_range(ts: str) -> bool:
        if inclusive:
            return float(oldest) <= float(ts) <= float(latest)
        return float(oldest) < float(ts) < float(latest)

    found = [
        message
        for message in reversed(workspace.world.messages)
        if message.channel == channel.id
        and message.thread_ts is None
        and message.only_for is None
        and not message.deleted
        and in_range(message.ts)
    ]
    return _page(found, args)


def conversations_replies(workspace: Workspace, args: Arguments) -> Json:
    channel = workspace.world.channel(args.need("channel", "channel_not_found"))
    ts = args.need("ts", "thread_not_found")
    found = [
        message
        for message in workspace.world.messages
        if message.channel == channel.id
        and ts in (message.ts, message.thread_ts)
        and message.only_for is None
        and not message.deleted
    ]
    if not found:
        raise SlackError("thread_not_found")
    return _page(found, args)


def get_upload_url(workspace: Workspace, args: Arguments) -> Json:
    file_id = workspace.world.identifier("F")
    workspace.files[file_id] = {
        "id": file_id,
        "name": args.need("filename"),
        "title": args.need("filename"),
        "size": args.number("length", 0),
        "alt_txt": args.text("alt_txt"),
        "url_private": f"{workspace.settings.public_url}/files/{file_id}",
    }
    where = f"{workspace.settings.public_url}/upload/{file_id}/{secrets.token_urlsafe(8)}"
    return {"upload_url": where, "file_id": file_id}


def complete_upload(workspace: Workspace, args: Arguments) -> Json:
    given = args.structure("files")
    wanted = json.loads(given) if isinstance(given, str) else given or []
    done = []
    for one in wanted:
        known = workspace.files.get(str(one.get("id")))
        if known is None or known["id"] not in workspace.file_bytes:
            raise SlackError("file_not_found")
        known["title"] = one.get("title") or known["name"]
        done.append(known)
    where = args.text("channel_id") or args.text("channels")
    if where and done:
        channel = workspace.world.channel(where)
        workspace.world.post(
            Message(
                ts=workspace.world.new_ts(),
                channel=channel.id,
                user=BOT_USER,
                text=args.text("initial_comment"),
                thread_ts=args.text("thread_ts") or None,
                files=done,
            )
        )
    return {"files": done}


def assistant_status(workspace: Workspace, args: Arguments) -> Json:
    thread = f"{args.need('channel_id')}:{args.need('thread_ts')}"
    workspace.world.statuses[thread] = args.text("status")
    workspace.world.touch()
    return {}


def assistant_note(_: Workspace, args: Arguments) -> Json:
    """Titles and suggested prompts are taken and not shown."""
    args.need("channel_id")
    return {}
