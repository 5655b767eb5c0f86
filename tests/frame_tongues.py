"""How a server of recorded frames answers in the language of the venue that they came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from exchanges.sim.instrument import SimInstrument
from tests.recorded_frames import MARK, QUOTE, TRADE, Frame

Row = dict[str, Any]


class Tongue(Protocol):
    """What of a venue is its own: the paths of rules and prices, and how a stream is asked for."""

    @property
    def name(self) -> str: ...

    @property
    def socket_path(self) -> str: ...

    @property
    def rules_path(self) -> str: ...

    @property
    def price_path(self) -> str: ...

    def rules(self) -> Any: ...

    def asked_for(self, query: Row) -> str:
        """Return the symbol, as in the frames, whose price is asked for."""
        ...

    def price(self, last: Frame) -> Any: ...

    def stream(self, kind: str, symbol: str) -> str: ...

    def subscribed(self, message: Row) -> tuple[list[str], list[Row]]:
        """Return which streams a client asks for, and what it is answered."""
        ...


@dataclass(frozen=True)
class BinanceTongue:
    """Binance USD-M."""

    instruments: Sequence[SimInstrument]
    name: str = "binanceusdm"
    socket_path: str = "/{root}/stream"
    rules_path: str = "/fapi/v1/exchangeInfo"
    price_path: str = "/fapi/v1/ticker/bookTicker"

    def rules(self) -> Any:
        return {"symbols": [dict(one.raw) for one in self.instruments], "rateLimits": []}

    def asked_for(self, query: Row) -> str:
        return str(query["symbol"])

    def price(self, last: Frame) -> Any:
        best = last.data
        told = {"bidPrice": best["b"], "bidQty": best["B"], "askPrice": best["a"], "askQty": best["A"]}
        return {"symbol": best["s"], **told, "time": best["T"], "lastUpdateId": best["u"]}

    def stream(self, kind: str, symbol: str) -> str:
        return f"{symbol.lower()}@{({QUOTE: 'bookTicker', TRADE: 'aggTrade', MARK: 'markPrice@1s'})[kind]}"

    def subscribed(self, message: Row) -> tuple[list[str], list[Row]]:
        return message["params"], [{"result": None, "id": message["id"]}]


@dataclass(frozen=True)
class GateTongue:
    """Gate, USDT futures."""

    contracts: Sequence[Row]
    name: str = "gate"
    socket_path: str = "/v4/ws/usdt"
    rules_path: str = "/api/v4/futures/usdt/contracts"
    price_path: str = "/api/v4/futures/usdt/order_book"

    def rules(self) -> Any:
        return list(self.contracts)

    def asked_for(self, query: Row) -> str:
        return str(query["contract"]).replace("_", "")

    def price(self, last: Frame) -> Any:
        best = last.message["result"]
        told = {"bids": [{"p": best["b"], "s": best["B"]}], "asks": [{"p": best["a"], "s": best["A"]}]}
        return {**told, "current": best["t"] / 1000, "update": best["t"] / 1000}

    def stream(self, kind: str, symbol: str) -> str:
        channel = {QUOTE: "book_ticker", TRADE: "trades", MARK: "tickers"}[kind]
        return f"futures.{channel}:{symbol.removesuffix('USDT')}_USDT"

    def subscribed(self, message: Row) -> tuple[list[str], list[Row]]:
        answer = {key: message[key] for key in ("time", "id", "channel", "event")}
        names = [f"{message['channel']}:{about}" for about in message["payload"]]
        return names, [{**answer, "result": {"status": "success"}}]


@dataclass(frozen=True)
class OkxTongue:
    """OKX v5, swaps."""

    instruments: Sequence[Row]
    name: str = "okx"
    socket_path: str = "/ws/v5/public"
    rules_path: str = "/api/v5/public/instruments"
    price_path: str = "/api/v5/market/books"

    def rules(self) -> Any:
        return {"code": "0", "msg": "", "data": list(self.instruments)}

    def asked_for(self, query: Row) -> str:
        return str(query["instId"]).removesuffix("-SWAP").replace("-", "")

    def price(self, last: Frame) -> Any:
        return {"code": "0", "msg": "", "data": last.message["data"]}

    def stream(self, kind: str, symbol: str) -> str:
        channel = {QUOTE: "bbo-tbt", TRADE: "trades", MARK: "mark-price"}[kind]
        return f"{channel}:{symbol.removesuffix('USDT')}-USDT-SWAP"

    def subscribed(self, message: Row) -> tuple[list[str], list[Row]]:
        names = [f"{one['channel']}:{one['instId']}" for one in message["args"]]
        return names, [{"event": "subscribe", "arg": one, "connId": "1"} for one in message["args"]]
