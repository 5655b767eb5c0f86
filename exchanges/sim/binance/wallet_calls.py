"""The few wallet endpoints (sapi) that clients ask for while they load markets with keys."""

from __future__ import annotations

from typing import Any

from exchanges.sim.binance.call import Call
from exchanges.sim.binance.endpoint import Endpoint, Security
from exchanges.sim.binance.venue import Venue


def coins(venue: Venue, call: Call) -> Any:
    """Answer the wallet's list of coins (sapi): what a client asks for while it loads markets with keys."""
    assets = {held.quote for held in venue.engine.read.instruments()}
    return [
        {
            "coin": asset,
            "depositAllEnable": False,
            "withdrawAllEnable": False,
            "name": asset,
            "free": "0",
            "locked": "0",
            "freeze": "0",
            "withdrawing": "0",
            "ipoing": "0",
            "ipoable": "0",
            "storage": "0",
            "isLegalMoney": False,
            "trading": True,
            "networkList": [],
        }
        for asset in sorted(assets)
    ]


def system_status(venue: Venue, call: Call) -> Any:
    return {"status": 0, "msg": "normal"}


def api_restrictions(venue: Venue, call: Call) -> Any:
    return {
        "ipRestrict": False,
        "createTime": 0,
        "enableReading": True,
        "enableFutures": True,
        "enableWithdrawals": False,
        "enableInternalTransfer": False,
        "enableSpotAndMarginTrading": False,
    }


def no_rows(venue: Venue, call: Call) -> Any:
    """Answer that there are no margin pairs: this venue has futures only."""
    return []


ENDPOINTS = (
    Endpoint(action="wallet.coins", method="GET", path="/sapi/v1/capital/config/getall", handler=coins, weight=10),
    Endpoint(
        action="wallet.status",
        method="GET",
        path="/sapi/v1/system/status",
        handler=system_status,
        security=Security.NONE,
    ),
    Endpoint(
        action="wallet.restrictions", method="GET", path="/sapi/v1/account/apiRestrictions", handler=api_restrictions
    ),
    Endpoint(
        action="wallet.margin_pairs",
        method="GET",
        path="/sapi/v1/margin/allPairs",
        handler=no_rows,
        security=Security.KEY,
    ),
    Endpoint(
        action="wallet.isolated_pairs",
        method="GET",
        path="/sapi/v1/margin/isolated/allPairs",
        handler=no_rows,
        security=Security.KEY,
    ),
)
