"""What is kept of a question, and what never is."""

from __future__ import annotations

import pytest

from bot.domain.questions import TEXT_LIMIT, without_personal


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("mail mei.chen+1@acme.co.uk please", "mail … please"),
        ("<mailto:mei@acme.com|mei@acme.com> has no orders", "… has no orders"),
        ("<@U0MEI> in <#C0GENERAL|general>: no orders", "… in …: no orders"),
        ("order 113-1234567-7654321 is missing", "order … is missing"),
        ("订单113-1234567-7654321没有进来", "订单…没有进来"),
        ("seller A2ACMEPARTNER is stuck", "seller … is stuck"),
        ("see https://sellercentral.amazon.com/x?y=1 pls", "see … pls"),
        ("call +86 138-0013-8000 now", "call … now"),
        ("微信 13800138000 找我", "微信 … 找我"),
        ("token Atzr|IwEBIJ_secret leaked", "token … leaked"),
        ("amzn1.sp.solution.abc does not open", "… does not open"),
        ("MD5101 again", "MD5101 again"),
        ("SPDC8143: no permission", "SPDC8143: no permission"),
        ("2FA fails", "2FA fails"),
        ("within 10 minutes, 365 days", "within 10 minutes, 365 days"),
        ("no orders\nBest regards,\nMei Chen", "no orders"),
        ("没有订单\n此致\n陈梅", "没有订单"),
        ("   a   b  ", "a b"),
    ],
)
def test_what_points_at_somebody_is_left_out(written: str, kept: str) -> None:
    assert without_personal(written) == kept


def test_names_of_stores_are_left_out_the_longest_first() -> None:
    assert (
        without_personal("acme us and Acme: no orders, 小店也没有", ["Acme", "Acme US", "小店"])
        == "… and …: no orders, …也没有"
    )


def test_a_ticket_is_cut_to_size() -> None:
    assert len(without_personal("word " * 1000)) == TEXT_LIMIT
