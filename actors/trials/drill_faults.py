"""The standard faults of a drill: what a real venue and a real network do sooner or later."""

from __future__ import annotations

from typing import Any

PLACING = {"endpoint": "order.place"}
SOCKETS: dict[str, tuple[str, ...]] = {
    "binanceusdm": ("/private", "/market", "/public"),
    "bybit": ("/v5/private", "/v5/public", "/v5/trade"),
    "okx": ("/ws/v5/private", "/ws/v5/public", "/ws/v5/business"),
    "bitget": ("/v2/ws/private", "/v2/ws/public", "/v2/ws/public"),
    "gate": ("/v4/ws/usdt", "/v4/ws/usdt", "/v4/ws/usdt"),
    "kucoinfutures": ("/endpoint/private", "/endpoint", "/endpoint"),
    "hashkey": ("/api/v1/ws", "/quote", "/quote"),
}
"""By the language of the simulated venue, where its sockets are: the account's, then two that are cut besides."""
WORDLESS = frozenset({"bitget", "gate"})
"""Languages that have no words for "I do nothing now"."""
OWNER = {"account": "main"}
"""What is told to the account's owner, on whatever socket a venue tells it."""
LATE_MS = 1_200
"""Inside the time in which a lost order may still appear: beyond it two may live side by side, and are counted."""


def standard_faults(trading_s: float, protocol: str = "binanceusdm") -> list[dict[str, Any]]:
    """Return the faults for so many seconds of trading, as in a fault file; the single ones are spread over it."""
    private, market, public = ({"path": path} for path in SOCKETS[protocol])
    found = _faults(trading_s, private, market, public)
    return [fault for fault in found if protocol not in WORDLESS or fault["kind"] != "service_unavailable"]


def _faults(
    trading_s: float, private: dict[str, str], market: dict[str, str], public: dict[str, str]
) -> list[dict[str, Any]]:
    at = [round(trading_s * 1000 * part) for part in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)]
    return [
        {"name": "reply lost", "kind": "reply_lost", "scope": PLACING, "probability": 0.04, "loss": "hang"},
        {"name": "request lost", "kind": "request_lost", "scope": PLACING, "probability": 0.03, "loss": "hang"},
        {
            "name": "accepted late",
            "kind": "accepted_late",
            "scope": PLACING,
            "probability": 0.03,
            "delay": LATE_MS,
            "loss": "hang",
        },
        {"name": "slow reply", "kind": "reply_latency", "probability": 0.1, "delay": _delay(20, 400)},
        {"name": "event doubled", "kind": "event_doubled", "scope": OWNER, "probability": 0.15, "delay": 60},
        {
            "name": "event reordered",
            "kind": "event_reordered",
            "scope": OWNER,
            "probability": 0.15,
            "delay": _delay(20, 400),
        },
        {"name": "late visibility", "kind": "late_visibility", "probability": 0.05, "delay": 500},
        {"name": "503", "kind": "service_unavailable", "probability": 0.03},
        {"name": "502", "kind": "bad_gateway", "probability": 0.02},
        {"name": "wrong reading", "kind": "empty_positions", "count": 1, "start_ms": at[0]},
        {"name": "private stream cut", "kind": "forced_cut", "scope": private, "count": 1, "start_ms": at[1]},
        {
            "name": "market stream cut",
            "kind": "forced_cut",
            "scope": market,
            "count": 1,
            "start_ms": at[2],
        },
        {
            "name": "public stream cut",
            "kind": "forced_cut",
            "scope": public,
            "count": 1,
            "start_ms": at[3],
        },
        {"name": "half-open", "kind": "half_open", "scope": private, "count": 1, "start_ms": at[2]},
        {"name": "missing orders", "kind": "empty_open_orders", "count": 1, "start_ms": at[5]},
    ]


def continuous_faults() -> list[dict[str, Any]]:
    """Return faults that never end: for a soak. Streams are cut and die now and then."""
    lasting = [fault for fault in standard_faults(60.0) if "count" not in fault]
    return [
        *lasting,
        {"name": "cut", "kind": "forced_cut", "probability": 0.0004},
        {"name": "half-open", "kind": "half_open", "scope": {"path": SOCKETS["binanceusdm"][0]}, "probability": 0.0005},
        {"name": "wrong reading", "kind": "empty_positions", "probability": 0.01},
    ]


def _delay(low_ms: int, high_ms: int) -> dict[str, Any]:
    return {"shape": "uniform", "low_ms": low_ms, "high_ms": high_ms}
