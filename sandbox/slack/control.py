"""The control API: be a person, look over their shoulder, order faults. JSON in, JSON out.

Every acting call answers with `ok`, `status`, `ack_ms`, `failure`, `problems` and `version`, the number
from which `changes?since=` tells what came of it.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import fields, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.slack.acting import Hands, Outcome
from sandbox.slack.deliver import Courier
from sandbox.slack.modals import Modals
from sandbox.slack.people import Person
from sandbox.slack.switches import MODES, Switch
from sandbox.slack.views import View
from sandbox.slack.workspace import Workspace
from sandbox.slack.world import Message, SlackError

Json = dict[str, Any]
LONGEST_WAIT = 25.0
GONE = frozenset({"app_uninstalled", "tokens_revoked"})
CHANGEABLE = frozenset({"real_name", "locale", "tz", "title"})


class Control:
    """Finds people, messages and views by what the caller calls them, and lets `Hands` do the rest."""

    def __init__(self, workspace: Workspace, courier: Courier) -> None:
        self.workspace = workspace
        self.world = workspace.world
        self.courier = courier
        self.hands = Hands(workspace, courier)
        self.modals = Modals(workspace, courier, self.hands)

    # ------------------------------------------------------------------ acting

    def _who(self, body: Json) -> Person:
        return self.world.person(str(body.get("as", "")))

    def _container(self, person: Person, body: Json) -> Message | View:
        """The view or the message that holds the element."""
        if body.get("view_id"):
            view = self.world.view(str(body["view_id"]))
            if view.user != person.id:
                raise SlackError("not_found")
            return view
        ts = str(body.get("ts", ""))
        channel = body.get("channel")
        for message in self.world.visible_to(person.id, str(channel) if channel else None):
            if message.ts == ts and not message.deleted:
                return message
        raise SlackError("message_not_found")

    async def command(self, body: Json) -> Outcome:
        return await self.hands.command(self._who(body), str(body.get("text", "")), str(body.get("channel") or ""))

    async def say(self, body: Json) -> Outcome:
        return await self.hands.say(
            self._who(body),
            str(body.get("text", "")),
            str(body.get("channel") or ""),
            str(body.get("thread") or ""),
        )

    async def click(self, body: Json) -> Outcome:
        person = self._who(body)
        return await self.hands.act(
            person,
            self._container(person, body),
            str(body.get("action_id", "")),
            str(body.get("block_id") or ""),
            body.get("value"),
        )

    async def suggest(self, body: Json) -> Outcome:
        person = self._who(body)
        return await self.hands.suggest_for(
            person,
            self._container(person, body),
            str(body.get("action_id", "")),
            str(body.get("block_id") or ""),
            str(body.get("value") or ""),
        )

    async def fill(self, body: Json) -> Outcome:
        person, before = self._who(body), self.world.version
        view = self.modals.top(person, str(body.get("view_id") or ""))
        await self.modals.fill(person, view, dict(body.get("values") or {}))
        return Outcome(version=before)

    async def submit(self, body: Json) -> Outcome:
        values = dict(body.get("values") or {})
        return await self.modals.submit(self._who(body), str(body.get("view_id") or ""), values)

    async def close(self, body: Json) -> Outcome:
        return await self.modals.close(self._who(body), str(body.get("view_id") or ""))

    async def shortcut(self, body: Json) -> Outcome:
        person, callback_id = self._who(body), str(body.get("callback_id", ""))
        if body.get("ts"):
            where = str(body.get("channel") or "")
            return await self.hands.message_shortcut(person, callback_id, where, str(body["ts"]))
        return await self.hands.shortcut(person, callback_id)

    async def open_home(self, body: Json) -> Outcome:
        return await self.hands.open_home(self._who(body), str(body.get("tab") or "home"))

    async def delete_message(self, body: Json) -> Outcome:
        where, ts = str(body.get("channel") or ""), str(body.get("ts", ""))
        return await self.hands.delete_message(self._who(body), where, ts)

    # ------------------------------------------------------------------ Slack's own doings

    async def event(self, body: Json) -> Outcome:
        """Any event; the two that end an installation end it here too."""
        before, event = self.world.version, dict(body.get("event") or {})
        if event.get("type") in GONE:
            self.world.installed = False
        who = str(body.get("as") or "Slack")
        return Outcome.of(await self.courier.event(event, who), before)

    async def verify_url(self, body: Json) -> Outcome:
        challenge = str(body.get("challenge") or "sandbox-challenge")
        return Outcome.of(await self.courier.url_verification(challenge), self.world.version)

    async def redeliver(self, body: Json) -> Outcome:
        """The same bytes as delivery `id`, signed anew; `headers` may spoil or replay the signature."""
        before = self.world.version
        for delivery in self.workspace.journal.deliveries:
            if delivery.id == body.get("id"):
                again = await self.courier.repeat(delivery, dict(body.get("headers") or {}))
                return Outcome.of(again, before)
        raise SlackError("no_such_delivery")

    async def add_person(self, body: Json) -> Outcome:
        known = {field.name for field in fields(Person)}
        try:
            person = Person(**{key: value for key, value in body.items() if key in known})
        except TypeError as missing:
            raise SlackError("invalid_arguments", [str(missing)]) from None
        before = self.world.version
        self.world.add_person(person)
        event = {"type": "team_join", "user": person.as_user(self.world.now(), with_locale=True)}
        return Outcome.of(await self.courier.event(event, person.name), before)

    async def change_person(self, body: Json) -> Outcome:
        before = self.world.version
        changes = {key: value for key, value in body.items() if key in CHANGEABLE}
        person = replace(self._who(body), **changes)
        self.world.people[person.id] = person
        self.world.touch()
        event = {
            "type": "user_change",
            "user": person.as_user(self.world.now(), with_locale=True),
            "cache_ts": int(self.world.now()),
            "event_ts": self.world.new_ts(),
        }
        return Outcome.of(await self.courier.event(event, person.name), before)

    async def reset(self, _: Json) -> Outcome:
        self.workspace.reset()
        return Outcome(version=self.world.version)

    async def install(self, _: Json) -> Outcome:
        """The app is back after it was removed, without the OAuth round."""
        self.world.installed = True
        return Outcome(version=self.world.touch())

    # ------------------------------------------------------------------ looking

    def seen_by(self, person: Person, since: int) -> Json:
        """What this person sees; only messages that changed after `since`, but all open views."""
        messages = [
            message.as_seen()
            for message in self.world.visible_to(person.id)
            if message.version > since and (since > 0 or not message.deleted)
        ]
        home = self.world.homes.get(person.id)
        stack = self.world.stack(person.id).open
        return {
            "version": self.world.version,
            "epoch": self.world.epoch,
            "busy": self.courier.busy,
            "now": self.world.now(),
            "me": person.brief(),
            "installed": self.world.installed,
            "conversations": [place.brief() for place in self.world.conversations_of(person.id)],
            "messages": messages,
            "views": [view.as_seen() for view in stack],
            "home": home.as_seen() if home is not None else None,
            "statuses": {key: text for key, text in self.world.statuses.items() if text},
        }

    def directory(self) -> Json:
        settings = self.workspace.settings
        return {
            "people": [person.brief() for person in self.world.people.values()],
            "commands": [{"command": name, "hint": hint} for name, hint in settings.commands],
            "message_shortcuts": [{"callback_id": name, "label": label} for name, label in settings.message_shortcuts],
            "global_shortcuts": [{"callback_id": name, "label": label} for name, label in settings.global_shortcuts],
            "bot_url": self.courier.bot_url,
            "now": self.world.now(),
        }

    def log(self, after: int) -> Json:
        journal = self.workspace.journal
        return {
            "version": self.world.version,
            "deliveries": [one.brief() for one in journal.deliveries if one.id > after],
            "calls": [one.brief() for one in journal.calls if one.id > after],
            "problems": journal.problems(),
        }


Action = Callable[[Json], Awaitable[Outcome]]


def _number(request: Request, name: str, default: float) -> float:
    try:
        return float(request.query_params.get(name, default))
    except ValueError:
        return default


def _switch(body: Json) -> Switch:
    return Switch(
        method=str(body.get("method", "*")),
        mode=str(body.get("mode", "429")),
        times=int(body.get("times", 1)),
        seconds=float(body.get("seconds", 1)),
    )


def _refused(error: SlackError) -> Response:
    return JSONResponse({"ok": False, "error": error.error, "problems": error.problems}, 400)


def _acting(action: Action) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            body = json.loads(await request.body() or b"{}")
            return JSONResponse((await action(dict(body))).brief())
        except SlackError as error:
            return _refused(error)
        except (TypeError, ValueError) as error:
            return JSONResponse({"ok": False, "error": "bad_request", "problems": [str(error)]}, 400)

    return endpoint


def routes(workspace: Workspace, courier: Courier) -> list[BaseRoute]:
    control = Control(workspace, courier)
    actions: dict[str, Action] = {
        "command": control.command,
        "say": control.say,
        "click": control.click,
        "suggest": control.suggest,
        "fill": control.fill,
        "submit": control.submit,
        "close": control.close,
        "shortcut": control.shortcut,
        "open_home": control.open_home,
        "delete_message": control.delete_message,
        "event": control.event,
        "verify_url": control.verify_url,
        "redeliver": control.redeliver,
        "add_person": control.add_person,
        "change_person": control.change_person,
        "reset": control.reset,
        "install": control.install,
    }

    async def people(_: Request) -> Response:
        return JSONResponse(control.directory())

    async def changes(request: Request) -> Response:
        """Waits for something new after `since`, then tells it; without `wait` it answers at once."""
        try:
            person = control.world.person(request.query_params.get("as", ""))
        except SlackError as error:
            return _refused(error)
        since = int(_number(request, "since", 0))
        wait = min(_number(request, "wait", 0), LONGEST_WAIT)
        if wait > 0:
            await control.world.changed_since(since, wait)
        epoch = int(_number(request, "epoch", control.world.epoch))
        return JSONResponse(control.seen_by(person, since if epoch == control.world.epoch else 0))

    async def log(request: Request) -> Response:
        return JSONResponse(control.log(int(_number(request, "after", 0))))

    async def switches(request: Request) -> Response:
        faults = workspace.switches
        if request.method == "DELETE":
            faults.clear()
        elif request.method == "POST":
            try:
                faults.set(_switch(dict(json.loads(await request.body()))))
            except (TypeError, ValueError) as error:
                return JSONResponse({"ok": False, "error": "bad_request", "problems": [str(error)]}, 400)
        return JSONResponse({"modes": MODES, "active": [one.brief() for one in faults.active]})

    return [
        *(Route(f"/control/slack/{name}", _acting(action), methods=["POST"]) for name, action in actions.items()),
        Route("/control/slack/people", people, methods=["GET"]),
        Route("/control/slack/changes", changes, methods=["GET"]),
        Route("/control/slack/log", log, methods=["GET"]),
        Route("/control/slack/switches", switches, methods=["GET", "POST", "DELETE"]),
    ]
