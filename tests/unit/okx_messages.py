"""Sample messages of OKX, beside the parser that reads them; each is as the venue's documents show it."""

from __future__ import annotations

from typing import Any

from exchanges.okx import wire_rules
from exchanges.okx.contracts import Contract, Contracts

BTC_ROW: dict[str, Any] = {
    "instType": "SWAP",
    "instId": "BTC-USDT-SWAP",
    "instIdCode": 10459,
    "instFamily": "BTC-USDT",
    "uly": "BTC-USDT",
    "groupId": "4",
    "ctType": "linear",
    "ctVal": "0.01",
    "ctMult": "1",
    "ctValCcy": "BTC",
    "settleCcy": "USDT",
    "tickSz": "0.1",
    "lotSz": "0.01",
    "minSz": "0.01",
    "maxLmtSz": "100000000",
    "state": "live",
}
COIN_ROW: dict[str, Any] = {**BTC_ROW, "instId": "BTC-USD-SWAP", "instFamily": "BTC-USD", "ctType": "inverse"}


def contracts(**changes: Any) -> Contracts:
    """BTC-USDT-SWAP, of which a lot is 0.0001 BTC, and its coin-margined neighbour."""
    return wire_rules.contracts({"code": "0", "data": [{**BTC_ROW, **changes}, COIN_ROW]})


def btc(**changes: Any) -> Contract:
    return contracts(**changes).of_symbol("BTCUSDT")


def order(**changes: Any) -> dict[str, Any]:
    """A post-only buy of 1.25 contracts, resting."""
    row: dict[str, Any] = {
        "instType": "SWAP",
        "instId": "BTC-USDT-SWAP",
        "ordId": "2497956918703120384",
        "clOrdId": "g1cid0001",
        "px": "59990.1",
        "sz": "1.25",
        "ordType": "post_only",
        "side": "buy",
        "posSide": "net",
        "tdMode": "cross",
        "accFillSz": "0",
        "fillPx": "",
        "fillSz": "0",
        "fillFee": "0",
        "fillFeeCcy": "",
        "fillTime": "",
        "tradeId": "",
        "execType": "",
        "avgPx": "",
        "state": "live",
        "category": "normal",
        "reduceOnly": "false",
        "cancelSource": "",
        "cTime": "1746947317401",
        "uTime": "1746947317402",
    }
    return {**row, **changes}


def filled(**changes: Any) -> dict[str, Any]:
    """The same after a fill of half a contract, as a maker."""
    fill = {
        "state": "partially_filled",
        "accFillSz": "0.5",
        "fillPx": "59990.1",
        "fillSz": "0.5",
        "fillFee": "-0.0599901",
        "fillFeeCcy": "USDT",
        "fillTime": "1746947317500",
        "tradeId": "1518905529",
        "execType": "M",
    }
    return order(**{**fill, **changes})


def position(**changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "instType": "SWAP",
        "instId": "BTC-USDT-SWAP",
        "mgnMode": "cross",
        "posSide": "net",
        "pos": "-2.5",
        "avgPx": "60000.4",
        "markPx": "60010",
        "upl": "-0.24",
        "liqPx": "91234.5",
        "lever": "10.0",
        "uTime": "1622559930237",
    }
    return {**row, **changes}


def bill(**changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "instId": "BTC-USDT-SWAP",
        "billId": "623950854533513219",
        "type": "2",
        "ccy": "USDT",
        "balChg": "1.94",
        "pnl": "2",
        "fee": "-0.06",
        "ts": "1695033476167",
    }
    return {**row, **changes}
