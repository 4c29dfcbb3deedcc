"""Filling in, submitting and closing modals, with the checks that Slack makes itself."""

import re
from typing import Any

from sandbox.slack import payloads
from sandbox.slack.acting import Hands, Outcome, ack_body
from sandbox.slack.deliver import Courier
from sandbox.slack.elements import elements, is_empty
from sandbox.slack.journal import Delivery
from sandbox.slack.methods_views import checked_view
from sandbox.slack.people import Person
from sandbox.slack.views import View
from sandbox.slack.workspace import Workspace
from sandbox.slack.world import SlackError

Json = dict[str, Any]

REQUIRED = "Please complete this required field."
CONNECTING = "We had some trouble connecting. Try again?"
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def _complaint(element: Json, text: str) -> str:
    """What Slack says beneath an input before it asks the app."""
    least, most = element.get("min_length"), element.get("max_length")
    if least is not None and len(text) < least:
        return f"Please enter at least {least} characters."
    if most is not None and len(text) > most:
        return f"Please enter no more than {most} characters."
    kind = element["type"]
    if kind == "email_text_input" and not _EMAIL.fullmatch(text):
        return "Please enter a valid email address."
    if kind == "url_text_input" and not text.startswith(("http://", "https://")):
        return "Please enter a valid URL."
    if kind == "number_input" and not _NUMBER.fullmatch(text):
        return "Please enter a valid number."
    return ""


def incomplete(view: View) -> dict[str, str]:
    """Inputs that Slack itself would not submit, by block id."""
    found: dict[str, str] = {}
    for block, element in elements(view.blocks):
        if block["type"] != "input":
            continue
        state = view.state.get(block["block_id"], {}).get(element["action_id"])
        if is_empty(state):
            if not block.get("optional"):
                found[block["block_id"]] = REQUIRED
            continue
        value = (state or {}).get("value")
        if isinstance(value, str) and (sentence := _complaint(element, value)):
            found[block["block_id"]] = sentence
    return found


class Modals:
    """What a person does with the modal in front of them."""

    def __init__(self, workspace: Workspace, courier: Courier, hands: Hands) -> None:
        self.workspace = workspace
        self.world = workspace.world
        self.courier = courier
        self.hands = hands

    def top(self, person: Person, view_id: str = "") -> View:
        view = self.world.view(view_id) if view_id else self.world.stack(person.id).top
        if view is None or view.user != person.id:
            raise SlackError("no_open_view")
        return view

    async def fill(self, person: Person, view: View, values: dict[str, dict[str, Any]]) -> None:
        for block_id, actions in values.items():
            for action_id, value in actions.items():
                await self.hands.act(person, view, action_id, block_id, value)

    async def submit(
        self, person: Person, view_id: str = "", values: dict[str, dict[str, Any]] | None = None
    ) -> Outcome:
        before = self.world.version
        view = self.top(person, view_id)
        await self.fill(person, view, values or {})
        view.errors, view.notice = incomplete(view), ""
        view.version = self.world.touch()
        if view.errors:
            return Outcome(ok=False, failure="incomplete", errors=view.errors, version=before)
        payload = payloads.submission(person, view, trigger_id=self.world.new_trigger(person.id))
        summary = str(view.body.get("callback_id") or view.id)
        delivery = await self.courier.interaction(payload, person.name, summary)
        if delivery.ok:
            self._follow(person, view, delivery)
        else:
            view.notice = CONNECTING
        view.version = self.world.touch()
        return Outcome.of(delivery, before, errors=view.errors)

    def _follow(self, person: Person, view: View, delivery: Delivery) -> None:
        """Do what the app's acknowledgement says with the modal."""
        body = ack_body(delivery)
        stack = self.world.stack(person.id)
        action = body.get("response_action")
        try:
            if action == "errors":
                view.errors = self._errors(view, body.get("errors"), delivery)
            elif action == "update":
                self.world.change_view(view, checked_view(body.get("view"), "modal"))
            elif action == "push":
                self.world.push_view(checked_view(body.get("view"), "modal"), person.id)
            elif action == "clear":
                stack.open = []
            elif body:
                delivery.problems.append(f"unknown response_action: {action}")
                view.notice = CONNECTING
            else:
                stack.open = [other for other in stack.open if other is not view]
        except SlackError as refused:
            delivery.problems += refused.problems or [refused.error]
            view.notice = CONNECTING

    def _errors(self, view: View, given: Any, delivery: Delivery) -> dict[str, str]:
        """Errors belong under inputs of this very view."""
        inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
        if not isinstance(given, dict) or not given:
            delivery.problems.append("response_action errors without errors")
            return {}
        for block_id, sentence in given.items():
            if block_id not in inputs:
                delivery.problems.append(f"no input block has the block_id {block_id!r}")
            if not isinstance(sentence, str) or not sentence:
                delivery.problems.append(f"the error of {block_id!r} is not a sentence")
        return {key: str(value) for key, value in given.items()}

    async def close(self, person: Person, view_id: str = "") -> Outcome:
        before = self.world.version
        view = self.top(person, view_id)
        stack = self.world.stack(person.id)
        cleared = bool(view.body.get("clear_on_close"))
        gone = list(reversed(stack.open)) if cleared else [view]
        stack.open = [other for other in stack.open if other not in gone]
        self.world.touch()
        outcome = Outcome(version=before)
        for one in gone:
            if one.body.get("notify_on_close"):
                payload = payloads.closed(person, one, cleared=cleared)
                summary = str(one.body.get("callback_id") or one.id)
                delivery = await self.courier.interaction(payload, person.name, summary)
                outcome = Outcome.of(delivery, before)
        return outcome
