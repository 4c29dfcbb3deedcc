"""Does Amazon know our applications, and for how long still?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import httpx
from sqlalchemy import distinct, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.adapters.amazon.client import HttpAmazon
from bot.doctor.findings import Finding, Findings, silent
from bot.domain.features import FeatureKey
from bot.domain.verification import Reason, Refused
from bot.ports import Clock
from bot.settings import ApplicationSettings, Settings
from storage.migrate import is_current
from storage.tables import authorizations

#: Amazon: a client secret ends after 180 days, and its owner is told from 90 days before
SECRET_LIFETIME = timedelta(days=180)
SECRET_NOTICE = timedelta(days=90)
#: Amazon: an application that is not in the Appstore
UNLISTED_SELLERS = 25
_NO_TOKEN = "Atzr|grantdesk-doctor"  # noqa: S105  # is meant to be refused


@dataclass(slots=True)
class AmazonExamination:
    settings: Settings
    http: httpx.AsyncClient
    clock: Clock

    async def examine(self, feature: FeatureKey, engine: AsyncEngine | None) -> Findings:
        name, prefix = f"Amazon, {feature.value}", f"AMAZON_{feature.name}_"
        application = self.settings.applications.get(feature)
        if application is None or not application.configured:
            advice = f"{prefix}APPLICATION_ID is not set: sellers cannot grant this feature."
            return [Finding(name, well=False, advice=advice)]
        base = f"{self.settings.public_url}/amazon/{feature.value}"
        addresses = f"to compare with the application at Amazon: login URI {base}/login, redirect URI {base}/callback"
        return [
            await self._credentials(name, prefix, feature),
            Finding(f"{name}: addresses", well=True, advice=addresses),
            self._secret_age(name, prefix, application),
            *await self._standing(name, prefix, application, engine),
        ]

    async def _credentials(self, name: str, prefix: str, feature: FeatureKey) -> Finding:
        """By refreshing with a token that cannot be right: Amazon looks at the client first."""
        amazon = HttpAmazon(
            self.settings.applications,
            public_url=self.settings.public_url,
            http=self.http,
            clock=self.clock,
            lwa_url=self.settings.amazon_lwa_url,
        )
        answer = await amazon.refresh(feature, _NO_TOKEN)
        match answer:
            case Refused(reason=Reason.REVOKED):
                return Finding(name, well=True, advice="Amazon knows the client id and its secret")
            case Refused(reason=Reason.OUR_CREDENTIALS):
                advice = (
                    f"Amazon does not accept {prefix}CLIENT_ID with {prefix}CLIENT_SECRET: copy both from LWA credentials. "
                    "A secret ends 180 days after it was issued."
                )
                return Finding(name, well=False, advice=advice)
            case Refused():
                return Finding(name, well=False, advice=silent(self.settings.amazon_lwa_url, TimeoutError()))
            case _:
                return Finding(name, well=False, advice="A made-up token was accepted: AMAZON_LWA_URL is not Amazon's.")

    def _secret_age(self, name: str, prefix: str, application: ApplicationSettings) -> Finding:
        name, today, issued = f"{name}: client secret", self.clock().date(), application.client_secret_issued
        if issued is None:
            advice = f"Its age is not known: set {prefix}CLIENT_SECRET_ISSUED, and you are told before its 180 days are over."
            return Finding(name, well=True, advice=advice, soon=True)
        if issued > today:
            return Finding(name, well=False, advice=f"{prefix}CLIENT_SECRET_ISSUED lies in the future: correct it.")
        end = issued + SECRET_LIFETIME
        if end <= today:
            advice = (
                f"Its 180 days were over on {end}: rotate it at Amazon, then set {prefix}CLIENT_SECRET and …_ISSUED."
            )
            return Finding(name, well=False, advice=advice)
        soon = end - today <= SECRET_NOTICE
        advice = f"good until {end}, {(end - today).days} days from now"
        return Finding(name, well=True, advice=f"{advice}: rotate it before" if soon else advice, soon=soon)

    async def _standing(
        self, name: str, prefix: str, application: ApplicationSettings, engine: AsyncEngine | None
    ) -> Findings:
        found = []
        if application.draft:
            advice = f"Links carry version=beta. Once Amazon has published the application, set {prefix}DRAFT=false."
            found.append(Finding(f"{name}: draft", well=True, advice=advice, soon=True))
        if not application.listed:
            held = await _sellers(engine, application.application_id)
            advice = f"{held} of the {UNLISTED_SELLERS} sellers that Amazon allows an application outside the Appstore."
            found.append(Finding(f"{name}: not listed", well=held < UNLISTED_SELLERS, advice=advice, soon=True))
        return found


async def _sellers(engine: AsyncEngine | None, application_id: str) -> int:
    """How many selling partners have authorized the application."""
    if engine is None or not await is_current(engine):
        return 0
    statement = select(func.count(distinct(authorizations.c.selling_partner_id)))
    async with engine.connect() as connection:
        return await connection.scalar(statement.where(authorizations.c.application_id == application_id)) or 0
