"""The venues that keep one contract: each adapter against a simulated venue that speaks that venue's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest

from exchanges.sim.server.faults import FaultKind
from exchanges.sim.server.windows import Interval, Kind, Window

NO_LOGIN: Mapping[str, Any] = {"kind": "login_refused", "scope": {"endpoint": "login"}}
QUERIES = {
    "contracts": "instruments",
    "account": "account",
    "positions": "positions",
    "fee rates": "commission_rate",
    "risk tiers": "brackets",
    "first price": "depth",
    "leverage": "leverage.set",
    "open orders": "orders.open",
    "own trades": "trades.own",
}
"""The names that most venues' calls have in the simulation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueUnderTest:
    """A venue by its name in the configuration, with what its documents say differently from the others.

    Faults are named by what a call does, in every language alike: `order.place`, `order.cancel`, `order.status`,
    `orders.open`, `batch.place`, `positions`, `account`, `trades.own`, `income`, `time`, `instruments`.
    """

    name: str
    public_path: str
    private_path: str
    order_path: str
    """Where its sockets are; empty where orders have none."""
    refuses_post_only: bool = True
    """Else it accepts a post-only order that would take, and cancels it a moment later."""
    refuses_duplicates: bool = True
    has_minimum: bool = True
    """Else the smallest quantity is one step."""
    tells_fees_with_fills: bool = True
    tells_quota: bool = True
    tells_other_hands: bool = True
    """Whether a changed leverage comes by the private stream."""
    has_margin_type: bool = True
    candle: str = "1s"
    """The shortest candle that it streams."""
    windows: tuple[Window, ...] | None = None
    """Wider request limits than its own: these tests go without a limiter."""
    stamps_socket_orders: bool = True
    """Whether an order over the socket carries a time that the venue judges."""
    lacks: frozenset[FaultKind] = frozenset()
    """Faults for which it has no words."""
    protocol: str = ""
    """The language of the simulated venue, where that is not the name."""
    doubts: frozenset[FaultKind] = frozenset()
    """Faults of which the venue says that nothing was done, and the adapter does not take its word."""
    batch_call: str = "batch.place"
    """What several orders at once are to the venue."""
    names_decrees: bool = True
    """Whether an order of the venue's own (a liquidation) is told by a name of its own."""
    queries: Mapping[str, str] = field(default_factory=dict, hash=False)
    """What a start asks the venue before it trades, by what the answer is good for: the call's name, or a pattern."""
    no_session: Mapping[str, Any] = field(default_factory=lambda: NO_LOGIN, hash=False)
    """The fault that keeps a private stream from coming up."""
    tells_ban_end: bool = True
    """Else a ban is waited out for as long as its documents say: ten minutes."""
    bans_sockets: bool = True
    """Whether an address that is shut out places nothing over a socket that is open either."""
    order_id_length: int = 19
    part: Decimal = Decimal("0.003")
    """What of an order of ETH can be filled where its smallest quantity is 0.018."""
    has_least_value: bool = True
    """Whether an order has to be worth something, beside its smallest quantity."""
    candle_stream: str = ""
    """The name of the stream of candles, as a pattern."""

    @property
    def language(self) -> str:
        """Return which language the simulated venue has to speak."""
        return self.protocol or self.name

    def refuses(self, query: str) -> dict[str, Any]:
        """Return the fault that has the venue refuse a query of the start."""
        if query == "session":
            return dict(self.no_session)
        return {"kind": "service_unavailable", "scope": {"endpoint": self.queries[query]}}

    def __str__(self) -> str:
        return self.name


NATIVE = (
    VenueUnderTest(
        name="binanceusdm",
        public_path="/public",
        private_path="/private",
        order_path="/ws-fapi",
        queries={
            **QUERIES,
            "contracts": "exchange_info",
            "account": "account.v3",
            "positions": "positions.v2",
            "first price": "GET /fapi/v1/ticker/bookTicker",
        },
        no_session={"kind": "service_unavailable", "scope": {"endpoint": "listen_key.start"}},
        candle_stream="*@kline*",
    ),
    VenueUnderTest(
        name="bybit",
        public_path="/v5/public",
        private_path="/v5/private",
        order_path="/v5/trade",
        refuses_post_only=False,
        candle="1m",
        windows=(Window(kind=Kind.ORDERS, interval=Interval.SECOND, number=1, limit=1000),),
        queries=QUERIES,
        candle_stream="kline.*",
        bans_sockets=False,
        tells_ban_end=False,
        order_id_length=36,
    ),
    VenueUnderTest(
        name="okx",
        public_path="/ws/v5/public",
        private_path="/ws/v5/private",
        order_path="/ws/v5/private",
        refuses_post_only=False,
        tells_quota=False,
        tells_other_hands=False,
        windows=(),
        queries=QUERIES,
        has_least_value=False,
        candle_stream="candle*",
    ),
    VenueUnderTest(
        name="bitget",
        public_path="/v2/ws/public",
        private_path="/v2/ws/private",
        order_path="/v2/ws/private",
        refuses_post_only=False,
        tells_quota=False,
        tells_other_hands=False,
        candle="1m",
        windows=(),
        stamps_socket_orders=False,
        lacks=frozenset({FaultKind.SERVICE_UNAVAILABLE, FaultKind.OVERLOADED}),
        queries={**QUERIES, "first price": "ticker"},
        candle_stream="candle*",
        bans_sockets=False,
    ),
    VenueUnderTest(
        name="gate",
        public_path="/v4/ws/usdt",
        private_path="/v4/ws/usdt",
        order_path="/v4/ws/usdt",
        refuses_duplicates=False,
        candle="10s",
        windows=(Window(kind=Kind.ORDERS, interval=Interval.SECOND, number=1, limit=1000),),
        # nothing that it says of a failure means that an order surely was not taken
        lacks=frozenset({FaultKind.SERVICE_UNAVAILABLE, FaultKind.OVERLOADED}),
        queries={**QUERIES, "fee rates": "fees", "risk tiers": "tiers", "leverage": "leverage"},
        candle_stream="futures.candlesticks",
        has_least_value=False,
        part=Decimal("0.010"),  # a contract: parts of one are traded where less than one is the minimum
    ),
)


def by_ccxt(name: str, kind: VenueUnderTest, **differs: Any) -> VenueUnderTest:
    """Return a venue of the generic adapter. ccxt has no order socket, and nothing in it says "surely not done"."""
    general: dict[str, Any] = {
        "name": f"ccxt:{name}",
        "protocol": kind.language,
        "order_path": "",
        "tells_quota": False,
        "tells_other_hands": False,
        "names_decrees": False,
        "batch_call": "order.place",
        "doubts": frozenset({FaultKind.SERVICE_UNAVAILABLE}) - kind.lacks,
    }
    return replace(kind, **{**general, **differs})


BY_NAME = {kind.name: kind for kind in NATIVE}
KUCOIN = VenueUnderTest(
    name="kucoinfutures",
    public_path="/endpoint",
    private_path="/endpoint/private",
    order_path="",
    refuses_post_only=False,
    has_minimum=False,
    candle="1m",
    windows=(),
)
HASHKEY = VenueUnderTest(
    name="hashkey",
    public_path="/quote",
    private_path="/api/v1/ws",
    order_path="",
    has_minimum=False,
    candle="1m",
    windows=(),
)
GENERIC = (
    by_ccxt(
        "hashkey", HASHKEY, names_decrees=True, doubts=frozenset({FaultKind.SERVICE_UNAVAILABLE, FaultKind.OVERLOADED})
    ),
    by_ccxt(
        "kucoinfutures",
        KUCOIN,
        names_decrees=True,
        doubts=frozenset({FaultKind.SERVICE_UNAVAILABLE, FaultKind.OVERLOADED}),
    ),
    by_ccxt("bybit", BY_NAME["bybit"]),
    by_ccxt("okx", BY_NAME["okx"], candle="1m"),
)
BESIDE = frozenset({"ccxt:bybit", "ccxt:okx"})
"""The generic adapter where a native one is: for comparison, by `make test-long`."""
VENUES: tuple[Any, ...] = (
    *NATIVE,
    *(pytest.param(kind, marks=pytest.mark.long) if kind.name in BESIDE else kind for kind in GENERIC),
)
