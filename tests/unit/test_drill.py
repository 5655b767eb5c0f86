"""A drill's settings reach nothing real; its result names every invariant and what broke it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from actors.settings.account import load_settings, show_config
from actors.settings.paper import Trading
from actors.trials.demo_reckoning import Reckoning
from actors.trials.drill import document, tables
from actors.trials.drill_faults import continuous_faults, standard_faults
from actors.trials.drill_settings import deposit, drill_settings, played, write_coins
from actors.trials.ordeal import Ordeal
from exchanges.sim.server.coins_config import read_coins
from exchanges.sim.server.doors import PROTOCOLS
from exchanges.sim.server.fault_config import parse_rules
from exchanges.sim.server.faults import FaultKind
from grid.errors import ConfigError
from tests.venue.contract import GENERIC, NATIVE

REST, WS = "http://127.0.0.1:9", "ws://127.0.0.1:9"
LIVE = """
deployment: mine
venue: {live: true, api_key_env: MY_REAL_KEY, api_secret_file: /my/real/secret}
symbols:
  - {symbol: ETHUSDT, interval: 3, anchor: 2500, amount: 60, buy_window: 4, max_lots: 30}
  - {symbol: DOGEUSDT, spacing: geometric, ratio: 1.002, amount: 60, buy_window: 4, max_lots: 30, leverage: 2}
account: {max_notional: 3000, daily_loss: 100}
risk: {watch: [BTCUSDT, DOGEUSDT]}
runtime: {address: "ray.example:6379", look_ahead: 3}
journal: {path: /my/real/journal.sqlite}
paper: {balance: 123}
ownership: {store: "redis://real.example:6379/0"}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(LIVE)
    return path


def test_nothing_of_a_live_configuration_is_left_that_reaches_out(config: Path) -> None:
    settings = drill_settings(config, REST, WS, {})
    shown = str(show_config(settings))

    assert settings.trading is Trading.PRACTICE
    assert (settings.venue.rest_url, settings.venue.ws_url) == (REST, WS)
    assert settings.runtime.address == "local"
    assert settings.journal.path is None
    assert settings.ownership.is_local
    for real in ("MY_REAL_KEY", "/my/real", "ray.example", "mine"):
        assert real not in shown


def test_what_the_drill_is_about_stays_the_users_own(config: Path) -> None:
    mine, drill = load_settings(config, {}), drill_settings(config, REST, WS, {})

    assert drill.account == mine.account
    assert drill.risk == mine.risk
    assert drill.gateway == mine.gateway
    assert drill.runtime.look_ahead == 3
    assert [ladder.leverage for ladder in drill.symbols] == [5, 2]
    assert [ladder.model_copy(update={"leverage": None}) for ladder in drill.symbols] == [
        ladder.model_copy(update={"leverage": None}) for ladder in mine.symbols
    ]


def test_the_environment_still_wins_over_the_file_but_not_over_the_drill(config: Path) -> None:
    environ = {"GRIDMESH__SYMBOLS__0__AMOUNT": "75", "GRIDMESH__VENUE__REST_URL": "https://real.example"}

    settings = drill_settings(config, REST, WS, environ)

    assert settings.symbols[0].amount == 75
    assert settings.venue.rest_url == REST


def test_the_market_is_made_for_the_users_ladders(config: Path, tmp_path: Path) -> None:
    target = tmp_path / "coins.yaml"

    write_coins(load_settings(config), target)

    coins = {coin.symbol: coin for coin in read_coins(target)}
    assert set(coins) == {"ETHUSDT", "DOGEUSDT", "BTCUSDT"}
    assert (coins["ETHUSDT"].start, coins["ETHUSDT"].swing) == (Decimal(2500), Decimal(3))
    assert coins["DOGEUSDT"].swing == Decimal("0.2") * Decimal("0.002")
    assert deposit(load_settings(config)) == 60_000


@pytest.mark.parametrize(("keys", "start"), [({}, "2500"), ({"side": "neutral", "anchor": 2480}, "2480")])
def test_the_market_of_a_range_begins_inside_and_swings_by_its_step(
    config: Path, tmp_path: Path, keys: dict[str, object], start: str
) -> None:
    document = yaml.safe_load(LIVE)
    ladder = {key: value for key, value in document["symbols"][0].items() if key not in ("interval", "anchor")}
    bounds = {"low": 2400, "high": 2600, "grids": 100}
    config.write_text(yaml.safe_dump({**document, "symbols": [{**ladder, "range": bounds, **keys}]}))

    write_coins(load_settings(config), tmp_path / "coins.yaml")

    coins = {coin.symbol: coin for coin in read_coins(tmp_path / "coins.yaml")}
    assert (coins["ETHUSDT"].start, coins["ETHUSDT"].swing) == (Decimal(start), Decimal(2))


def test_a_symbol_that_cannot_be_played_is_named(config: Path, tmp_path: Path) -> None:
    config.write_text(LIVE.replace("DOGEUSDT", "PEPEUSDT"))

    with pytest.raises(ConfigError, match=r"symbols\[1\]\.symbol.*PEPEUSDT.*--tape"):
        write_coins(load_settings(config), tmp_path / "coins.yaml")


def test_a_wrong_configuration_is_refused_with_its_key(config: Path) -> None:
    config.write_text(LIVE.replace("max_lots: 30", "max_lots: many", 1))

    with pytest.raises(ConfigError, match=r"symbols\[0\]\.max_lots"):
        drill_settings(config, REST, WS, {})


def test_the_standard_faults_are_faults_that_the_venue_knows() -> None:
    kinds = {rule.kind for rule in parse_rules(standard_faults(60))}

    assert {
        FaultKind.REPLY_LOST,
        FaultKind.REQUEST_LOST,
        FaultKind.EVENT_DOUBLED,
        FaultKind.EVENT_REORDERED,
        FaultKind.FORCED_CUT,
        FaultKind.HALF_OPEN,
        FaultKind.SERVICE_UNAVAILABLE,
        FaultKind.EMPTY_POSITIONS,
    } <= kinds
    assert all(rule.start_ms < 60_000 for rule in parse_rules(standard_faults(60)))
    assert all(rule.count is None and rule.probability < 1 for rule in parse_rules(continuous_faults()))


@pytest.mark.parametrize(
    ("name", "playing"),
    [(one, (one, one)) for one in ("binanceusdm", "bybit", "okx", "bitget", "gate", "kucoinfutures", "hashkey")]
    + [("ccxt:okx", ("ccxt:okx", "okx")), ("mexc", ("binanceusdm", "binanceusdm"))],
)
def test_a_drill_speaks_the_language_of_the_users_own_venue(name: str, playing: tuple[str, str]) -> None:
    assert played(name) == playing


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_faults_of_every_language_are_known_and_hit_its_own_sockets(config: Path, protocol: str) -> None:
    faults = parse_rules(standard_faults(60, protocol))
    settings = drill_settings(config, REST, WS, {}, venue=protocol)
    way = next(kind for kind in (*NATIVE, *GENERIC) if kind.language == protocol)

    assert settings.venue.name == protocol
    cut = {fault.scope.path for fault in faults if fault.kind is FaultKind.FORCED_CUT}
    assert way.private_path in cut
    assert any(way.public_path.startswith(path) or path.startswith(way.public_path) for path in cut)
    assert not {fault.kind for fault in faults} & way.lacks


def an_ordeal(*breaches: str) -> Ordeal:
    reckoning = Reckoning(
        seconds=10,
        symbols=(),
        orders_placed=3,
        orders_cancelled=1,
        open_own_orders=0,
        duplicate_orders=0,
        halts=0,
        recoveries=0,
        checks=(("no own order is left", ()), ("every fill is booked once", breaches)),
    )
    return Ordeal(reckoning=reckoning, final={"account": {"unexplained": "0"}}, struck=(("reply lost", 4),))


def test_a_breach_is_told_by_its_invariant() -> None:
    told = document(an_ordeal("one fill was lost"), "okx")

    assert told["violations"] == ["one fill was lost"]
    assert told["invariants"] == [
        {"name": "no own order is left", "held": True, "breaches": []},
        {"name": "every fill is booked once", "held": False, "breaches": ["one fill was lost"]},
    ]
    assert told["venue"] == "okx"
    assert told["faults"] == {"reply lost": 4}
    assert tables(an_ordeal("one fill was lost"), "okx", [])[-1] == "1 invariants are BROKEN"
    assert tables(an_ordeal(), "okx", [])[-1] == "every invariant held"


def test_the_demos_own_configuration_can_be_drilled(tmp_path: Path) -> None:
    config = Path(__file__).parents[2] / "configs" / "demo.yaml"
    write_coins(load_settings(config), tmp_path / "coins.yaml")

    assert {coin["symbol"] for coin in yaml.safe_load((tmp_path / "coins.yaml").read_text())["coins"]} >= {
        ladder.symbol for ladder in drill_settings(config, REST, WS, {}).symbols
    }


def test_a_drill_plays_the_account_that_is_named(config: Path, tmp_path: Path) -> None:
    mine = yaml.safe_load(LIVE)
    shared = {key: mine[key] for key in ("deployment", "risk", "runtime")}
    own = {key: value for key, value in mine.items() if key not in shared}
    other = {**own, "symbols": [{**own["symbols"][0], "symbol": "BTCUSDT"}], "journal": {"path": "/other.sqlite"}}
    other["venue"] = {**own["venue"], "name": "bybit"}
    several = tmp_path / "several.yaml"
    several.write_text(yaml.safe_dump({**shared, "accounts": [{"name": "a", **own}, {"name": "b", **other}]}))

    assert drill_settings(several, REST, WS, {}, account="a") == drill_settings(config, REST, WS, {})
    assert [one.symbol for one in drill_settings(several, REST, WS, {}, account="b").symbols] == ["BTCUSDT"]
