"""What Slack sends an app when somebody does something. Pure: state in, payload out."""

from typing import Any

from sandbox.slack.people import APP_ID, BOT_USER, TEAM_DOMAIN, TEAM_ID, Channel, Person
from sandbox.slack.views import View
from sandbox.slack.world import Message

Json = dict[str, Any]
#: Long out of use, but still in every payload.
LEGACY_TOKEN = "sandbox-verification-token"
#: What a block action repeats of the element that was used.
ECHOED = ("text", "value", "style", "url", "placeholder", "confirm")


def _common(person: Person) -> Json:
    return {
        "team": {"id": TEAM_ID, "domain": TEAM_DOMAIN},
        "user": {
            "id": person.id,
            "username": person.name,
            "name": person.name,
            "team_id": TEAM_ID,
        },
        "api_app_id": APP_ID,
        "token": LEGACY_TOKEN,
        "enterprise": None,
        "is_enterprise_install": False,
    }


def _place(channel: Channel) -> Json:
    return {"id": channel.id, "name": channel.name}


def slash_command(
    person: Person, channel: Channel, command: str, text: str, *, trigger_id: str, response_url: str
) -> Json:
    return {
        "token": LEGACY_TOKEN,
        "team_id": TEAM_ID,
        "team_domain": TEAM_DOMAIN,
        "channel_id": channel.id,
        "channel_name": channel.name,
        "user_id": person.id,
        "user_name": person.name,
        "command": command,
        "text": text,
        "api_app_id": APP_ID,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger_id,
    }


def action(block: Json, element: Json, state: Json | None, *, at: str) -> Json:
    """One entry of `actions`: the element, and what was chosen."""
    done: Json = {
        "type": element["type"],
        "action_id": element["action_id"],
        "block_id": block["block_id"],
        "action_ts": at,
    }
    done |= {key: element[key] for key in ECHOED if key in element}
    if state is not None:
        done |= {key: value for key, value in state.items() if key != "type"}
    return done


def message_actions(
    person: Person,
    channel: Channel,
    message: Message,
    actions: list[Json],
    *,
    trigger_id: str,
    response_url: str,
) -> Json:
    """A button or select on a message. An ephemeral one is not repeated in the payload."""
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": message.only_for is not None,
    }
    if message.thread_ts is not None:
        container["thread_ts"] = message.thread_ts
    payload = {
        "type": "block_actions",
        **_common(person),
        "container": container,
        "trigger_id": trigger_id,
        "channel": _place(channel),
        "state": {"values": message.state},
        "response_url": response_url,
        "actions": actions,
    }
    if message.only_for is None:
        payload["message"] = message.as_message()
    return payload


def view_actions(person: Person, view: View, actions: list[Json], *, trigger_id: str) -> Json:
    return {
        "type": "block_actions",
        **_common(person),
        "container": {"type": "view", "view_id": view.id},
        "trigger_id": trigger_id,
        "view": view.as_view(),
        "actions": actions,
    }


def suggestion(person: Person, container: Message | View, block: Json, element: Json, typed: str) -> Json:
    """A select with external data asks for its options."""
    payload = {
        "type": "block_suggestion",
        **_common(person),
        "action_id": element["action_id"],
        "block_id": block["block_id"],
        "value": typed,
    }
    if isinstance(container, View):
        return payload | {
            "container": {"type": "view", "view_id": container.id},
            "view": container.as_view(),
        }
    where: Json = {"type": "message", "message_ts": container.ts, "channel_id": container.channel}
    payload |= {"container": where, "channel": {"id": container.channel}}
    return payload if container.only_for else payload | {"message": container.as_message()}


def submission(person: Person, view: View, *, trigger_id: str) -> Json:
    return {
        "type": "view_submission",
        **_common(person),
        "trigger_id": trigger_id,
        "view": view.as_view(),
        "response_urls": [],
    }


def closed(person: Person, view: View, *, cleared: bool) -> Json:
    return {
        "type": "view_closed",
        **_common(person),
        "view": view.as_view(),
        "is_cleared": cleared,
    }


def shortcut(person: Person, callback_id: str, *, trigger_id: str, at: str) -> Json:
    return {
        "type": "shortcut",
        **_common(person),
        "callback_id": callback_id,
        "trigger_id": trigger_id,
        "action_ts": at,
    }


def message_shortcut(
    person: Person,
    channel: Channel,
    message: Message,
    callback_id: str,
    *,
    trigger_id: str,
    response_url: str,
    at: str,
) -> Json:
    return {
        "type": "message_action",
        **_common(person),
        "callback_id": callback_id,
        "trigger_id": trigger_id,
        "action_ts": at,
        "channel": _place(channel),
        "message_ts": message.ts,
        "message": message.as_message(),
        "response_url": response_url,
    }


def event_callback(event: Json, *, event_id: str, at: float) -> Json:
    return {
        "token": LEGACY_TOKEN,
        "team_id": TEAM_ID,
        "context_team_id": TEAM_ID,
        "context_enterprise_id": None,
        "api_app_id": APP_ID,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(at),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": TEAM_ID,
                "user_id": BOT_USER,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": f"4-{event_id}",
    }
