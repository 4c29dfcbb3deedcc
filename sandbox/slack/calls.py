"""A Web API call taken apart: its arguments, whoever sent them in whichever encoding."""

import json
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from sandbox.slack.world import SlackError

Json = dict[str, Any]
#: Arguments that arrive as JSON text when a form carries them.
STRUCTURED = frozenset({"blocks", "view", "metadata", "attachments", "files", "prompts", "message"})


@dataclass(frozen=True)
class Arguments:
    """The arguments of one call; asking for a missing one refuses the call as Slack would."""

    values: Json

    def need(self, name: str, error: str = "invalid_arguments") -> str:
        value = self.values.get(name)
        if value in (None, ""):
            raise SlackError(error, [f"[ERROR] missing required field: {name}"])
        return str(value)

    def text(self, name: str) -> str:
        return str(self.values.get(name) or "")

    def flag(self, name: str) -> bool:
        return self.values.get(name) in (True, "true", "1", 1, "True")

    def number(self, name: str, default: int) -> int:
        try:
            return int(self.values.get(name) or default)
        except (TypeError, ValueError):
            return default

    def structure(self, name: str) -> Any:
        return self.values.get(name)


def _decoded(name: str, value: Any) -> Any:
    if name in STRUCTURED and isinstance(value, str) and value:
        try:
            return json.loads(value)
        except ValueError:
            error = {"blocks": "invalid_blocks_format", "view": "invalid_arguments"}
            raise SlackError(error.get(name, "invalid_arguments"), [f"[ERROR] {name} is not JSON"]) from None
    return value


async def read_arguments(request: Request) -> Arguments:
    """Query, form and JSON body, all in one."""
    values: Json = dict(request.query_params)
    kind = request.headers.get("content-type", "").partition(";")[0]
    if request.method == "POST":
        if kind == "application/json":
            body = await request.body()
            try:
                loaded = json.loads(body or b"{}")
            except ValueError:
                raise SlackError("invalid_json") from None
            if not isinstance(loaded, dict):
                raise SlackError("json_not_object")
            values |= loaded
        elif kind in {"application/x-www-form-urlencoded", "multipart/form-data"}:
            form = await request.form()
            values |= {key: value for key, value in form.items() if isinstance(value, str)}
    return Arguments({key: _decoded(key, value) for key, value in values.items()})


def read_token(request: Request, arguments: Arguments) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return arguments.text("token")
