"""The user's own configuration, turned to a simulated venue: ladders, limits and risk stay, keys and money do not."""

from __future__ import annotations

import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from actors.settings.account import Settings
from actors.settings.deployment import account_document
from actors.settings.errors import raise_config_errors
from actors.settings.symbol import SymbolSettings
from actors.settings.text import read
from exchanges import adapters
from exchanges.sim.catalogue import demo_instruments
from exchanges.sim.generator import DEMO_COINS
from exchanges.sim.server.doors import PROTOCOLS
from grid.errors import ConfigError

KEY_ENV, SECRET_ENV, PASSPHRASE_ENV = "GRIDMESH_DRILL_KEY", "GRIDMESH_DRILL_SECRET", "GRIDMESH_DRILL_PASSPHRASE"
DEFAULT = "binanceusdm"
DEPOSIT_MIN = Decimal(10_000)
DEPOSIT_TIMES = 20
LEVERAGE = 5
STARTS = {coin.symbol: coin.start for coin in DEMO_COINS} | {"DOGEUSDT": Decimal("0.2"), "ADAUSDT": Decimal("0.8")}
TRADED_STEP_MS, WATCHED_STEP_MS = 40, 200
SWING_OF_WATCHED = Decimal("0.0007")


def drill_settings(
    config: Path,
    rest_url: str,
    ws_url: str,
    environ: Mapping[str, str] = os.environ,
    *,
    account: str = "",
    venue: str = DEFAULT,
) -> Settings:
    """Return the configuration for a drill: nothing of it can reach the real venue, journal, lease or anybody's phone.

    A ladder that leaves leverage to the venue gets a modest one, since a new simulated account has the venue's default.
    """
    document = account_document(read(config, environ), account)
    document["venue"] = {
        "name": venue,
        "rest_url": rest_url,
        "ws_url": ws_url,
        "api_key_env": KEY_ENV,
        "api_secret_env": SECRET_ENV,
        **({"api_passphrase_env": PASSPHRASE_ENV} if adapters.needs_passphrase(venue) else {}),
    }
    document["deployment"] = "drill"
    document["runtime"] = {**_section(document, "runtime"), "address": "local"}
    for section in ("journal", "alerts", "ownership", "paper"):
        document.pop(section, None)
    most = _section(document, "risk").get("max_leverage", LEVERAGE)
    leverage = str(min(LEVERAGE, int(most))) if str(most).isdigit() else str(LEVERAGE)
    ladders = document.get("symbols")
    if isinstance(ladders, list):
        document["symbols"] = [
            {"leverage": leverage, **_begun(ladder)} if isinstance(ladder, dict) else ladder for ladder in ladders
        ]
    try:
        return Settings.model_validate(document)
    except ValidationError as error:
        raise_config_errors(Settings, error)


def played(name: str) -> tuple[str, str]:
    """Return the venue of a drill by its name in the configuration, and the language that its simulated venue speaks.

    A venue whose language nobody simulates is played by another: what the grid does is tried, its adapter is not.
    """
    language = name.removeprefix(adapters.FORCED)
    return (name, language) if language in PROTOCOLS else (DEFAULT, DEFAULT)


def _begun(ladder: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ladder without a price to wait for, at which a generated market need never come."""
    return {key: value for key, value in ladder.items() if key != "trigger_price"}


def deposit(settings: Settings) -> Decimal:
    """Return what the simulated account begins with: plenty, since a drill is not about margin."""
    return max(DEPOSIT_MIN, settings.account.max_notional * DEPOSIT_TIMES)


def write_coins(settings: Settings, target: Path) -> None:
    """Write the generated market for the configuration's symbols and watched coins.

    A ladder's market begins at its anchor, in the middle of its range, or at a price that its coin is known for, and
    swings by its own intervals.
    Raises `ConfigError` for a symbol whose rules the simulated venue does not know.
    """
    known = {instrument.symbol for instrument in demo_instruments()}
    for index, ladder in enumerate(settings.symbols):
        if ladder.symbol not in known:
            rule = f"is no symbol that a drill can play: known are {', '.join(sorted(known))}; others need --tape"
            raise ConfigError(f"symbols[{index}].symbol", ladder.symbol, rule)
    coins = {ladder.symbol: _traded(ladder) for ladder in settings.symbols}
    for symbol in settings.risk.watch:
        if symbol in known and symbol not in coins:
            start = STARTS[symbol]
            coins[symbol] = _coin(symbol, start, start * SWING_OF_WATCHED, WATCHED_STEP_MS)
    target.write_text(yaml.safe_dump({"coins": list(coins.values())}), encoding="utf-8")


def _traded(ladder: SymbolSettings) -> dict[str, Any]:
    if (bounds := ladder.range) is not None:
        middle, swing = (bounds.low + bounds.high) / 2, (bounds.high - bounds.low) / bounds.grids
        return _coin(ladder.symbol, ladder.anchor or middle, swing, TRADED_STEP_MS)
    start = ladder.anchor or STARTS[ladder.symbol]
    swing = ladder.interval if ladder.interval is not None else start * ((ladder.ratio or Decimal(2)) - 1)
    return _coin(ladder.symbol, start, swing, TRADED_STEP_MS)


def _coin(symbol: str, start: Decimal, swing: Decimal, step_ms: int) -> dict[str, Any]:
    return {"symbol": symbol, "start": str(start), "swing": str(swing), "step_ms": step_ms}


def _section(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = document.get(name)
    return dict(found) if isinstance(found, dict) else {}
