"""`gridmesh init` against a venue over real sockets: by flags, and asked at a terminal; its file passes `check`."""

from __future__ import annotations

import os
import pty
import select
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from actors.planning.first_ladder import write_new
from actors.settings.account import load_settings
from exchanges.sim.binance.rate_limits import BINANCE_WINDOWS
from exchanges.sim.market import Candle
from exchanges.sim.server.options import DEMO_KEY, DEMO_SECRET
from grid.errors import ConfigError
from tests.unit.command_line import CommandLine, Ended
from tests.venue.running_venue import INSTRUMENTS, RunningVenue, running, still_market, still_options

MINUTE_MS = 60_000
BARS = 600
PATIENCE_S = 60


def moving(symbol: str, price: str, swing: str) -> list[Candle]:
    """Minutes up to now, each `swing` high."""
    instrument = INSTRUMENTS[symbol]
    start_ms = (time.time_ns() // 1_000_000 // MINUTE_MS - BARS) * MINUTE_MS
    at, half = instrument.ticks(Decimal(price)), instrument.ticks(Decimal(swing)) // 2
    return [
        Candle(
            symbol=symbol,
            open_ms=start_ms + index * MINUTE_MS,
            interval_ms=MINUTE_MS,
            open=at,
            high=at + half,
            low=at - half,
            close=at,
            volume=1000,
            history=True,
        )
        for index in range(BARS)
    ]


@pytest.fixture(scope="module")
def venue() -> Iterator[RunningVenue]:
    roomy = tuple(replace(window, limit=1_000_000) for window in BINANCE_WINDOWS)
    candles = [*moving("ETHUSDT", "3000", "12"), *moving("BTCUSDT", "60000", "200")]
    options = replace(still_options(windows=roomy), market=replace(still_market(), candles=candles))
    with running(options) as started:
        yield started


class Bench:
    """A folder to write in, and a command line."""

    def __init__(self, venue: RunningVenue, folder: Path, shell: CommandLine) -> None:
        self.venue = venue
        self.file = folder / "first.yaml"
        self._shell = shell

    def run(self, *arguments: object) -> Ended:
        return self._shell.run(*arguments)

    def init(self, *arguments: object) -> Ended:
        place = ("--rest-url", self.venue.rest_url, "--ws-url", self.venue.ws_url)
        return self.run("init", self.file, *place, *arguments)


@pytest.fixture
def bench(
    venue: RunningVenue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Bench:
    monkeypatch.setenv("GRIDMESH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("BINANCE_API_KEY", DEMO_KEY)
    monkeypatch.setenv("BINANCE_API_SECRET", DEMO_SECRET)
    return Bench(venue, tmp_path, CommandLine(monkeypatch, capsys))


@pytest.mark.parametrize("side", ["long", "short"])
@pytest.mark.parametrize("spacing", ["arithmetic", "geometric"])
@pytest.mark.parametrize("appetite", ["low", "medium", "high"])
def test_what_it_writes_passes_check(bench: Bench, side: str, spacing: str, appetite: str) -> None:
    words = ("--symbol", "ETHUSDT", "--funds", "2000", "--kind", side, "--spacing", spacing, "--risk", appetite)

    ended = bench.init(*words, "--yes", "--json")
    checked = bench.run("check", bench.file, "--json")

    assert ended.code == 0, ended.out
    assert checked.code == 0, checked.out
    assert bench.run("plan", bench.file, "--json").code == 0


@pytest.mark.parametrize("side", ["long", "short"])
@pytest.mark.parametrize("spacing", ["arithmetic", "geometric"])
def test_a_range_that_it_writes_passes_check_and_holds_every_level(bench: Bench, side: str, spacing: str) -> None:
    words = ("--symbol", "ETHUSDT", "--funds", "2000", "--kind", side, "--spacing", spacing, "--shape", "range")

    ended = bench.init(*words, "--yes", "--json")
    checked = bench.run("check", bench.file, "--json")

    assert ended.code == 0, ended.out
    assert checked.code == 0, checked.out
    [symbol] = load_settings(bench.file, {}).symbols
    assert symbol.range is not None
    [told] = ended.json["symbols"]
    price = Decimal(told["price"])
    assert symbol.range.low < price < symbol.range.high
    [near, far] = sorted([price - symbol.range.low, symbol.range.high - price])
    assert (far == price - symbol.range.low) == (side == "long")
    assert 0 < near <= far


def test_by_default_a_run_of_the_file_is_on_paper_with_the_funds_as_its_balance(tmp_path: Path) -> None:
    from actors.planning.first_configuration import Answers, _paper, _venue
    from actors.settings.paper import Trading
    from actors.settings.venue import VenuePlace
    from grid.ladder import Spacing
    from grid.neutral import GridKind
    from risk.proposal import Appetite, Shape

    answers = Answers(
        deployment="one",
        place=VenuePlace(name="okx"),
        is_live=False,
        symbols=("ETHUSDT",),
        funds=Decimal(1234),
        side=GridKind.LONG,
        shape=Shape.WINDOW,
        spacing=Spacing.ARITHMETIC,
        appetite=Appetite.LOW,
        leverage=1,
        maker_fee=Decimal("0.0003"),
    )
    file = tmp_path / "one.yaml"
    ladder = "symbols: [{symbol: ETHUSDT, interval: 2, amount: 60, buy_window: 3, max_lots: 10}]"
    file.write_text(
        "\n".join(["deployment: one", *_venue(answers), ladder, "account: {max_notional: 900, daily_loss: 9}"])
    )
    with file.open("a") as more:
        more.write("\n".join(_paper(answers)))

    settings = load_settings(file, {})

    assert settings.trading is Trading.PAPER
    assert settings.paper is not None
    assert (settings.paper.balance, settings.paper.maker_fee) == (Decimal(1234), Decimal("0.0003"))


@pytest.mark.parametrize("spacing", ["arithmetic", "geometric"])
def test_a_neutral_grid_is_proposed_where_it_is_asked_for(bench: Bench, spacing: str) -> None:
    words = ("--symbol", "ETHUSDT", "--funds", "2000", "--kind", "neutral", "--spacing", spacing)

    ended = bench.init(*words, "--yes", "--json")
    checked = bench.run("check", bench.file, "--json")
    planned = bench.run("plan", bench.file, "--json")

    assert ended.code == 0, ended.out
    assert "side: neutral" in bench.file.read_text()
    assert checked.code == 0, checked.out
    [symbol] = planned.json["symbols"]
    assert (symbol["works"], symbol["other_side"]["works"]) == ("long", "short")
    here, there = len(symbol["fills"]), len(symbol["other_side"]["fills"])
    assert min(here, there) >= max(here, there) - 1 > 0


def test_two_symbols_share_the_funds_and_every_figure_has_its_reason(bench: Bench) -> None:
    ended = bench.init("--symbol", "ETHUSDT", "--symbol", "BTCUSDT", "--funds", "20000", "--yes", "--json")

    settings = load_settings(bench.file, {})
    assert [one["symbol"] for one in ended.json["symbols"]] == ["ETHUSDT", "BTCUSDT"]
    assert sum(one.max_lots * one.amount / (one.leverage or 1) for one in settings.symbols) < 20000
    # 12 of 3000 in the mean of the candles: half of it is a step
    assert settings.symbols[0].interval == Decimal(6)
    text = bench.file.read_text()
    assert "a candle of" in text
    assert "the smallest that earns is 1.21" in text
    assert bench.run("check", bench.file).code == 0


def test_the_file_is_its_owner_s_holds_no_secret_and_is_never_replaced(bench: Bench) -> None:
    words = ("--symbol", "ETHUSDT", "--funds", "2000", "--yes")
    assert bench.init(*words).code == 0
    before = bench.file.read_bytes()

    again = bench.init(*words)

    assert again.code == 4
    assert "never replaced" in again.err
    assert bench.file.read_bytes() == before
    assert stat.S_IMODE(bench.file.stat().st_mode) == 0o600
    assert DEMO_SECRET not in before.decode()
    assert list(bench.file.parent.glob(".first*")) == []


def test_a_link_to_nowhere_is_no_place_to_write(bench: Bench) -> None:
    bench.file.symlink_to(bench.file.parent / "elsewhere.yaml")

    assert bench.init("--symbol", "ETHUSDT", "--funds", "2000", "--yes").code == 4
    assert not (bench.file.parent / "elsewhere.yaml").exists()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--symbol", "NOSUCHUSDT", "--funds", "2000"), 4, "no such contract"),
        (("--symbol", "ETHUSDT", "--funds", "30"), 4, "work"),
        (("--symbol", "ETHUSDT", "--funds", "much"), 4, "a number above 0"),
        (("--symbol", "XRPUSDT", "--funds", "2000"), 4, "too few candles"),
        (("--symbol", "ETHUSDT", "--funds", "2000", "--live"), 4, "excludes --rest-url"),
        (("--symbol", "ETHUSDT"), 2, "--funds"),
        (("--symbol", "ETHUSDT", "--funds", "2000", "--venue", "nowhere"), 4, "has to be one of"),
    ],
)
def test_what_cannot_be_proposed_is_said_and_nothing_is_written(
    bench: Bench, words: tuple[str, ...], code: int, said: str
) -> None:
    ended = bench.init(*words, "--yes")

    assert ended.code == code
    assert said in ended.out + ended.err
    assert not bench.file.exists()


def test_without_a_terminal_and_without_flags_it_asks_nobody(bench: Bench) -> None:
    assert bench.init().code == 2


def test_real_money_needs_its_flag() -> None:
    from actors.planning.first_configuration import Answers, _venue
    from actors.settings.venue import VenuePlace
    from grid.ladder import Spacing
    from grid.neutral import GridKind
    from risk.proposal import Appetite, Shape

    def venue_of(*, is_live: bool = False, is_testnet: bool = False) -> dict[str, object]:
        answers = Answers(
            deployment="one",
            place=VenuePlace(name="binanceusdm", is_testnet=is_testnet),
            is_live=is_live,
            symbols=("ETHUSDT",),
            funds=Decimal(1000),
            side=GridKind.LONG,
            shape=Shape.WINDOW,
            spacing=Spacing.ARITHMETIC,
            appetite=Appetite.LOW,
            leverage=1,
            maker_fee=Decimal("0.0002"),
        )
        found: dict[str, dict[str, object]] = yaml.safe_load("\n".join(_venue(answers)))
        return found["venue"]

    assert venue_of(is_live=True)["live"] is True
    assert set(venue_of()) == {"name", "api_key_env", "api_secret_env"}
    assert venue_of(is_testnet=True)["testnet"] is True


def test_it_asks_at_a_terminal_and_writes_what_was_answered(bench: Bench) -> None:
    place = ["--rest-url", bench.venue.rest_url, "--ws-url", bench.venue.ws_url]
    dialogue = [
        ("Venue", ""),
        ("Symbols", "ethusdt"),
        ("Funds", "3000"),
        ("Kind", "sideways"),  # asked again
        ("Kind", "short"),
        ("Shape", ""),
        ("Risk appetite", "low"),
        ("Write ", "y"),
    ]

    code, said = at_a_terminal(["init", str(bench.file), *place], dialogue)

    assert code == 0, said
    settings = load_settings(bench.file, {})
    assert settings.symbols[0].side.value == "short"
    assert settings.symbols[0].leverage == 1
    assert bench.run("check", bench.file).code == 0


def test_no_at_the_end_writes_nothing(bench: Bench) -> None:
    place = ["--rest-url", bench.venue.rest_url, "--ws-url", bench.venue.ws_url]
    words = ["--venue", "binanceusdm", "--symbol", "ETHUSDT", "--funds", "3000", "--kind", "long", "--risk", "low"]
    words += ["--shape", "window"]

    code, _ = at_a_terminal(["init", str(bench.file), *place, *words], [("Write ", "n")])

    assert code == 1
    assert not bench.file.exists()


def at_a_terminal(arguments: list[str], dialogue: list[tuple[str, str]]) -> tuple[int, str]:
    """Run the program at a terminal of its own, answer each question as it comes, and return code and screen."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "actors.cli", *arguments], stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True
    )
    os.close(theirs)
    screen, seen = "", 0
    waiting = list(dialogue)
    deadline = time.monotonic() + PATIENCE_S
    try:
        while time.monotonic() < deadline:
            if select.select([ours], [], [], 0.2)[0]:
                try:
                    part = os.read(ours, 4096)
                except OSError:  # the other end is closed: the program has ended
                    break
                if not part:
                    break
                screen += part.decode(errors="replace")
            if waiting and (at := screen.find(waiting[0][0], seen)) >= 0 and ": " in screen[at:]:
                seen = len(screen)
                os.write(ours, f"{waiting.pop(0)[1]}\n".encode())
        assert not waiting, f"not asked: {waiting}; the screen shows {screen}"
        return process.wait(PATIENCE_S), screen
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(ours)


def test_a_file_that_appeared_while_it_asked_is_not_replaced_either(tmp_path: Path) -> None:
    place = tmp_path / "first.yaml"
    place.write_text("mine")

    with pytest.raises(ConfigError):
        write_new(place, "yours")

    assert place.read_text() == "mine"
