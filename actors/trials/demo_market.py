"""What the demo trades: the generated market of its configuration, or ladders cut to fit a recorded tape."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from actors.settings.account import Settings, load_settings
from actors.trials.sim_process import CONTROL_S, SimProcess
from exchanges.sim.tape_layouts import TapeKind
from exchanges.sim.tape_rows import read_rows

CONFIG = Path(__file__).resolve().parents[2] / "configs" / "demo.yaml"
LEAD_S = 60.0
"""The generated market ranges so long while everything starts; then its program is played from the beginning."""
CANDLE_SPEED = 60
WARM_UP_S = 60
SYMBOLS_MAX = 2
INTERVAL_SHARE = Decimal("0.0008")
"""Of the price: twice what the two maker fees of 0.02 % take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoMarket:
    """Which market is played. Without tapes the generator plays one from the seed."""

    seed: int
    duration_s: float
    tapes: tuple[Path, ...] = ()

    def arguments(self) -> list[str]:
        """Return what the simulated venue is told."""
        if not self.tapes:
            whole_s = LEAD_S + self.duration_s + 5
            return ["--seed", str(self.seed), "--lead", str(LEAD_S), "--duration", str(whole_s)]
        files = [part for tape in self.tapes for part in ("--tape", str(tape.resolve()))]
        speed = CANDLE_SPEED if any(is_candles(tape) for tape in self.tapes) else 1
        # A tape is warmed up by its own beginning, so that the risk supervisor finds its closed candles.
        return ["--seed", str(self.seed), "--speed", str(speed), "--warm-up", str(WARM_UP_S * speed), *files]

    def settings(self, venue: SimProcess) -> Settings:
        """Return the configuration to trade it with; the keys are put into the environment."""
        os.environ["GRIDMESH_DEMO_KEY"], os.environ["GRIDMESH_DEMO_SECRET"] = venue.keys
        over = {"GRIDMESH__VENUE__REST_URL": venue.rest_url, "GRIDMESH__VENUE__WS_URL": venue.ws_url}
        if self.tapes:
            over.update(_ladders(venue, venue.symbols[:SYMBOLS_MAX]))
        return load_settings(CONFIG, {**os.environ, **over})

    def remarks(self, settings: Settings, played_s: float) -> list[str]:
        """Return what a profit on this market is worth; of candles always two figures."""
        if not self.tapes:
            return ["The tape is generated: it proves mechanics, and its profit says nothing about money."]
        if not any(is_candles(tape) for tape in self.tapes):
            return ["Recorded trades, pessimistic fills: what one past stretch would have given, and no promise."]
        from actors.virtual.candle_profit import CandleSpan, profit_of

        begin_ms = WARM_UP_S * CANDLE_SPEED * 1000
        span = CandleSpan(files=self.tapes, begin_ms=begin_ms, end_ms=begin_ms + round(played_s * CANDLE_SPEED * 1000))
        bounds = profit_of(settings, span)
        return [
            "A candle hides its path. The same ladders on all the candles played, run anew and without halts, twice:",
            *(f"  {symbol} total profit {profit}" for symbol, profit in bounds.items()),
        ]

    def begin(self, venue: SimProcess) -> None:
        """Trading begins: have the generated program begin too."""
        if not self.tapes:
            venue.skip_to(LEAD_S)


def is_candles(tape: Path) -> bool:
    """Whether the file holds candles; raises `TapeError` where it is no tape."""
    return read_rows(tape)[0].kind is TapeKind.CANDLES


def _ladders(venue: SimProcess, symbols: Sequence[str]) -> dict[str, str]:
    ladders = []
    for symbol in symbols:
        price, tick = _price_and_tick(venue, symbol)
        interval = max(2, round(price * INTERVAL_SHARE / tick)) * tick
        ladder = {"symbol": symbol, "interval": str(interval), "amount": "300", "buy_window": 3, "sell_window": 3}
        ladders.append({**ladder, "max_lots": 12, "leverage": 5})
    return {
        "GRIDMESH__SYMBOLS": json.dumps(ladders),
        "GRIDMESH__ACCOUNT__MAX_NOTIONAL": "8000",
        "GRIDMESH__RISK__WATCH": json.dumps(list(symbols)),
    }


def _price_and_tick(venue: SimProcess, symbol: str) -> tuple[Decimal, Decimal]:
    price = Decimal(_get(venue, f"/fapi/v1/ticker/price?symbol={symbol}")["price"])
    for row in _get(venue, "/fapi/v1/exchangeInfo")["symbols"]:
        if row["symbol"] == symbol:
            return price, next(Decimal(f["tickSize"]) for f in row["filters"] if f["filterType"] == "PRICE_FILTER")
    raise KeyError(symbol)


def _get(venue: SimProcess, path: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{venue.rest_url}{path}", timeout=CONTROL_S) as reply:
        found: dict[str, Any] = json.loads(reply.read())
    return found
