"""Web API methods that post, change and remove messages."""

from typing import Any

from sandbox.slack.calls import Arguments
from sandbox.slack.limits import BLOCKS_TOO_LONG, NO_TEXT, TOO_LONG, message_problems, posted_too_long
from sandbox.slack.people import BOT_USER, Channel
from sandbox.slack.workspace import Json, Workspace
from sandbox.slack.world import Message, SlackError


def checked(text: Any, blocks: Any) -> tuple[str, list[Json]]:
    """Text and blocks that Slack would take, or a refusal that says why not."""
    if text in (None, "") and not blocks:
        raise SlackError("no_text", ["[ERROR] no_text: neither text nor blocks"])
    found = message_problems(text, blocks or None)
    if NO_TEXT in found:
        raise SlackError("no_text", found)
    if found == [TOO_LONG]:
        raise SlackError("msg_too_long", found)
    if found:
        raise SlackError("invalid_blocks", found)
    return str(text), list(blocks or [])


def _posted(args: Arguments) -> tuple[str, list[Json]]:
    text, blocks = checked(args.structure("text"), args.structure("blocks"))
    if posted_too_long(blocks):
        raise SlackError("msg_blocks_too_long", [BLOCKS_TOO_LONG])
    return text, blocks


def _in_reach(workspace: Workspace, where: str) -> Channel:
    channel = workspace.world.channel(where)
    if BOT_USER not in channel.members:
        raise SlackError("not_in_channel")
    return channel


def thread_of(workspace: Workspace, channel: Channel, thread_ts: str) -> str | None:
    """The ts of the thread's first message; answering an answer stays in its thread."""
    if not thread_ts:
        return None
    try:
        parent = workspace.world.find(channel.id, thread_ts)
    except SlackError:
        raise SlackError("thread_not_found") from None
    return parent.thread_ts or parent.ts


def _echo(workspace: Workspace, channel: Channel, event: Json) -> None:
    """Slack tells an app about its own messages in direct messages too."""
    if channel.im_with is not None:
        workspace.announce({"type": "message", "channel": channel.id, "channel_type": "im", **event}, channel.im_with)


def post_message(workspace: Workspace, args: Arguments) -> Json:
    channel = _in_reach(workspace, args.need("channel", "channel_not_found"))
    text, blocks = _posted(args)
    message = workspace.world.post(
        Message(
            ts=workspace.world.new_ts(),
            channel=channel.id,
            user=BOT_USER,
            text=text,
            blocks=blocks,
            thread_ts=thread_of(workspace, channel, args.text("thread_ts")),
            broadcast=bool(args.text("thread_ts")) and args.flag("reply_broadcast"),
            metadata=args.structure("metadata"),
        )
    )
    body = message.as_message()
    _echo(workspace, channel, body | {"event_ts": message.ts})
    return {"channel": channel.id, "ts": message.ts, "message": body}


def post_ephemeral(workspace: Workspace, args: Arguments) -> Json:
    channel = _in_reach(workspace, args.need("channel", "channel_not_found"))
    user = workspace.world.person(args.need("user"))
    if user.id not in channel.members:
        raise SlackError("user_not_in_channel")
    text, blocks = _posted(args)
    message = workspace.world.post(
        Message(
            ts=workspace.world.new_ts(),
            channel=channel.id,
            user=BOT_USER,
            text=text,
            blocks=blocks,
            thread_ts=thread_of(workspace, channel, args.text("thread_ts")),
            only_for=user.id,
        )
    )
    return {"message_ts": message.ts}


def _own_message(workspace: Workspace, args: Arguments, error: str) -> tuple[Channel, Message]:
    channel = _in_reach(workspace, args.need("channel", "channel_not_found"))
    message = workspace.world.find(channel.id, args.need("ts", "message_not_found"))
    if message.only_for is not None:
        raise SlackError("message_not_found")
    if message.user != BOT_USER:
        raise SlackError(error)
    return channel, message


def update(workspace: Workspace, args: Arguments) -> Json:
    channel, message = _own_message(workspace, args, "cant_update_message")
    text, blocks = _posted(args)
    before = message.as_message()
    workspace.world.edit(message, text=text, blocks=blocks)
    body = message.as_message()
    _echo(
        workspace,
        channel,
        {
            "subtype": "message_changed",
            "hidden": True,
            "message": body,
            "previous_message": before,
            "ts": message.edited,
            "event_ts": message.edited,
        },
    )
    return {"channel": channel.id, "ts": message.ts, "text": text, "message": body}


def delete(workspace: Workspace, args: Arguments) -> Json:
    channel, message = _own_message(workspace, args, "cant_delete_message")
    workspace.world.delete(message)
    _echo(workspace, channel, deleted_event(workspace, message))
    return {"channel": channel.id, "ts": message.ts}


def deleted_event(workspace: Workspace, message: Message) -> Json:
    """What the app is told. Of a message with answers in its thread, Slack leaves a tombstone and calls that a change."""
    now = workspace.world.new_ts()
    told: Json = {"hidden": True, "previous_message": message.as_message(), "ts": now, "event_ts": now}
    answered = [
        one
        for one in workspace.world.messages
        if (one.channel, one.thread_ts) == (message.channel, message.ts) and not one.deleted and one.only_for is None
    ]
    if not answered:
        return told | {"subtype": "message_deleted", "deleted_ts": message.ts}
    stone = {
        "type": "message",
        "subtype": "tombstone",
        "text": "This message was deleted.",
        "user": "USLACKBOT",
        "hidden": True,
        "ts": message.ts,
        "thread_ts": message.ts,
        "reply_count": len(answered),
    }
    return told | {"subtype": "message_changed", "message": stone}


def get_permalink(workspace: Workspace, args: Arguments) -> Json:
    channel = workspace.world.channel(args.need("channel", "channel_not_found"))
    message = workspace.world.find(channel.id, args.need("message_ts", "message_not_found"))
    link = f"{workspace.settings.public_url}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    return {"channel": channel.id, "permalink": link}


def add_reaction(workspace: Workspace, args: Arguments) -> Json:
    channel = workspace.world.channel(args.need("channel", "channel_not_found"))
    message = workspace.world.find(channel.id, args.need("timestamp", "message_not_found"))
    users = message.reactions.setdefault(args.need("name", "invalid_name").strip(":"), [])
    if BOT_USER in users:
        raise SlackError("already_reacted")
    users.append(BOT_USER)
    message.version = workspace.world.touch()
    return {}
