"""A simulated venue seen from its control endpoint: faults, other hands, the market, and the truth."""

from __future__ import annotations

import hashlib
import hmac
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import orjson

from exchanges.sim.market import Candle
from exchanges.sim.server.control import TOKEN_HEADER
from exchanges.sim.server.options import DEMO_KEY, DEMO_SECRET, VenueOptions
from grid.client_id import ClientId, decode
from tests.venue.contract import BY_NAME, VenueUnderTest
from tests.venue.running_venue import INSTRUMENTS, running, still_market, still_options

Row = dict[str, Any]
QUOTES = {
    "binanceusdm": "*@bookTicker",
    "bybit": "orderbook.1.*",
    "okx": "bbo-tbt",
    "bitget": "books1",
    "gate": "futures.book_ticker",
}
OPEN = ("NEW", "PARTIALLY_FILLED")


PUSHED_S = 0.2
"""Longer than any venue collects quotes before it pushes them."""
PRIVATE = {"account": "main"}
"""Where only what is told to the account's owner is spoilt, on whatever socket the venue tells it."""


class VenueControl:
    """Steers a venue that may run anywhere: in a thread here or as a process of its own."""

    def __init__(self, rest_url: str, ws_url: str, token: str, name: str = "binanceusdm") -> None:
        self.name = name
        self.rest_url = rest_url
        self.ws_url = ws_url
        self.token = token

    def fault(self, kind: str, **rule: Any) -> str:
        """Put a fault in force; `delay` in ms, `scope`, `count`, `probability` and the rest as in a fault file.

        Returns its name. `until_healed`: what it delays waits until it, or every fault, is taken away.
        """
        [name] = self._post("faults", {"kind": kind, **rule})["names"]
        return str(name)

    @property
    def ways(self) -> VenueUnderTest:
        """Return where this venue's sockets are, and what else its documents say differently."""
        return BY_NAME[self.name]

    @property
    def quotes(self) -> dict[str, str]:
        """Return the scope of the quotes that it streams."""
        return {"path": self.ways.public_path, "stream": QUOTES[self.name]}

    def heal(self, *names: str) -> None:
        """Take these faults away, or every one."""
        for name in names:
            self._ask("DELETE", f"faults/{name}")
        if not names:
            self._ask("DELETE", "faults")

    def truth(self) -> Row:
        """Return everything that the venue knows."""
        found: Row = self._ask("GET", "state")
        return found

    def account(self) -> Row:
        found: Row = self.truth()["accounts"]["main"]
        return found

    def own_orders(self, symbol: str = "", *, is_open: bool | None = None) -> list[tuple[Row, ClientId]]:
        """Return our orders with what their ids say, oldest first."""
        return [
            (row, identity)
            for row in self.account()["orders"]
            if (identity := decode(row["clientOrderId"], row["symbol"])) is not None
            and symbol in ("", row["symbol"])
            and is_open in (None, row["status"] in OPEN)
        ]

    def strikes(self, kind: str) -> list[Row]:
        """Return the strikes of a kind of fault so far."""
        return [row for row in self.truth()["faults"]["struck"] if row["kind"] == kind]

    def quote(self, symbol: str, bid: str, ask: str, size: str = "500") -> None:
        """Move the best prices; no trade."""
        self._post("market", {"events": _quoted(symbol, bid, ask, size)})

    def trade(self, symbol: str, price: str, quantity: str, aggressor: str) -> None:
        """Print one trade, `BUY` or `SELL` by its aggressor; the quotes stay."""
        self._post("market", {"events": [_traded(symbol, price, quantity, aggressor)]})

    def walk(self, symbol: str, price: str, *, spread: str = "0.01") -> None:
        """Take the market to a price: what rests on the way fills whole, then the quotes stand there.

        A resting order at exactly this price fills only by what exceeds the queue before it, that is not at all. Trade
        and quotes are one moment: an order that came between them would rest above the market, and be its best price.
        """
        quotes = _quoted(symbol, price, str(Decimal(price) + Decimal(spread)))
        self._post("market", {"events": [_traded(symbol, price, "0.001", "SELL"), *quotes]})

    def fill_part(self, symbol: str, price: str, quantity: str) -> None:
        """Sell so much to the buy that rests at the price, with nobody before it in the queue.

        The price is shown coming down to it first: some venues publish no bid of size 0, and of the quotes of one
        moment only the last.
        """
        near = Decimal(price) + Decimal("0.5")
        self.quote(symbol, str(near), str(near + Decimal("0.01")))
        time.sleep(PUSHED_S)
        self.quote(symbol, price, str(Decimal(price) + Decimal("0.01")), size="0")
        self.trade(symbol, price, quantity, "SELL")

    def manual_order(self, symbol: str, side: str, quantity: str, price: str | None = None, **more: Any) -> Row:
        """Trade by another hand on the same account."""
        order: Row = {"symbol": symbol, "side": side, "quantity": quantity, **more}
        return self._post("orders", order if price is None else {**order, "price": price})

    def cancel_by_hand(self, symbol: str, client_id: str) -> None:
        """Cancel one of our orders as a person at the venue's own page would."""
        self._post("cancel", {"symbol": symbol, "client_id": client_id})

    def by_hand(self, method: str, path: str, params: Mapping[str, str]) -> Row:
        """Call the venue as another program with the account's key would."""
        query = urlencode({**params, "timestamp": str(time.time_ns() // 1_000_000)})
        signature = hmac.new(DEMO_SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()
        request = urllib.request.Request(
            f"{self.rest_url}/fapi/v1/{path}?{query}&signature={signature}",
            method=method,
            headers={"X-MBX-APIKEY": DEMO_KEY},
        )
        with urllib.request.urlopen(request, timeout=60) as reply:
            answer: Row = orjson.loads(reply.read())
        return answer

    def verb(self, endpoint: str, /, **body: Any) -> Row:
        """Use any other control endpoint."""
        return self._post(endpoint, body)

    def _post(self, path: str, body: Any) -> Row:
        answer: Row = self._ask("POST", path, body)
        return answer

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        content = orjson.dumps(body) if body is not None else None
        request = urllib.request.Request(f"{self.rest_url}/sim/{path}", method=method, data=content)
        request.add_header(TOKEN_HEADER, self.token)
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return orjson.loads(reply.read())
        except urllib.error.HTTPError as error:
            raise AssertionError(f"/sim/{path}: {error.code} {error.read().decode()}") from error


def _quoted(symbol: str, bid: str, ask: str, size: str = "500") -> list[Row]:
    book = {"kind": "book", "symbol": symbol, "bid": bid, "bid_quantity": size, "ask": ask, "ask_quantity": size}
    return [book, {"kind": "mark", "symbol": symbol, "price": bid}]


def _traded(symbol: str, price: str, quantity: str, aggressor: str) -> Row:
    return {"kind": "trade", "symbol": symbol, "price": price, "quantity": quantity, "aggressor": aggressor}


@contextmanager
def still_venue(options: VenueOptions | None = None) -> Iterator[VenueControl]:
    """A venue in a thread, with quotes and no trades: it moves when the test says so."""
    chosen = options or still_options()
    token = "a token of this test"
    with running(replace(chosen, control_token=token)) as venue:
        yield VenueControl(venue.rest_url, venue.ws_url, token, chosen.protocol)


@contextmanager
def calm_venue(coins: Mapping[str, str]) -> Iterator[VenueControl]:
    """A still venue that knows thirty closed minutes of each coin at its price, with 10 coins of volume each."""
    market = still_market()
    candles = [candle for symbol, price in coins.items() for candle in calm_minutes(symbol, price)]
    with still_venue(replace(still_options(), market=replace(market, candles=tuple(candles)))) as venue:
        yield venue


def calm_minutes(symbol: str, price: str, *, count: int = 30) -> list[Candle]:
    """Return closed minutes up to the present one."""
    minute_ms = time.time_ns() // 60_000_000_000 * 60_000
    ticks = INSTRUMENTS[symbol].ticks(Decimal(price))
    return [
        Candle(
            symbol=symbol,
            open_ms=minute_ms - back * 60_000,
            interval_ms=60_000,
            open=ticks,
            high=ticks,
            low=ticks,
            close=ticks,
            volume=INSTRUMENTS[symbol].steps(Decimal(10)),
            history=True,
        )
        for back in range(count, 0, -1)
    ]
