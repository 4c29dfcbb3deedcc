"""What Seller Central refuses before it shows a consent, and with which code."""

from dataclasses import dataclass

from sandbox.amazon.accounts import SellerAccount
from sandbox.amazon.apps import AmazonApp
from sandbox.amazon.errors import PROFESSIONAL_REQUIRED
from sandbox.amazon.world import AmazonWorld

# How many sellers may authorize an app that is not listed in the Appstore.
UNLISTED_LIMIT = 25


@dataclass(frozen=True)
class Link:
    """What the developer's link or callback brought along."""

    application_id: str
    state: str
    redirect_uri: str
    version: str


def fault_of_link(world: AmazonWorld, link: Link) -> str:
    """A code if the developer's side is wrong, or an empty string."""
    if forced := world.switches.text("md_code"):
        return forced
    if not link.application_id or not link.state or not link.redirect_uri:
        return "MD9999"
    app = world.app(link.application_id)
    # An id of the wrong kind (a client id, say) is answered like a draft.
    if app is None or app.application_id != link.application_id:
        return "MD1000"
    return _fault_of_registration(world, app, link)


def _fault_of_registration(world: AmazonWorld, app: AmazonApp, link: Link) -> str:
    if not app.enabled:
        return "SPSA0404"
    if not app.login_uri:
        return "MD5100"
    if not app.redirect_uris:
        return "MD9100"
    if is_draft(world, app) and link.version != "beta":
        return "MD1000"
    if "#" in link.redirect_uri:
        return "MD5110"
    return "" if link.redirect_uri in app.redirect_uris else "MD5101"


def fault_of_account(world: AmazonWorld, app: AmazonApp, account: SellerAccount) -> str:
    """A code if this user may not authorize this app, or an empty string."""
    switches = world.switches
    if switches.is_on("individual_plan") or not account.professional:
        return PROFESSIONAL_REQUIRED
    if switches.is_on("no_permission") or not account.may_authorize:
        return "SPDC8143"
    if switches.is_on("consent_limit"):
        return "CONSENT_LIMIT_REACHED"
    if not app.listed:
        sellers = world.ledger.sellers_of(app.key, at=world.now())
        if account.selling_partner_id not in sellers and len(sellers) >= UNLISTED_LIMIT:
            return "CONSENT_LIMIT_REACHED"
    return ""


def is_draft(world: AmazonWorld, app: AmazonApp) -> bool:
    return app.draft or world.switches.is_on("draft")
