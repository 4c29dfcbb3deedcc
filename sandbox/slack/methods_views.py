"""Web API methods that show modals and homes."""

from sandbox.slack.calls import Arguments
from sandbox.slack.limits import message_problems, problems, view_problems
from sandbox.slack.views import View
from sandbox.slack.workspace import Json, Workspace
from sandbox.slack.world import SlackError


def checked_view(view: object, kind: str) -> Json:
    """A view that Slack would take on this surface, or a refusal that says why not."""
    if not isinstance(view, dict):
        raise SlackError("invalid_arguments", ["[ERROR] missing required field: view"])
    found = view_problems(view)
    if not found and view["type"] != kind:
        found = [f"[ERROR] unsupported type: {view['type']} [json-pointer:/view/type]"]
    if found:
        raise SlackError("invalid_arguments", found)
    return view


def _taken(workspace: Workspace, body: Json, besides: View | None = None) -> None:
    """Two open views may not go by one external id."""
    name = body.get("external_id")
    if not name:
        return
    try:
        other = workspace.world.view(str(name))
    except SlackError:
        return
    if other is not besides:
        raise SlackError("duplicate_external_id")


def open_view(workspace: Workspace, args: Arguments) -> Json:
    body = checked_view(args.structure("view"), "modal")
    _taken(workspace, body)
    user = workspace.world.spend_trigger(args.need("trigger_id"))
    return {"view": workspace.world.open_view(body, user).as_view()}


def push_view(workspace: Workspace, args: Arguments) -> Json:
    body = checked_view(args.structure("view"), "modal")
    _taken(workspace, body)
    user = workspace.world.spend_trigger(args.need("trigger_id"))
    return {"view": workspace.world.push_view(body, user).as_view()}


def update_view(workspace: Workspace, args: Arguments) -> Json:
    name = args.text("view_id") or args.need("external_id")
    view = workspace.world.view(name)
    body = checked_view(args.structure("view"), str(view.body["type"]))
    _taken(workspace, body, besides=view)
    if args.text("hash") and args.text("hash") != view.hash:
        raise SlackError("hash_conflict")
    return {"view": workspace.world.change_view(view, body).as_view()}


def publish_view(workspace: Workspace, args: Arguments) -> Json:
    body = checked_view(args.structure("view"), "home")
    user = workspace.world.person(args.need("user_id"))
    home = workspace.world.homes.get(user.id)
    if args.text("hash") and home is not None and args.text("hash") != home.hash:
        raise SlackError("hash_conflict")
    return {"view": workspace.world.publish_home(body, user.id).as_view()}


def validate_blocks(_: Workspace, args: Arguments) -> Json:
    blocks, view, message = (args.structure(name) for name in ("blocks", "view", "message"))
    if sum(part is not None for part in (blocks, view, message)) != 1:
        raise SlackError("invalid_arguments", ["must provide exactly one of `blocks`, `view`, or `message`"])
    if view is not None:
        error, found = "invalid_view", view_problems(view)
    elif message is not None:
        body = message if isinstance(message, dict) else {}
        error, found = "invalid_message", message_problems(body.get("text"), body.get("blocks"))
    else:
        error, found = "invalid_blocks", problems(blocks)
    if found:
        raise SlackError(error, found)
    return {}
