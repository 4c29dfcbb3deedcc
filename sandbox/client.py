"""Be a person in the sandbox: a typed client over its control API, for tests and the guided tour.

    async with SandboxClient("http://127.0.0.1:8900") as slack:
        mei = slack.person("mei")
        said = await mei.types('/store add "Acme US" US 2026-01-31')
        card = await mei.sees("Acme US", after=said)
        await mei.clicks("Connect orders", message=card)

Acting methods answer with `Said`. Looking methods wait, and raise `NotSeen` with everything that *was*
there when nothing fits in time.
"""

import time
from types import TracebackType
from typing import Any, Self

import httpx

from sandbox.seen import Control, Message, Said, Sight, View, find, holders, pick

__all__ = ["Control", "Message", "NotSeen", "Person", "Refused", "Said", "SandboxClient", "View"]

Json = dict[str, Any]
#: No change for so long means that nothing more is coming.
QUIET = 0.25
PATIENCE = 15.0


class NotSeen(AssertionError):
    """What a person looked for did not appear in time."""


class Refused(RuntimeError):
    """The sandbox could not do that: no such person, message, element or open modal."""


class SandboxClient:
    """One sandbox. `base_url` is its address; acting waits until nothing changed for `quiet` seconds."""

    def __init__(self, base_url: str, *, quiet: float = QUIET) -> None:
        self.quiet = quiet
        self.base_url = base_url.rstrip("/")
        self._http = httpx.AsyncClient(
            base_url=self.base_url,
            timeout=40.0,
            trust_env=False,
            limits=httpx.Limits(max_connections=8),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._http.aclose()

    async def get(self, path: str, **query: str | float) -> Json:
        """A control or any other JSON resource of the sandbox, by path."""
        return self._read(await self._http.get(path, params=query))

    async def post(self, path: str, body: Json | None = None) -> Json:
        return self._read(await self._http.post(path, json=body or {}))

    def _read(self, response: httpx.Response) -> Json:
        body = dict(response.json())
        if response.is_error:
            raise Refused(f"{body.get('error')}: {'; '.join(body.get('problems', []))}".rstrip(": "))
        return body

    def person(self, name: str) -> "Person":
        """mei, lin, alex, sam, kim, or somebody added."""
        return Person(self, name)

    async def add_person(self, name: str, *, locale: str = "en-US", tz: str = "Europe/London") -> "Person":
        """A new member of the workspace; the bot is told with `team_join`."""
        await self.post(
            "/control/slack/add_person",
            {
                "id": "U0" + name.upper(),
                "name": name,
                "real_name": name.capitalize(),
                "locale": locale,
                "tz": tz,
            },
        )
        return self.person(name)

    async def reset(self) -> None:
        """An empty workspace, no faults, an empty log. The clock stays as it is."""
        await self.post("/control/slack/reset")

    async def advance(self, seconds: float) -> float:
        """Let time pass in both sandboxes; answers the new time."""
        body = await self.post("/control/clock", {"advance": seconds})
        return float(body["now"])

    async def fault(self, method: str, mode: str, *, times: int = 1, seconds: float = 1.0) -> None:
        """The next calls of a Web API method (or `*`) go wrong: 429, ratelimited, 500, lost, slow, html,
        or any error word of Slack's.
        """
        body = {"method": method, "mode": mode, "times": times, "seconds": seconds}
        await self.post("/control/slack/switches", body)

    async def event(self, event: Json, who: str = "Slack") -> Said:
        """Slack itself tells the bot something, such as `{"type": "app_uninstalled"}`."""
        return _said(await self.post("/control/slack/event", {"event": event, "as": who}))

    async def deliveries(self) -> list[Json]:
        """All deliveries to the bot, oldest first, with `ack_ms`, `status`, `failure`, `attempt`."""
        return list((await self.get("/control/slack/log"))["deliveries"])

    async def calls(self, method: str = "") -> list[Json]:
        """All Web API calls by the bot, oldest first, with `args`, `ok`, `error`, `problems`."""
        found = (await self.get("/control/slack/log"))["calls"]
        return [call for call in found if method in {"", call["method"]}]

    async def problems(self) -> list[str]:
        """Everything that real Slack would have complained about so far."""
        return list((await self.get("/control/slack/log"))["problems"])


def _said(body: Json, **more: Any) -> Said:
    return Said(
        ok=body["ok"],
        status=body["status"],
        ack_ms=body["ack_ms"],
        failure=body["failure"],
        version=body["version"],
        problems=tuple(body["problems"]),
        errors=body["errors"],
        **more,
    )


class Person:
    """A member of the workspace, at their keyboard."""

    def __init__(self, client: SandboxClient, name: str) -> None:
        self.client = client
        self.name = name

    def __repr__(self) -> str:
        return f"Person({self.name!r})"

    # ------------------------------------------------------------------ doing

    async def types(
        self,
        command: str,
        *,
        channel: str = "",
        quiet: float | None = None,
        timeout: float = PATIENCE,  # noqa: ASYNC109
    ) -> Said:
        """A slash command, in the conversation with the bot unless `channel` says otherwise."""
        return await self._does("command", {"text": command, "channel": channel}, quiet, timeout)

    async def says(
        self,
        text: str,
        *,
        channel: str = "",
        thread: str | Message | None = None,
        quiet: float | None = None,
        timeout: float = PATIENCE,  # noqa: ASYNC109
    ) -> Said:
        """A message; `@Grantdesk` in it is a mention. `thread` is a message or its ts."""
        body: Json = {"text": text, "channel": channel}
        if isinstance(thread, Message):
            body |= {"thread": thread.thread or thread.ts, "channel": channel or thread.channel}
        elif thread:
            body["thread"] = thread
        return await self._does("say", body, quiet, timeout)

    async def clicks(
        self,
        label: str,
        *,
        message: Message | None = None,
        view: View | None = None,
        value: Any = None,
        within: float = PATIENCE,
        quiet: float | None = None,
        timeout: float = PATIENCE,  # noqa: ASYNC109
    ) -> Said:
        """Press the newest visible button with that label (or action id): in the open modal first, then
        in messages, then on the home tab. `value` chooses in a select, picker or overflow menu, which
        goes by its placeholder or action id. Waits `within` seconds for it to appear.
        """
        deadline = time.monotonic() + within
        while True:
            sight = await self._look()
            found = find(sight, label, message, view)
            if found is not None:
                holder, control = found
                body: Json = {"action_id": control.action_id, "block_id": control.block_id}
                if isinstance(holder, View):
                    body["view_id"] = holder.id
                else:
                    body |= {"ts": holder.ts, "channel": holder.channel}
                return await self._does("click", body | {"value": value}, quiet, timeout)
            await self._wait(sight, deadline, f"a button {label!r}")

    async def fills(self, values: dict[str, Any]) -> View:
        """Fill in inputs of the open modal by their visible label (or action id). A select takes the value
        or the visible text of an option, a multi-select a list, a date picker YYYY-MM-DD; None empties.
        """
        modal = await self.modal()
        filled: dict[str, dict[str, Any]] = {}
        for label, value in values.items():
            control = pick(modal.controls(), label)
            if control is None:
                raise Refused(f"{modal.title!r} has no input {label!r}; it has {modal.labels()}")
            filled.setdefault(control.block_id, {})[control.action_id] = value
        await self._act("fill", {"view_id": modal.id, "values": filled})
        return await self.modal()

    async def submits(
        self,
        *,
        quiet: float | None = None,
        timeout: float = PATIENCE,  # noqa: ASYNC109
    ) -> Said:
        """Press the open modal's submit button. Errors are in `Said.errors` and `Person.modal().errors`."""
        modal = await self.modal()
        return await self._does("submit", {"view_id": modal.id}, quiet, timeout)

    async def closes(self, *, quiet: float | None = None, timeout: float = PATIENCE) -> Said:  # noqa: ASYNC109
        """Close the open modal."""
        return await self._does("close", {}, quiet, timeout)

    async def shortcut(
        self,
        callback_id: str,
        *,
        message: Message | None = None,
        quiet: float | None = None,
        timeout: float = PATIENCE,  # noqa: ASYNC109
    ) -> Said:
        """A shortcut on a message, or a global one."""
        body: Json = {"callback_id": callback_id}
        if message is not None:
            body |= {"ts": message.ts, "channel": message.channel}
        return await self._does("shortcut", body, quiet, timeout)

    async def deletes(self, message: Message) -> Said:
        """Delete any message, the bot's included."""
        body = {"ts": message.ts, "channel": message.channel}
        return await self._does("delete_message", body, 0.0, 0.0)

    async def changes(self, **details: str) -> Said:
        """Change one's `locale`, `tz`, `real_name` or `title`; the bot is told with `user_change`."""
        return await self._does("change_person", details, 0.0, 0.0)

    async def suggestions(self, label: str, typed: str) -> list[str]:
        """What an external select in the open modal offers for what was typed."""
        modal = await self.modal()
        control = pick(modal.controls(), label)
        if control is None:
            raise Refused(f"{modal.title!r} has no input {label!r}; it has {modal.labels()}")
        body = {
            "view_id": modal.id,
            "action_id": control.action_id,
            "block_id": control.block_id,
            "value": typed,
        }
        answer = await self._act("suggest", body)
        return [str(option["text"]["text"]) for option in answer["options"]]

    # ------------------------------------------------------------------ looking

    async def sees(
        self,
        fragment: str,
        *,
        within: float = PATIENCE,
        after: Said | None = None,
        channel: str = "",
        thread: Message | None = None,
    ) -> Message:
        """The newest visible message that contains the fragment; waits for it, edits included.
        With `after`, only messages that are new or changed since that was done.
        """
        deadline = time.monotonic() + within
        while True:
            sight = await self._look()
            for message in reversed(sight.messages):
                if message.deleted or (after is not None and message.version <= after.version):
                    continue
                if channel and message.channel != channel:
                    continue
                if thread is not None and message.thread != thread.ts:
                    continue
                if message.contains(fragment):
                    return message
            await self._wait(sight, deadline, f"a message with {fragment!r}")

    async def messages(self, channel: str = "") -> list[Message]:
        """All visible messages, oldest first."""
        sight = await self._look()
        return [one for one in sight.messages if not one.deleted and channel in {"", one.channel}]

    async def message(self, seen: Message) -> Message | None:
        """The same message as it is now, or None if it was deleted."""
        for one in await self.messages(seen.channel):
            if one.ts == seen.ts:
                return one
        return None

    async def modal(self, *, within: float = PATIENCE) -> View:
        """The open modal, the top one of a stack; waits for one."""
        deadline = time.monotonic() + within
        while True:
            sight = await self._look()
            if sight.views:
                return sight.views[-1]
            await self._wait(sight, deadline, "an open modal")

    async def modals(self) -> list[View]:
        """All open modals without waiting, the visible one last."""
        return list((await self._look()).views)

    async def home(self, *, within: float = PATIENCE, quiet: float | None = None) -> View:
        """Open the App Home and wait until the bot has published it."""
        await self._does("open_home", {}, quiet, within)
        deadline = time.monotonic() + within
        while True:
            sight = await self._look()
            if sight.home is not None:
                return sight.home
            await self._wait(sight, deadline, "a home tab")

    async def link(self, label: str, *, message: Message | None = None, within: float = PATIENCE) -> str:
        """The address behind the newest visible link or link button with that label."""
        deadline = time.monotonic() + within
        while True:
            sight = await self._look()
            for holder in holders(sight, message, None):
                url = holder.link(label)
                if url is not None:
                    return url
            await self._wait(sight, deadline, f"a link {label!r}")

    # ------------------------------------------------------------------ the wire

    async def _act(self, verb: str, body: Json) -> Json:
        return await self.client.post(f"/control/slack/{verb}", {"as": self.name, **body})

    async def _does(self, verb: str, body: Json, quiet: float | None, patience: float) -> Said:
        """Act, then wait until nothing has changed for `quiet` seconds."""
        quiet = self.client.quiet if quiet is None else quiet
        outcome = await self._act(verb, body)
        since = int(outcome["version"])
        sight = await self._look(since=since)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            later = await self._look(since=since, seen=sight.version, wait=quiet)
            if later.version == sight.version and not later.busy:
                break
            sight = later
        news = tuple(one for one in sight.messages if one.version > since and not one.deleted)
        top = sight.views[-1] if sight.views else None
        return _said(outcome, messages=news, modal=top if top and top.version > since else None)

    async def _look(self, *, since: int = 0, seen: int | None = None, wait: float = 0.0) -> Sight:
        """What is visible; waits for news after version `seen`, and tells messages newer than `since`."""
        if seen is not None and wait > 0:
            waiting: dict[str, str | float] = {"as": self.name, "since": seen, "wait": wait}
            await self.client.get("/control/slack/changes", **waiting)
        query: dict[str, str | float] = {"as": self.name, "since": since}
        return Sight.of(await self.client.get("/control/slack/changes", **query))

    async def _wait(self, sight: Sight, deadline: float, wanted: str) -> None:
        """Until something changes; raises when the time is up."""
        left = deadline - time.monotonic()
        if left <= 0:
            newest = [f"— {one.plain()}" for one in sight.messages if not one.deleted][-5:]
            shown = [one.plain() for one in sight.views]
            raise NotSeen(f"{self.name} does not see {wanted}. On the screen:\n" + "\n".join(newest + shown))
        await self._look(seen=sight.version, wait=min(left, 5.0))
