"""What Amazon remembers of consents: authorizations, codes and tokens. Time is passed in; no HTTP here."""

import secrets
from dataclasses import dataclass, field

CODE_LIFE = 5 * 60
ACCESS_LIFE = 60 * 60
AUTHORIZATION_LIFE = 365 * 24 * 60 * 60


@dataclass(eq=False)
class Authorization:
    """One consent: an application, a selling partner, a region. Renewing moves its dates, in place."""

    app_key: str
    selling_partner_id: str
    region: str
    granted_at: float
    ends_at: float
    revoked_at: float | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.app_key, self.selling_partner_id, self.region)

    def stands(self, *, at: float) -> bool:
        return self.revoked_at is None and at < self.ends_at

    def status(self, *, at: float) -> str:
        if self.revoked_at is not None:
            return "disabled"
        return "active" if at < self.ends_at else "ended"


@dataclass
class _Code:
    authorization: Authorization
    redirect_uri: str
    minted_at: float
    used: bool = False


@dataclass(frozen=True)
class AccessToken:
    """Works until it ends by itself, even when the authorization behind it is revoked."""

    authorization: Authorization
    ends_at: float


@dataclass
class Ledger:
    """All authorizations, newest per key, and what hangs on them."""

    authorizations: dict[tuple[str, str, str], Authorization] = field(default_factory=dict)
    _codes: dict[str, _Code] = field(default_factory=dict)
    _refresh_tokens: dict[str, Authorization] = field(default_factory=dict)
    _access_tokens: dict[str, AccessToken] = field(default_factory=dict)

    def consent(self, app_key: str, selling_partner_id: str, region: str, *, at: float) -> Authorization:
        """A standing authorization is renewed; a revoked or ended one is replaced, and its tokens stay dead."""
        held = self.authorizations.get((app_key, selling_partner_id, region))
        if held is not None and held.stands(at=at):
            held.granted_at = at
            held.ends_at = at + AUTHORIZATION_LIFE
            return held
        fresh = Authorization(app_key, selling_partner_id, region, at, at + AUTHORIZATION_LIFE)
        self.authorizations[fresh.key] = fresh
        return fresh

    def mint_code(self, authorization: Authorization, redirect_uri: str, *, at: float) -> str:
        code = f"AN{secrets.token_urlsafe(18)}"
        self._codes[code] = _Code(authorization, redirect_uri, at)
        return code

    def spend_code(self, code: str, *, app_key: str, redirect_uri: str, at: float) -> Authorization | None:
        """None is `invalid_grant`: unknown, another client's, another redirect URI, too late, or used before."""
        held = self._codes.get(code)
        if held is None or held.used or held.authorization.app_key != app_key:
            return None
        if held.redirect_uri != redirect_uri or at - held.minted_at >= CODE_LIFE:
            return None
        if not held.authorization.stands(at=at):
            return None
        held.used = True
        return held.authorization

    def mint_refresh_token(self, authorization: Authorization) -> str:
        token = f"Atzr|{secrets.token_urlsafe(48)}"
        self._refresh_tokens[token] = authorization
        return token

    def retire_refresh_token(self, token: str) -> None:
        self._refresh_tokens.pop(token, None)

    def refreshed_by(self, token: str, *, app_key: str, at: float) -> Authorization | None:
        """None is `invalid_grant`: unknown, another client's, revoked, or run out."""
        authorization = self._refresh_tokens.get(token)
        if authorization is None or authorization.app_key != app_key:
            return None
        return authorization if authorization.stands(at=at) else None

    def mint_access_token(self, authorization: Authorization, *, at: float) -> str:
        token = f"Atza|{secrets.token_urlsafe(48)}"
        self._access_tokens[token] = AccessToken(authorization, at + ACCESS_LIFE)
        return token

    def access(self, token: str) -> AccessToken | None:
        return self._access_tokens.get(token)

    def revoke(self, key: tuple[str, str, str], *, at: float) -> Authorization | None:
        held = self.authorizations.get(key)
        if held is not None and held.revoked_at is None:
            held.revoked_at = at
        return held

    def expire(self, key: tuple[str, str, str], *, at: float) -> Authorization | None:
        """As if the year were over."""
        held = self.authorizations.get(key)
        if held is not None:
            held.ends_at = min(held.ends_at, at)
        return held

    def sellers_of(self, app_key: str, *, at: float) -> set[str]:
        """The selling partners that count against the limit of an app outside the Appstore."""
        return {
            held.selling_partner_id
            for held in self.authorizations.values()
            if held.app_key == app_key and held.stands(at=at)
        }
