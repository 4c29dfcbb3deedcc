"""The site: real services on a migrated SQLite file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.middleware import Middleware

from bot.adapters.amazon.client import HttpAmazon
from bot.domain.features import FEATURES
from bot.services.checking import Checking
from bot.services.granting import Granting
from bot.services.naming import Names
from bot.services.reporting import Reporting
from bot.services.stores import StoreKeeping
from bot.services.support import Support
from bot.settings import ApplicationSettings
from bot.web.headers import SecurityHeaders, amazon_form_targets
from handlers import consent_page
from handlers.routing import Registry
from handlers.stories import Stories
from sandbox.amazon.app import AmazonWorld, default_apps, routes
from storage.database import SqlDatabase
from tests.pages.site import AMAZON, BOT, SELLER_CENTRAL, KnownPeople, Site
from tests.storage.fakes import CountingEntropy, FakeClock


@pytest.fixture
async def site(sqlite_database: SqlDatabase, clock: FakeClock, entropy: CountingEntropy) -> AsyncIterator[Site]:
    world = AmazonWorld(default_apps(BOT), lambda: clock().timestamp())
    sandbox = httpx.ASGITransport(app=Starlette(routes=routes(world)))
    applications = {
        feature: ApplicationSettings(
            _env_file=None,
            application_id=app.application_id,
            client_id=app.client_id,
            client_secret=SecretStr(app.client_secret),
            developer_name=app.developer_name,
        )
        for feature, app in zip(FEATURES, default_apps(BOT), strict=True)
    }
    async with httpx.AsyncClient(transport=sandbox) as http:
        amazon = HttpAmazon(
            applications,
            public_url=BOT,
            http=http,
            clock=clock,
            lwa_url=f"{AMAZON}/amazon/lwa",
            spapi_url=f"{AMAZON}/amazon/spapi",
            seller_central_url=SELLER_CENTRAL,
        )
        granting = Granting(sqlite_database, amazon, clock=clock, entropy=entropy)
        reporting = Reporting(sqlite_database, clock=clock)
        stories = Stories(
            stores=StoreKeeping(sqlite_database, clock=clock, entropy=entropy),
            granting=granting,
            checking=Checking(sqlite_database, amazon, granting, clock=clock),
            reporting=reporting,
            support=Support(
                sqlite_database,
                intake=granting.intake,
                answering=cast("Any", None),
                reporting=reporting,
                clock=clock,
            ),
            desk=cast("Any", None),
            answering=cast("Any", None),
            learning=cast("Any", None),
            presence=cast("Any", None),
            digesting=cast("Any", None),
            nudging=cast("Any", None),
            people=KnownPeople(),
            clock=clock,
            names=Names(
                platform="SaleYee",
                sister="Feikan",
                developers={feature: amazon.developer_name(feature) for feature in FEATURES},
                applications={feature: amazon.application_name(feature) for feature in FEATURES},
            ),
            public_url=BOT,
            picture_keys=(),
            workspaces=cast("Any", None),
            installer=None,
        )
        registry = Registry()
        consent_page.register(registry, stories)
        app = Starlette(
            routes=registry.routes,
            middleware=[Middleware(SecurityHeaders, https=True, form_targets=amazon_form_targets(SELLER_CENTRAL))],
        )
        yield Site(sqlite_database, stories, clock, entropy, world, httpx.ASGITransport(app=app), sandbox)
