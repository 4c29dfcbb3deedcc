"""What a person can do in Slack, and what Slack then does with the app's answer."""

import json
import re
from dataclasses import asdict, dataclass, field
from typing import Any

from sandbox.slack import payloads
from sandbox.slack.deliver import TIMEOUT, Courier
from sandbox.slack.elements import NoSuchChoice, chosen, elements, initial_state
from sandbox.slack.journal import Delivery
from sandbox.slack.limits_objects import Findings
from sandbox.slack.methods_chat import deleted_event, thread_of
from sandbox.slack.people import BOT_NAME, BOT_USER, TEAM_ID, Channel, Person
from sandbox.slack.responses import answer, from_slackbot
from sandbox.slack.views import View
from sandbox.slack.workspace import Workspace
from sandbox.slack.world import Message, ResponseUrl, SlackError

Json = dict[str, Any]

TROUBLE = "This did not work: the app did not answer in time."
MENTION = re.compile(rf"@{BOT_NAME}\b", re.IGNORECASE)


@dataclass(kw_only=True)
class Outcome:
    """What came of it. `version` is where to look for news from."""

    ok: bool = True
    status: int = 0
    ack_ms: float = 0.0
    failure: str = ""
    version: int = 0
    problems: list[str] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    options: list[Json] = field(default_factory=list)
    ts: str = ""

    def brief(self) -> Json:
        return asdict(self)

    @classmethod
    def of(cls, delivery: Delivery, version: int, **more: Any) -> "Outcome":
        return cls(
            ok=delivery.ok and not delivery.problems,
            status=delivery.status,
            ack_ms=delivery.ack_ms,
            failure=delivery.failure,
            problems=list(delivery.problems),
            version=version,
            **more,
        )


def ack_body(delivery: Delivery) -> Json:
    """The JSON object in an acknowledgement, or an empty one."""
    if not delivery.answer.strip():
        return {}
    try:
        body = json.loads(delivery.answer)
    except ValueError:
        return {"text": delivery.answer}
    return body if isinstance(body, dict) else {}


class Hands:
    """Every method is one thing that a person does."""

    def __init__(self, workspace: Workspace, courier: Courier) -> None:
        self.workspace = workspace
        self.world = workspace.world
        self.courier = courier

    def response_url(self, person: Person, channel: Channel, original: Message | None = None) -> str:
        thread_ts = original.thread_ts if original is not None else None
        name = self.world.new_response(person.id, channel.id, original=original, thread_ts=thread_ts)
        return f"{self.workspace.settings.public_url}/response/{name}"

    def _place(self, person: Person, where: str) -> Channel:
        channel = self.world.channel(where) if where else self.world.direct(person.id)
        if person.id not in channel.members:
            raise SlackError("not_in_channel")
        return channel

    # ------------------------------------------------------------------ typing

    async def command(self, person: Person, typed: str, where: str = "") -> Outcome:
        before = self.world.version
        channel = self._place(person, where)
        command, _, text = typed.strip().partition(" ")
        if command not in {name for name, _ in self.workspace.settings.commands}:
            from_slackbot(self.world, channel.id, person.id, f"`{command}` is not a valid command.")
            return Outcome(ok=False, failure="unknown_command", version=before)
        response_url = self.response_url(person, channel)
        delivery = await self.courier.command(
            payloads.slash_command(
                person,
                channel,
                command,
                text.strip(),
                trigger_id=self.world.new_trigger(person.id),
                response_url=response_url,
            ),
            person.name,
        )
        error = ""
        if not delivery.ok:
            error = "operation_timeout" if delivery.failure.startswith(TIMEOUT) else "dispatch_failed"
        elif body := ack_body(delivery):
            permission = ResponseUrl(user=person.id, channel=channel.id, issued=self.world.now())
            try:
                answer(self.world, body, permission)
            except SlackError as refused:
                delivery.problems += refused.problems or [refused.error]
                error = "invalid_command_response"
        if error:
            sentence = f'{command} failed with the error "{error}"'
            from_slackbot(self.world, channel.id, person.id, sentence)
        return Outcome.of(delivery, before)

    async def say(self, person: Person, text: str, where: str = "", thread: str = "") -> Outcome:
        before = self.world.version
        channel = self._place(person, where)
        message = self.world.post(
            Message(
                ts=self.world.new_ts(),
                channel=channel.id,
                user=person.id,
                text=MENTION.sub(f"<@{BOT_USER}>", text),
                thread_ts=thread_of(self.workspace, channel, thread),
            )
        )
        event: Json = message.as_message() | {
            "client_msg_id": self.world.identifier("m"),
            "team": TEAM_ID,
            "channel": channel.id,
            "event_ts": message.ts,
        }
        if channel.im_with is None and BOT_USER not in channel.members:
            return Outcome(version=before, ts=message.ts)
        event["channel_type"] = channel.kind
        outcome = Outcome(version=before, ts=message.ts)
        # `message.groups` cannot be subscribed to without the scope
        if not channel.private or "groups:history" in self.workspace.settings.scopes:
            outcome = Outcome.of(await self.courier.event(event, person.name), before, ts=message.ts)
        if channel.im_with is None and f"<@{BOT_USER}>" in message.text:
            # Slack tells of a mention twice: as a message of the channel, and as a mention
            mention = {key: value for key, value in event.items() if key != "channel_type"}
            delivery = await self.courier.event(mention | {"type": "app_mention"}, person.name)
            outcome = Outcome.of(delivery, before, ts=message.ts)
        return outcome

    async def delete_message(self, person: Person, where: str, ts: str) -> Outcome:
        """Anybody may delete anything here, as a workspace owner can."""
        before = self.world.version
        channel = self._place(person, where)
        message = self.world.find(channel.id, ts)
        self.world.delete(message)
        if BOT_USER not in channel.members or message.only_for is not None:
            return Outcome(version=before)
        event = {
            "type": "message",
            "channel": channel.id,
            "channel_type": channel.kind,
            **deleted_event(self.workspace, message),
        }
        return Outcome.of(await self.courier.event(event, person.name), before)

    async def open_home(self, person: Person, tab: str = "home") -> Outcome:
        before = self.world.version
        home = self.world.homes.get(person.id)
        event: Json = {
            "type": "app_home_opened",
            "user": person.id,
            "channel": self.world.direct(person.id).id,
            "tab": tab,
            "event_ts": self.world.new_ts(),
        }
        if home is not None and tab == "home":
            event["view"] = home.as_view()
        return Outcome.of(await self.courier.event(event, person.name), before)

    # ------------------------------------------------------------------ shortcuts

    async def shortcut(self, person: Person, callback_id: str) -> Outcome:
        before = self.world.version
        trigger_id = self.world.new_trigger(person.id)
        payload = payloads.shortcut(person, callback_id, trigger_id=trigger_id, at=self.world.new_ts())
        return Outcome.of(await self.courier.interaction(payload, person.name, callback_id), before)

    async def message_shortcut(self, person: Person, callback_id: str, where: str, ts: str) -> Outcome:
        before = self.world.version
        channel = self._place(person, where)
        message = self.world.find(channel.id, ts)
        payload = payloads.message_shortcut(
            person,
            channel,
            message,
            callback_id,
            trigger_id=self.world.new_trigger(person.id),
            response_url=self.response_url(person, channel, message),
            at=self.world.new_ts(),
        )
        return Outcome.of(await self.courier.interaction(payload, person.name, callback_id), before)

    # ------------------------------------------------------------------ buttons, selects, pickers

    def _element(self, container: Message | View, action_id: str, block_id: str) -> tuple[Json, Json]:
        for block, element in elements(container.blocks):
            if element["action_id"] == action_id and block_id in {"", block["block_id"]}:
                return block, element
        raise SlackError("no_such_element", [f"no element with action_id {action_id!r}"])

    async def act(
        self,
        person: Person,
        container: Message | View,
        action_id: str,
        block_id: str = "",
        value: Any = None,
    ) -> Outcome:
        """Press, choose or pick. Inputs are only filled in, unless they dispatch their action."""
        before = self.world.version
        block, element = self._element(container, action_id, block_id)
        state = await self._chosen(person, container, block, element, value)
        where = container.state.setdefault(block["block_id"], {})
        if initial_state(element) is not None:
            where[action_id] = state
            container.version = self.world.touch()
        elif not where:
            del container.state[block["block_id"]]
        if block["type"] == "input" and not block.get("dispatch_action"):
            return Outcome(version=before)
        moment = self.world.new_ts()
        done = payloads.action(block, element, state if len(state) > 1 else None, at=moment)
        trigger_id = self.world.new_trigger(person.id)
        if isinstance(container, View):
            payload = payloads.view_actions(person, container, [done], trigger_id=trigger_id)
        else:
            channel = self.world.channel(container.channel)
            payload = payloads.message_actions(
                person,
                channel,
                container,
                [done],
                trigger_id=trigger_id,
                response_url=self.response_url(person, channel, container),
            )
        delivery = await self.courier.interaction(payload, person.name, action_id)
        self._warn(container, action_id, "" if delivery.ok else TROUBLE)
        return Outcome.of(delivery, before)

    def _warn(self, container: Message | View, action_id: str, warning: str) -> None:
        """Slack puts a triangle beside a button whose press was not acknowledged."""
        if warning:
            container.warnings[action_id] = warning
            container.version = self.world.touch()
        elif container.warnings.pop(action_id, None) is not None:
            container.version = self.world.touch()

    async def _chosen(self, person: Person, container: Message | View, block: Json, element: Json, value: Any) -> Json:
        try:
            if not str(element["type"]).endswith("external_select") or not value:
                return chosen(element, value)
            offered: list[Json] = []
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, dict):
                    offered.append(one)
                else:
                    asked = await self.suggest(person, container, block, element, str(one))
                    offered += asked.options
            return chosen(element, value, offered)
        except NoSuchChoice as missing:
            raise SlackError("no_such_choice", [str(missing)]) from None

    async def suggest(
        self, person: Person, container: Message | View, block: Json, element: Json, typed: str
    ) -> Outcome:
        """Ask the app for the options of an external select."""
        before = self.world.version
        payload = payloads.suggestion(person, container, block, element, typed)
        delivery = await self.courier.interaction(payload, person.name, element["action_id"])
        body = ack_body(delivery) if delivery.ok else {}
        found: list[Json] = list(body.get("options") or [])
        for group in body.get("option_groups") or []:
            found += group.get("options", [])
        checker = Findings()
        for index, option in enumerate(found[:101]):
            checker.option(option, f"/options/{index}")
        checker.count(found, "/options", least=0, most=100)
        delivery.problems += checker.messages
        return Outcome.of(delivery, before, options=found)

    async def suggest_for(
        self, person: Person, container: Message | View, action_id: str, block_id: str, typed: str
    ) -> Outcome:
        block, element = self._element(container, action_id, block_id)
        return await self.suggest(person, container, block, element, typed)
