"""The whole of this Amazon at one moment: apps, people, switches, consents, and a log of who called."""

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sandbox.amazon.accounts import SellerAccount, default_accounts
from sandbox.amazon.apps import AmazonApp
from sandbox.amazon.geography import MARKETPLACES
from sandbox.amazon.ledger import Authorization, Ledger
from sandbox.amazon.limits import Quotas
from sandbox.amazon.sessions import Sessions
from sandbox.amazon.switches import Switches


@dataclass(frozen=True)
class Call:
    """One request that was answered. Never a code, a token or a secret."""

    at: float
    endpoint: str
    status: int
    app: str
    selling_partner_id: str
    note: str


@dataclass(frozen=True)
class PendingLogin:
    """A seller who consented in the Appstore or renewed, on the way through the developer's login URI."""

    app_key: str
    session_id: str
    account_key: str
    marketplace: str
    minted_at: float


@dataclass(frozen=True)
class PendingConsent:
    """A consent page that somebody is looking at."""

    app_key: str
    session_id: str
    account_key: str
    marketplace: str
    state: str
    redirect_uri: str
    minted_at: float


# The real page stops answering when the whole flow takes longer than this.
PATIENCE = 10 * 60


class AmazonWorld:
    """Everything that a request may look at or change. `now` is the sandbox's clock."""

    def __init__(
        self,
        apps: Sequence[AmazonApp],
        now: Callable[[], float],
        accounts: Sequence[SellerAccount] = default_accounts(),
    ) -> None:
        self._first_apps = tuple(apps)
        self._first_accounts = tuple(accounts)
        self.now = now
        self.reset()

    def reset(self) -> None:
        """Back to the first day; browsers are signed out."""
        self.apps = {app.key: app for app in self._first_apps}
        self.accounts = {account.key: account for account in self._first_accounts}
        self.switches = Switches()
        self.ledger = Ledger()
        self.quotas = Quotas()
        self.sessions = Sessions()
        self.calls: list[Call] = []
        self.logins: dict[str, PendingLogin] = {}
        self.consents: dict[str, PendingConsent] = {}

    # Looking things up.

    def app(self, key_or_application_id: str) -> AmazonApp | None:
        return next(
            (a for a in self.apps.values() if key_or_application_id in {a.key, a.application_id}),
            None,
        )

    def client(self, client_id: str) -> AmazonApp | None:
        return next((app for app in self.apps.values() if app.client_id == client_id), None)

    def account(self, key_or_partner: str) -> SellerAccount | None:
        """By key, or the first user of a selling partner."""
        by_key = self.accounts.get(key_or_partner)
        if by_key is not None:
            return by_key
        return next((a for a in self.accounts.values() if a.selling_partner_id == key_or_partner), None)

    def authorization(self, app: str, partner: str, region: str) -> Authorization | None:
        known = self.app(app)
        return None if known is None else self.ledger.authorizations.get((known.key, partner, region))

    def first_app(self, key: str) -> AmazonApp:
        """As it was registered on the first day."""
        return next(app for app in self._first_apps if app.key == key)

    # Changing things.

    def add_account(self, account: SellerAccount) -> None:
        if account.key in self.accounts:
            raise ValueError(f"there is already an account {account.key}")
        unknown = [code for code in account.marketplaces if code not in MARKETPLACES]
        if unknown or not account.marketplaces:
            raise ValueError(f"marketplaces takes one or more of {', '.join(MARKETPLACES)}")
        self.accounts[account.key] = account

    def change_app(self, key: str, **changes: Any) -> AmazonApp:
        changed: AmazonApp = replace(self.apps[key], **changes)
        self.apps[key] = changed
        return changed

    def grant(self, app: AmazonApp, account: SellerAccount, marketplace: str) -> Authorization:
        """The seller has said yes."""
        partner = self.switches.text("wrong_partner") or account.selling_partner_id
        region = MARKETPLACES[marketplace].region
        return self.ledger.consent(app.key, partner, region, at=self.now())

    def fill(self, app: AmazonApp, count: int) -> None:
        """So many other sellers authorize, to come near the limit of 25."""
        for number in range(1, count + 1):
            self.ledger.consent(app.key, f"AOTHERSELLER{number:03}", "NA", at=self.now())

    def begin_login(self, pending: PendingLogin) -> str:
        amazon_state = secrets.token_urlsafe(24)
        self.logins[amazon_state] = pending
        return amazon_state

    def begin_consent(self, pending: PendingConsent) -> str:
        ticket = secrets.token_urlsafe(24)
        self.consents[ticket] = pending
        return ticket

    def log(self, endpoint: str, status: int, *, app: str = "", partner: str = "", note: str = "") -> None:
        self.calls.append(Call(self.now(), endpoint, status, app, partner, note))

    # Telling.

    def calls_of(self, endpoint: str) -> list[Call]:
        return [call for call in self.calls if call.endpoint == endpoint]

    def authorizations(self) -> Iterable[dict[str, Any]]:
        for held in self.ledger.authorizations.values():
            yield {
                "application": held.app_key,
                "selling_partner_id": held.selling_partner_id,
                "region": held.region,
                "granted_at": held.granted_at,
                "ends_at": held.ends_at,
                "status": held.status(at=self.now()),
            }

    def state(self) -> dict[str, Any]:
        """What the control API tells; client secrets stay out."""
        apps = []
        for app in self.apps.values():
            row = asdict(app) | {"roles": sorted(app.roles)}
            row.pop("client_secret")
            apps.append(row)
        return {
            "now": self.now(),
            "switches": self.switches.all(),
            "apps": apps,
            "accounts": [asdict(account) for account in self.accounts.values()],
            "authorizations": list(self.authorizations()),
        }
