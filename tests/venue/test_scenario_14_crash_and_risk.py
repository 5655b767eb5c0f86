"""Scenario 14: coins break, candles go missing, cancels time out, margin is refused, the stop-loss is hit."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchanges.sim.catalogue import demo_instruments
from exchanges.sim.klines import INTERVALS_MS
from risk.detector import Condition
from tests.live_control import VenueControl, calm_venue, still_venue
from tests.live_deployment import PATIENCE_S, LiveDeployment, deployed, live_settings
from tests.live_tapes import cut_minutes, listed, playing
from tests.venue.contract import BY_NAME
from tests.venue.running_venue import SPOKEN

COINS = ("BTCUSDT", "XRPUSDT", "SOLUSDT")
RISK: dict[str, Any] = {
    "enabled": True,
    "watch": list(COINS),
    "min_hold_s": 2,
    "required_positions": 10,
}
PRICES = {"BTCUSDT": "60000", "XRPUSDT": "0.5", "SOLUSDT": "150"}
CANDLES_TO_RECOVER = 3
"""The one in which it fell on, the calm one after it, and some of the next."""


def in_candles(venue: VenueControl) -> dict[str, Any]:
    """Return the detector's settings by the shortest candle that it can watch there; of long ones one has to do."""
    return {"interval": interval_at(venue.name), "fall_window": 5 if interval_at(venue.name) == "1s" else 1}


def interval_at(name: str) -> str:
    return "1s" if BY_NAME[name].candle == "1s" else "1m"


def patience_s(venue: VenueControl) -> float:
    """Return how long a recovery may take: it is judged by candles that have closed."""
    return PATIENCE_S + CANDLES_TO_RECOVER * INTERVALS_MS[interval_at(venue.name)] / 1000


def coins_market() -> AbstractContextManager[VenueControl]:
    """A venue that knows what the coins did before, where its shortest candle is too long to wait for."""
    return calm_venue(PRICES) if interval_at(SPOKEN.get()) == "1m" else still_venue()


class Pulse:
    """A market that trades calmly in every coin, four times a second, until a coin is told to fall.

    It falls on for as long as it is not calmed: whenever a slow machine looks, there is a fall to be seen.
    """

    def __init__(self, venue: VenueControl) -> None:
        self._venue = venue
        self._ended = threading.Event()
        self._turn = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="pulse")
        self._prices = {coin: Decimal(price) for coin, price in PRICES.items()}
        self._falling: set[str] = set()

    def __enter__(self) -> Pulse:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def crash(self, *coins: str) -> None:
        """Let the coins fall by 5 % at once, and by 1 % with each beat from then on."""
        with self._turn:
            for coin in coins:
                self._prices[coin] *= Decimal("0.95")
            self._falling.update(coins)

    def calm_down(self) -> None:
        with self._turn:
            self._falling.clear()

    def _run(self) -> None:
        while not self._ended.wait(0.25):
            with self._turn:
                self._beat()

    def _beat(self) -> None:
        for coin in COINS:
            tick = Decimal("0.1") if coin == "BTCUSDT" else Decimal("0.0001") if coin == "XRPUSDT" else Decimal("0.01")
            change = Decimal("0.99") if coin in self._falling else Decimal("1.0005")
            self._prices[coin] = max(tick, (self._prices[coin] * change).quantize(tick))
            self._venue.trade(coin, str(self._prices[coin]), "100", "BUY")


@contextmanager
def calm(folder: Path, **risk: Any) -> Iterator[tuple[VenueControl, Pulse, LiveDeployment]]:
    """A deployment in a calm market, with three entries and one lot."""
    with coins_market() as venue, Pulse(venue) as pulse:
        settings = live_settings(folder, venue, risk={**RISK, **in_candles(venue), **risk})
        with deployed(settings, venue) as live:
            live.until(lambda: live.holds() == [], "risk says go")
            live.walk("2999.5", "2997.5")
            rests = (["2996", "2994", "2992"], [-1])
            live.until(lambda: (live.entries(), live.exits()) == rests, "it quotes, and offers one lot")
            yield venue, pulse, live


def condition(live: LiveDeployment, coin: str) -> Condition | None:
    """Return how the supervisor sees a coin at present."""
    coins = (live.crew.ask(live.roster.risk, "snapshot") or {}).get("coins", {})
    return coins[coin].condition if coin in coins else None


def see_entries_gone(live: LiveDeployment) -> None:
    live.until(lambda: "" in live.gateway()["entries_gone"], "the entries are verified gone")
    assert live.entries() == []


def test_all_coins_break_while_cancels_time_out(tmp_path: Path) -> None:
    with calm(tmp_path) as (venue, pulse, live):
        venue.fault("request_lost", scope={"endpoint": "order.cancel"}, loss="hang", count=2)
        venue.fault("backend_timeout", scope={"endpoint": "order.cancel"}, count=1)

        pulse.crash(*COINS)
        live.until(lambda: "risk" in live.holds(), "risk halts")
        see_entries_gone(live)
        assert len(venue.strikes("request_lost")) == 2, "two cancels were to get lost"

        venue.walk("ETHUSDT", "2989.5")
        live.stays(lambda: live.entries() == [], "nothing is bought in the fall", 1.5)
        assert live.exits() == [-1], "the exit stays and is managed"

        pulse.calm_down()
        live.until(lambda: "risk" not in live.holds(), "it recovers once the coins are calm again", patience_s(venue))
        live.until(lambda: live.entries() == ["2988", "2986", "2984"], "entries come at the new price")
        live.settle()
        live.reckon()


def test_a_dead_candle_stream_counts_as_danger(tmp_path: Path) -> None:
    with calm(tmp_path, stale_s=3) as (venue, pulse, live):
        venue.fault("frozen_stream", scope={"stream": venue.ways.candle_stream, "symbol": "XRPUSDT"})
        live.until(lambda: condition(live, "XRPUSDT") is Condition.STALE, "its candles are old")
        live.until(lambda: "risk" not in live.holds(), "one dead stream of three is no majority")
        assert condition(live, "XRPUSDT") is Condition.STALE

        pulse.crash("BTCUSDT")
        live.until(lambda: "risk" in live.holds(), "with one more coin it is")
        see_entries_gone(live)

        pulse.calm_down()
        live.until(lambda: "risk" not in live.holds(), "two sound coins are enough to recover", patience_s(venue))
        live.settle()
        live.reckon()


def test_a_coin_whose_candles_are_missing_counts_as_danger(tmp_path: Path) -> None:
    """The venue has nothing to say of two coins: before there is data there is no go."""
    with coins_market() as venue, Pulse(venue):
        for coin in ("XRPUSDT", "SOLUSDT"):
            venue.fault("candles_missing", scope={"symbol": coin}, name=f"{coin} by reading")
            venue.fault(
                "frozen_stream", scope={"stream": venue.ways.candle_stream, "symbol": coin}, name=f"{coin} by stream"
            )
        with deployed(live_settings(tmp_path, venue, risk={**RISK, **in_candles(venue)}), venue, waits=False) as live:
            live.until(lambda: condition(live, "BTCUSDT") is Condition.CALM, "one coin is known and calm")
            live.stays(lambda: venue.own_orders() == [], "nothing is traded", 1)
            venue.heal()
            live.until(
                lambda: live.entries() == ["2998", "2996", "2994"],
                "it trades once the data is there",
                patience_s(venue),
            )
            live.settle()
            live.reckon()


def test_a_silent_supervisor_is_a_no(tmp_path: Path) -> None:
    with calm(tmp_path) as (venue, _, live):
        live.crew.kill(live.roster.risk)
        live.until(lambda: "lease" in live.holds(), "its silence is noticed")
        see_entries_gone(live)
        assert live.exits() == [-1]

        live.crew.enlist(live.roster.risk)
        live.until(lambda: live.holds() == [], "its successor says go", patience_s(venue))
        live.settle()
        live.reckon()


def test_refused_margin_holds_entries_and_no_exit(tmp_path: Path) -> None:
    with still_venue() as venue, deployed(live_settings(tmp_path, venue), venue) as live:
        live.walk("2999.5")
        venue.verb("transfer", amount="-99975")
        venue.walk("ETHUSDT", "2991.5")
        live.until(lambda: "margin" in live.holds(), "the refusal is a hold")
        live.until(lambda: live.exits() == [-1, -2, -3], "every lot is offered")
        live.settle()

        refused = live.counts()["refused_margin"]
        venue.quote("ETHUSDT", "2991.4", "2991.41")
        live.stays(lambda: live.counts()["refused_margin"] == refused, "it is not tried again and again", 2)
        assert live.exits() == [-1, -2, -3]
        live.settle()
        live.reckon()


def test_a_stop_loss_sells_and_does_not_buy_back(tmp_path: Path) -> None:
    breakers = {"max_notional": 5000, "daily_loss": 1000, "stop_loss": 2, "stop_sells": True, "cool_down_s": 3600}
    with still_venue() as venue, deployed(live_settings(tmp_path, venue, account=breakers), venue) as live:
        live.walk("2999.5", "2997.5", "2995.5", "2993.5")
        venue.walk("ETHUSDT", "2950")
        live.until(lambda: "stop_loss" in live.holds(), "the stop-loss is hit")
        live.until(lambda: venue.account()["positions"] == {}, "the lots are sold")
        live.until(lambda: live.symbol()["lots"] == 0, "the book knows")

        for price in ("2940", "2955", "2945"):
            venue.walk("ETHUSDT", price)
            live.stays(lambda: live.entries() == [], "nothing is bought back in the cool-down", 0.7)
        assert live.holds() == ["stop_loss"]
        live.reckon()


@pytest.mark.long
@pytest.mark.parametrize(
    ("crash", "begin", "end", "symbol", "coins", "ladder"),
    [
        (
            "crash_2021-05-19_binance_spot",
            "2021-05-19T03:50",
            "2021-05-19T04:38",
            "ETHUSDT",
            ("BTCUSDT", "ETHUSDT", "XRPUSDT", "DOGEUSDT", "ADAUSDT"),
            {"interval": 10, "amount": 60},
        ),
        (
            "crash_2026-02-05_binance_usdm",
            "2026-02-05T23:35",
            "2026-02-06T00:25",
            "LTCUSDT",
            ("LTCUSDT", "AVAXUSDT", "DOTUSDT", "LINKUSDT", "NEARUSDT"),
            {"interval": "0.2", "amount": 60},
        ),
    ],
)
def test_a_recorded_crash_is_halted_and_nothing_is_bought_meanwhile(
    shared_data: Path,
    tmp_path: Path,
    crash: str,
    begin: str,
    end: str,
    symbol: str,
    coins: tuple[str, ...],
    ladder: dict[str, Any],
) -> None:
    folder = shared_data / "klines" / crash
    tapes = [cut_minutes(folder / f"{coin}-1m.parquet", tmp_path / "tape", begin, end) for coin in coins]
    known = {held.symbol: held for held in (*listed(shared_data, *coins), *demo_instruments())}
    watch = {**RISK, "watch": list(coins), "interval": "1s", "fall_window": 10}
    limits = {
        "account": {"max_notional": 20000, "daily_loss": 20000},
        "runtime": {"slots_per_actor": 8, "look_ahead": 1, "reconcile_s": 2},
    }
    grid = {"symbol": symbol, "anchor": None, "buy_window": 8, "max_lots": 60, **ladder}
    with (
        playing(tapes, [known[coin] for coin in coins], warm_up_min=25) as venue,
        deployed(live_settings(tmp_path, venue, grid, risk=watch, **limits), venue) as live,
    ):
        live.until(lambda: live.venue.own_orders(symbol), "it trades before the crash")
        live.until(lambda: venue.truth()["tape"]["is_over"], "the tape is over", timeout_s=100)
        result = live.reckon().document()

    assert result["halts"] >= 1, "the crash was to be noticed"
    assert result["position_matches"] is True
