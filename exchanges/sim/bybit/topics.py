"""Names of streams."""

from __future__ import annotations

INTERVALS = {
    "1": "1m",
    "3": "3m",
    "5": "5m",
    "15": "15m",
    "30": "30m",
    "60": "1h",
    "120": "2h",
    "240": "4h",
    "360": "6h",
    "720": "12h",
    "D": "1d",
    "W": "1w",
    "M": "1M",
}
"""The venue's word for each length of candles, and the engine's."""
PRIVATE = ("order", "execution", "position", "wallet")
DEPTHS = ("1", "50", "200", "1000")


def is_public(topic: str) -> bool:
    """Whether the venue has such a public topic, whatever its symbol."""
    match topic.split("."):
        case ["orderbook", depth, _]:
            return depth in DEPTHS
        case ["kline", interval, _]:
            return interval in INTERVALS
        case ["tickers" | "publicTrade", _]:
            return True
    return False


def is_private(topic: str) -> bool:
    """Whether the venue has such a topic of the account: for all products, or for linear contracts alone."""
    return topic.removesuffix(".linear") in PRIVATE and topic != "wallet.linear"
