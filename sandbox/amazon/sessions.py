"""Which account each browser is signed in as. That account, and not the link, decides who authorizes."""

import secrets
from dataclasses import dataclass

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

COOKIE = "sandbox-seller-central"


@dataclass
class Session:
    """One browser. The marketplace is the country chosen at sign-in; its region is what a consent covers."""

    id: str
    csrf: str
    account_key: str = ""
    marketplace: str = ""

    def sent_this(self, form: FormData) -> bool:
        """Whether the form came from one of our own pages in this browser."""
        return secrets.compare_digest(str(form.get("csrf", "")).encode(), self.csrf.encode())


class Sessions:
    """All browsers that have been here."""

    def __init__(self) -> None:
        self._by_id: dict[str, Session] = {}

    def of(self, request: Request) -> Session:
        known = self._by_id.get(request.cookies.get(COOKIE, ""))
        return known if known is not None else self._fresh()

    def sign_in(self, session: Session, account_key: str, marketplace: str) -> Session:
        """A new id for a new person, so that an id planted before sign-in is worth nothing."""
        self._by_id.pop(session.id, None)
        fresh = self._fresh()
        fresh.account_key = account_key
        fresh.marketplace = marketplace
        return fresh

    def sign_out(self, session: Session) -> None:
        self._by_id.pop(session.id, None)

    def _fresh(self) -> Session:
        session = Session(id=secrets.token_urlsafe(24), csrf=secrets.token_urlsafe(24))
        self._by_id[session.id] = session
        return session


def remember(response: Response, session: Session) -> None:
    response.set_cookie(COOKIE, session.id, path="/amazon", httponly=True, samesite="lax")
