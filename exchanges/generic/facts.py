"""What ccxt does not say of an exchange by itself, measured from its source (4.5.90) and at simulated venues."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from exchanges.errors import Refusal

WITHOUT_CLIENT_IDS = frozenset({"hibachi"})
WITHOUT_REDUCE_ONLY = frozenset("bitstamp bullish cryptocom gemini onetrading whitebit".split())
"""Where ccxt's `createOrder` never writes the one or the other: it would take the parameter and leave it out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """How one exchange differs from what its unified description says."""

    client_id_prefix: str = ""
    """What the venue, or ccxt, puts before our ids."""
    market_type: str = "swap"
    """ccxt's word for the contracts in its list of markets to load."""
    options: dict[str, Any] = field(default_factory=dict)
    total_holds_unrealised: bool = False
    """Whether a balance's `total` is equity, not wallet."""
    order_needs: dict[str, Any] = field(default_factory=dict)
    """Parameters of every order, so that it means the same whatever the account is set to."""
    reading_needs: dict[str, Any] = field(default_factory=dict)
    """Parameters of the reading of one order."""
    streams_fees: bool = False
    """Whether the fees on ccxt's stream of fills were seen to be right; else fills are read over REST."""
    streams_marks: bool = False
    """Whether ccxt's stream of mark prices was seen to work for linear swaps; else they are read."""
    mark_call: tuple[str, str] = ("", "")
    """The venue's own call for a symbol's mark price and the field that holds it, where ccxt unifies none."""
    final: tuple[tuple[str, Refusal], ...] = ()
    """What of an answer means a plain no, where ccxt has no class for it. Nothing else widens what is final."""
    hosts: tuple[str, ...] = ()
    """Where its sockets are, if the venue tells that at run time only; no other host is believed."""
    doubtful: tuple[str, ...] = ()
    """What of an answer means that nobody knows, where ccxt's class for it says no."""
    by_symbol: bool = False
    """Whether positions and open orders are told of one symbol at a time: those of others are not seen then."""
    by_side: bool = False
    """Whether an order opens or closes one of two sides: a grid, whose exits close, only ever holds one of them."""
    lookup: str = ""
    """ccxt's parameter by which an order was seen to be found by our id. Without one, lists are looked through: a wrong
    parameter is left out by ccxt, and what is then not found would be placed a second time."""
    lacks: tuple[str, ...] = ()
    """What makes it unusable here, found by trying."""


TABLE: dict[str, Facts] = {
    "okx": Facts(
        # one order a request, not a list of one: its outcome is its own
        options={"createOrder": "privatePostTradeOrder"},
        lookup="clientOrderId",
        total_holds_unrealised=True,
        streams_marks=True,
        final=(('"sCode":"51169"', Refusal.REDUCE_ONLY_CONFLICT), ('"sCode":"51016"', Refusal.DUPLICATE_ID)),
    ),
    "bybit": Facts(
        market_type="linear",
        options={"enableUnifiedMargin": False, "enableUnifiedAccount": True},
        order_needs={"positionIdx": 0},
        reading_needs={"acknowledged": True},
    ),
    "gate": Facts(client_id_prefix="t-", lacks=("a stream of orders that needs no account number",)),
    "hashkey": Facts(
        mark_call=("publicGetQuoteV1MarkPrice", "price"),
        by_symbol=True,
        by_side=True,
        final=(('"-1156"', Refusal.POST_ONLY_WOULD_TAKE),),
        doubtful=('"-1001"', '"-1006"', '"-1007"'),
    ),
    "kucoin": Facts(hosts=("ws-api-futures.kucoin.com", "ws-api-spot.kucoin.com")),
    "kucoinfutures": Facts(lookup="clientOrderId", hosts=("ws-api-futures.kucoin.com",), total_holds_unrealised=True),
    "binancecoinm": Facts(lacks=("linear swaps",)),
    "bingx": Facts(lacks=("client ids as they were sent", "ids of own trades")),
    "htx": Facts(lacks=("client ids with letters",)),
    "krakenfutures": Facts(lacks=("fees of own trades",)),
    "mexc": Facts(lacks=("client ids in lists of orders",)),
    "phemex": Facts(lacks=("the orders of own trades",)),
    "xt": Facts(lacks=("positions that tell their mode",)),
}

TESTED = frozenset({"hashkey", "kucoinfutures"})
"""Where the contract suite passes, at a simulated venue that speaks the exchange's language."""

MEASURED = TESTED | {"bybit", "okx"}
"""Those, and the ones that have native adapters beside."""


def facts_of(name: str) -> Facts:
    """Return what is known of an exchange beyond ccxt's own description."""
    return TABLE.get(name, Facts())
