"""The one composition root: everything that is made is made here, and wired by hand.

`build(settings, **replacements)` makes it; `start()` and `stop()` bring it to life and end it; `asgi` is what a server serves.
"""

from __future__ import annotations

import asyncio
import base64
import importlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import aiohttp
import httpx
import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from bot.adapters.amazon.client import HttpAmazon, open_http
from bot.adapters.chance import SystemEntropy
from bot.adapters.slack.bolt import authorize_by, make_bolt
from bot.adapters.slack.delivery import SlackDelivery
from bot.adapters.slack.install import SlackInstaller
from bot.adapters.slack.people import SlackPeople
from bot.adapters.slack.reception import Reception
from bot.adapters.slack.session import SlackApi, open_session, web_client
from bot.adapters.slack.socket_mode import SocketMode
from bot.adapters.slack.workspaces import SingleWorkspace, Workspaces
from bot.desk_app import make_desk
from bot.domain.features import FEATURES
from bot.domain.year_notices import DeskDigest, SellerDigest
from bot.i18n import Speaker
from bot.mirror_app import Mirror
from bot.ports import Amazon, Clock, Entropy
from bot.schedule import our_applications, scheduled_jobs
from bot.services.answering import Answering
from bot.services.checking import Checking
from bot.services.clockwatching import ClockWatching
from bot.services.digesting import Digesting
from bot.services.granting import Granting
from bot.services.intake import Intake
from bot.services.jobs import Job, JobClock
from bot.services.learning import Learning
from bot.services.naming import Names
from bot.services.nudging import Nudging
from bot.services.presence import Presence
from bot.services.relay import Relay
from bot.services.reporting import Reporting
from bot.services.stores import StoreKeeping
from bot.services.support import Support
from bot.services.sweeping import Sweeping
from bot.settings import Settings
from bot.web.desk_metrics import DeskMetrics
from bot.web.headers import SecurityHeaders, amazon_form_targets
from bot.web.health import Metrics, health_routes, relay_check, remembered
from bot.web.ingress import SlackIngress
from bot.web.limits import PUBLIC_ROUTES, RateLimit, RouteClass
from faq.live import LiveKnowledge
from handlers import CAPABILITIES
from handlers.consent_rendering import busy_page
from handlers.listening import listen
from handlers.routing import Registry
from handlers.stories import Stories
from storage.database import SqlDatabase
from storage.migrate import is_current, migrate
from storage.vault import Vault

log = structlog.get_logger(__name__)

#: a digest that could not be sent for so long would say what is not so any more
STALE_DIGEST = timedelta(hours=20)


def now_in_utc() -> datetime:
    """The real clock."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Grantdesk:
    """The whole service, assembled."""

    settings: Settings
    database: SqlDatabase
    relay: Relay
    stories: Stories
    registry: Registry
    reception: Reception
    metrics: Metrics
    amazon: Amazon
    asgi: ASGIApp
    jobs: Sequence[Job]
    clock: Clock
    #: how often the scheduler looks at its clock, at least
    look_every: timedelta
    mirror: Mirror
    _workspaces: Workspaces
    _socket_mode: SocketMode | None
    _session: aiohttp.ClientSession
    _http: httpx.AsyncClient
    _scheduler: AsyncIOScheduler = field(default_factory=lambda: AsyncIOScheduler(timezone=UTC))
    _relaying: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Migrates, learns whose token it holds, and begins to work: relay, clock, Socket Mode."""
        await migrate(self.settings.database_url)
        await self.database.start()
        await self.stories.learning.refresh()
        if isinstance(self._workspaces, SingleWorkspace):
            await self._workspaces.start()
        self._relaying = asyncio.create_task(self.relay.run(), name="relay")
        self.mirror.start()
        hands = JobClock(self.jobs, self.database.job_runs, clock=self.clock)
        for job in self.jobs:
            self._scheduler.add_job(
                hands.look,
                "interval",
                args=[job.name],
                id=job.name,
                # not every `job.every`: a process that is restarted each night would never reach a daily job
                seconds=min(job.every, self.look_every).total_seconds(),
                max_instances=1,
                coalesce=True,
                misfire_grace_time=None,
            )
        self._scheduler.start()
        if self._socket_mode is not None:
            self._socket_mode.start()

    async def stop(self) -> None:
        """Takes nothing new, finishes what runs, closes what is open."""
        if self._socket_mode is not None:
            await self._socket_mode.stop()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        await self.stories.learning.settled()
        await asyncio.gather(self.relay.stop(), self.mirror.stop())
        if self._relaying is not None:
            await self._relaying
        if isinstance(self._workspaces, SingleWorkspace):
            await self._workspaces.stop()
        await self._session.close()
        await self._http.aclose()
        await self.database.close()

    async def run_job(self, name: str, *, at: datetime | None = None) -> object:
        """Runs a job for a moment, whatever the clock says; what it did. Raises KeyError."""
        return await {job.name: job for job in self.jobs}[name].run(at or self.clock())


async def build(
    settings: Settings,
    *,
    clock: Clock = now_in_utc,
    entropy: Entropy | None = None,
    amazon: Amazon | None = None,
    public_routes: Sequence[RouteClass] = PUBLIC_ROUTES,
    look_every: timedelta = timedelta(minutes=1),
) -> Grantdesk:
    """Assembles the service. The keywords replace parts of the world, for tests, benchmarks and the demo."""
    entropy = entropy or SystemEntropy()
    metrics = Metrics()
    woken: list[Callable[[], None]] = []

    def wake_relay() -> None:
        for wake in woken:  # none while the relay is still being made
            wake()

    database = SqlDatabase(
        settings.database_url,
        vault=Vault.from_base64({key: value.get_secret_value() for key, value in settings.encryption_keys.items()}),
        clock=clock,
        entropy=entropy,
        on_outbox=wake_relay,
        support_channel=settings.support_channel,
        mirrored=bool(settings.mirror_url),
    )
    session = open_session()
    http = open_http()
    api = SlackApi(session, settings.slack_api_url, metrics.slack_call)
    workspaces = _workspaces(settings, database, api, clock)
    people = SlackPeople(api, tokens=workspaces, profiles=database.people, clock=clock)
    amazon = amazon or HttpAmazon(
        settings.applications,
        public_url=settings.public_url,
        http=http,
        clock=clock,
        lwa_url=settings.amazon_lwa_url,
        spapi_url=settings.amazon_spapi_url,
        seller_central_url=settings.amazon_seller_central_url,
        observe=metrics.amazon_call,
    )
    desk_metrics = DeskMetrics(metrics.registry)
    intake = Intake(clock=clock, entropy=entropy, targets=settings.targets, watch=settings.watch, observe=desk_metrics)
    granting = Granting(database, amazon, clock=clock, entropy=entropy, intake=intake, observe=metrics.consent)
    checking = Checking(database, amazon, granting, clock=clock)
    reporting = Reporting(database, clock=clock)
    names = Names(
        platform=settings.platform_name,
        sister=settings.sister_name,
        mirrored=bool(settings.mirror_url),
        developers={feature: amazon.developer_name(feature) for feature in FEATURES},
        applications={feature: amazon.application_name(feature) for feature in FEATURES},
    )
    knowledge = LiveKnowledge()
    answering = Answering(
        knowledge,
        database,
        names=names,
        reporting=reporting,
        checking=checking,
        clock=clock,
        observe=desk_metrics,
    )
    support_desk = make_desk(
        settings,
        database,
        intake=intake,
        answering=answering,
        granting=granting,
        checking=checking,
        reporting=reporting,
        people=people,
        names=names,
        clock=clock,
        observe=desk_metrics,
    )
    roles = support_desk.roles
    mirror = Mirror(settings, database, session, clock=clock, observe=metrics.errand)
    stories = Stories(
        stores=StoreKeeping(database, clock=clock, entropy=entropy),
        granting=granting,
        checking=checking,
        reporting=reporting,
        support=Support(database, intake=intake, answering=answering, reporting=reporting, clock=clock),
        desk=support_desk,
        answering=answering,
        learning=Learning(knowledge, database, reporting=reporting, roles=roles, clock=clock, entropy=entropy),
        presence=Presence(database, roles=roles, clock=clock),
        digesting=Digesting(
            database,
            people,
            clock=clock,
            roles=roles,
            channel=settings.support_channel,
            channel_tz=settings.desk_time_zone,
            installed=workspaces.is_in,
        ),
        nudging=Nudging(database, answering, people, clock=clock),
        people=people,
        clock=clock,
        names=names,
        public_url=settings.public_url,
        picture_keys=[base64.b64decode(key.get_secret_value()) for key in settings.encryption_keys.values()],
        installer=_installer(settings, database, api, workspaces, clock, entropy),
        workspaces=workspaces,
        mirror=mirror.stories,
    )
    registry = Registry()
    for capability in CAPABILITIES:
        importlib.import_module(f"handlers.{capability}").register(registry, stories)
    app = make_bolt(
        client=web_client(session, api_url=settings.slack_api_url),
        authorize=authorize_by(workspaces),
        not_installed=Speaker("en")("install.missing", url=f"{settings.public_url}/slack/install"),
    )
    listen(app, registry, people)
    reception = Reception(app, database.deliveries, clock=clock, observe=metrics.ack)
    delivery = SlackDelivery(
        api,
        tokens=workspaces,
        cards=database.cards,
        people=people,
        renderers=registry.renderers,
        clock=clock,
        channel_locale=settings.desk_locale,
        channel_tz=settings.desk_time_zone,
    )
    digests = (SellerDigest.kind, DeskDigest.kind)
    relay = Relay(
        database.errands,
        delivery.deliver,
        registry.tasks,
        clock=clock,
        one_by_one=digests,
        stale_after=dict.fromkeys(digests, STALE_DIGEST),
        stale=lambda errand: stories.digesting.missed(errand.team_id, errand.recipient, errand.body),
        observe=metrics.errand,
    )
    woken += [relay.wake, mirror.wake]
    app_token = settings.slack_app_token.get_secret_value()
    desk = Grantdesk(
        settings=settings,
        database=database,
        relay=relay,
        stories=stories,
        registry=registry,
        reception=reception,
        metrics=metrics,
        amazon=amazon,
        asgi=Starlette(),
        jobs=scheduled_jobs(
            stories,
            database,
            Sweeping(database, amazon, database.installations.first, intake, clock=clock),
            ClockWatching(database, our_applications(settings), database.installations.first, clock=clock),
        ),
        clock=clock,
        look_every=look_every,
        mirror=mirror,
        _workspaces=workspaces,
        _socket_mode=SocketMode(reception, api=api, app_token=app_token) if app_token else None,
        _session=session,
        _http=http,
    )
    desk.asgi = _asgi(desk, registry.routes, public_routes)
    return desk


def _workspaces(settings: Settings, database: SqlDatabase, api: SlackApi, clock: Clock) -> Workspaces:
    token = settings.slack_bot_token.get_secret_value()
    if token:
        return SingleWorkspace(database.installations, token=token, api=api, clock=clock)
    return Workspaces(database.installations, clock=clock)


def _installer(
    settings: Settings, database: SqlDatabase, api: SlackApi, workspaces: Workspaces, clock: Clock, entropy: Entropy
) -> SlackInstaller | None:
    if not settings.slack_client_id:
        return None
    return SlackInstaller(
        database.installations,
        api=api,
        workspaces=workspaces,
        client_id=settings.slack_client_id,
        client_secret=settings.slack_client_secret.get_secret_value(),
        public_url=settings.public_url,
        clock=clock,
        entropy=entropy,
        # beside the Web API: slack.com/oauth/… for slack.com/api/
        authorize_url=f"{settings.slack_api_url.removesuffix('api/')}oauth/v2/authorize",
    )


def _asgi(desk: Grantdesk, routes: Sequence[BaseRoute], public_routes: Sequence[RouteClass]) -> ASGIApp:
    settings = desk.settings

    async def database_answers() -> bool:
        await desk.database.ping()
        return True

    checks: dict[str, Callable[[], Awaitable[bool]]] = {
        "database": database_answers,
        "migrations": remembered(partial(is_current, desk.database.engine), now=time.monotonic),
        "relay": relay_check(desk.relay.is_alive),
    }

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await desk.start()
        try:
            yield
        finally:
            await desk.stop()

    own: list[BaseRoute] = [*health_routes(checks, desk.metrics), *routes]
    if settings.signing_secrets:
        ingress: Any = SlackIngress(desk.reception, secrets=settings.signing_secrets, clock=desk.clock)
        own.append(Route("/slack/events", ingress))
    app = Starlette(
        routes=own,
        lifespan=lifespan,
        middleware=[
            Middleware(
                RateLimit,
                now=time.monotonic,
                routes=public_routes,
                trusted_proxies=settings.trusted_proxies,
                page=busy_page(desk.stories.names),
            )
        ],
    )
    # around the whole, so that Starlette's own error page carries them too
    return SecurityHeaders(
        app,
        https=settings.public_url.startswith("https:"),
        form_targets=amazon_form_targets(settings.amazon_seller_central_url),
    )
