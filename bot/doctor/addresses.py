"""Does our own address answer, with the secret we know; and does the sister system's?"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from http import HTTPStatus
from urllib.parse import urlsplit

import aiohttp

from bot.adapters.mirror import Seal
from bot.doctor.findings import Finding, Findings, silent
from bot.ports import Clock
from bot.settings import Settings

_ANSWER_LIMIT = 2000
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


async def examine_public(settings: Settings, session: aiohttp.ClientSession, clock: Clock) -> Findings:
    name, url = "Public address", settings.public_url
    try:
        async with session.get(f"{url}/healthz", allow_redirects=False) as response:
            status = response.status
    except aiohttp.ClientConnectorCertificateError:
        return [Finding(name, well=False, advice=f"The certificate of {url} is not valid: renew it.")]
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        advice = (
            f"Nothing answers at {url} ({type(error).__name__}): start `grantdesk serve`, and let your proxy pass PUBLIC_URL "
            f"on to {settings.host}:{settings.port}."
        )
        return [Finding(name, well=False, advice=advice)]
    if status != HTTPStatus.OK:
        advice = (
            f"{url}/healthz answers {status}: something else than Grantdesk is there, or your proxy changes the path."
        )
        return [Finding(name, well=False, advice=advice)]
    only_here = urlsplit(url).hostname in _LOOPBACK
    advice = f"{url} is this machine only: Slack and sellers cannot reach it." if only_here else url
    return [Finding(name, well=True, advice=advice, soon=only_here), *await _signing(settings, session, clock)]


async def _signing(settings: Settings, session: aiohttp.ClientSession, clock: Clock) -> Findings:
    """A signed greeting like Slack's: the service behind the address must know the secret that we know."""
    if not settings.signing_secrets:
        return []
    name, greeting = "Signing secret", secrets.token_hex(8)  # another one each time: a replay is refused
    body = json.dumps({"type": "url_verification", "challenge": greeting}).encode()
    at = str(int(clock().timestamp()))
    digest = hmac.digest(settings.signing_secrets[0].encode(), b"v0:" + at.encode() + b":" + body, hashlib.sha256)
    headers = {
        "content-type": "application/json",
        "x-slack-request-timestamp": at,
        "x-slack-signature": f"v0={digest.hex()}",
    }
    async with session.post(f"{settings.public_url}/slack/events", data=body, headers=headers) as response:
        said = (await response.content.read(_ANSWER_LIMIT)).decode("utf-8", "replace")
    if response.status == HTTPStatus.OK and said == greeting:
        return [
            Finding(name, well=True, advice="the running service takes it; that it is Slack's, a first command shows")
        ]
    advice = (
        f"The service at PUBLIC_URL answers a signed greeting with {response.status}: it runs with another "
        "SLACK_SIGNING_SECRET (restart it), or a proxy changes bodies or drops the X-Slack-… headers."
    )
    return [Finding(name, well=False, advice=advice)]


async def examine_sister(settings: Settings, session: aiohttp.ClientSession, clock: Clock) -> Findings:
    """A signed greeting, of a type that receivers ignore: the sister system must be there and know the secret we know."""
    name, url = "Sister system", settings.mirror_url
    if not url:
        return [Finding(name, well=True, advice="not mirrored: MIRROR_URL is empty")]
    body = json.dumps({"type": "mirror.greeting", "timestamp": clock().isoformat(), "data": {}})
    headers = Seal(settings.mirror_secrets, clock=clock).headers(f"greeting-{secrets.token_hex(8)}", body)
    try:
        async with session.post(url, data=body.encode(), headers=headers, allow_redirects=False) as response:
            status = response.status
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return [Finding(name, well=False, advice=silent(url, error))]
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        advice = f"{url} answers a signed greeting with {status}: it has another MIRROR_SECRET, or its clock is wrong."
        return [Finding(name, well=False, advice=advice)]
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        advice = f"{url} answers a signed greeting with {status}: check MIRROR_URL with whoever runs it."
        return [Finding(name, well=False, advice=advice)]
    return [Finding(name, well=True, advice=f"{url} takes what we sign")]
