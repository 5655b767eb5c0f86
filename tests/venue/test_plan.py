"""`gridmesh plan` against a venue over real sockets: what it shows is what the rules would do, and it sends nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from actors.journal.writer import Journal
from actors.settings.account import load_settings
from exchanges.sim.binance.rate_limits import BINANCE_WINDOWS
from grid.ladder import GridSide
from grid.records import to_body
from tests.grid_world import generation
from tests.unit.command_line import CommandLine, Ended
from tests.unit.test_grid_book import lot_at
from tests.venue.running_venue import RunningVenue, running, still_options
from tests.venue.trading_account import TradingAccount, own_id


@pytest.fixture(scope="module")
def venue() -> Iterator[RunningVenue]:
    roomy = tuple(replace(window, limit=1_000_000) for window in BINANCE_WINDOWS)
    with running(still_options(windows=roomy)) as started:
        yield started


@pytest.fixture
def account(
    venue: RunningVenue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[TradingAccount]:
    account = TradingAccount.of(venue, tmp_path, monkeypatch, CommandLine(monkeypatch, capsys))
    yield account
    venue.heal()
    held = account.position()
    if held:
        account.move_position(-held)


def symbol_of(ended: Ended) -> Any:
    assert ended.code == 0, ended.out + ended.err
    [symbol] = ended.json["symbols"]
    return symbol


def resting(symbol: Any) -> list[tuple[str, str, str]]:
    return [(one["side"], one["price"], one["quantity"]) for one in symbol["orders"] if one["rests"]]


def test_it_shows_the_ladder_of_now_by_the_account_s_own_fees_and_sends_nothing(account: TradingAccount) -> None:
    account.place(own_id("ETHUSDT", 1))
    before = account.open_ids()

    ended = account.run("plan", account.config, "--json")

    symbol = symbol_of(ended)
    assert resting(symbol) == [
        ("buy", "2998.00", "0.020"),
        ("buy", "2996.00", "0.020"),
        ("buy", "2994.00", "0.020"),
    ]
    assert (symbol["step"]["step"], symbol["step"]["share"]) == ("2.00", "0.000667")
    assert (symbol["step"]["break_even"], symbol["step"]["pays"]) == ("1.20", True)
    assert Decimal(symbol["step"]["profit"]) == Decimal("0.020") * (2 - Decimal("0.0002") * (2998 + 3000))
    assert len(symbol["fills"]) == 10
    assert ended.json["assumed"] == []
    assert Decimal(ended.json["account"]["wallet"]) == 100_000
    assert account.open_ids() == before
    assert not (account.config.parent / "home").exists()


def test_without_keys_it_says_what_it_assumes(account: TradingAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRIAL_KEY")
    monkeypatch.delenv("TRIAL_SECRET")

    ended = account.run("plan", account.config, "--json")

    assert len(resting(symbol_of(ended))) == 3
    assert any("maker fee 0.02 % (assumed)" in sentence for sentence in ended.json["assumed"])
    assert any("wallet" in sentence and "assumed" in sentence for sentence in ended.json["assumed"])


def test_half_a_key_pair_is_no_reason_to_assume(account: TradingAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRIAL_SECRET")

    assert account.run("plan", account.config).code == 4


def test_a_price_is_planned_as_if_it_were_there(account: TradingAccount) -> None:
    account.configure(symbol={"anchor": 3000})

    symbol = symbol_of(account.run("plan", account.config, "--price", "2500.05", "--json"))

    assert [price for _, price, _ in resting(symbol)] == ["2498.00", "2496.00", "2494.00"]
    assert account.run("plan", account.config, "--price", "BTCUSDT=5").code == 4
    assert account.run("plan", account.config, "--price", "high").code == 4


def test_a_smaller_wallet_is_liquidated_nearer_and_what_a_start_refuses_is_said(account: TradingAccount) -> None:
    rich = symbol_of(account.run("plan", account.config, "--wallet", "400", "--json"))
    poor = account.run("plan", account.config, "--wallet", "20", "--json")

    nearest = [Decimal(fill["liquidation"]) for fill in symbol_of(poor)["fills"] if fill["liquidation"] is not None]
    farthest = [Decimal(fill["liquidation"] or 0) for fill in rich["fills"]]
    assert nearest[-1] > farthest[-1]
    assert any(one["severity"] == "refuse" and "max_lots" in one["sentence"] for one in poor.json["findings"])


def test_entries_beyond_a_cap_are_shown_with_the_cap_s_name(account: TradingAccount) -> None:
    account.configure(symbol={"max_lots": 2})

    waiting = [one for one in symbol_of(account.run("plan", account.config, "--json"))["orders"] if not one["rests"]]

    assert [(one["price"], one["reason"]) for one in waiting] == [("2994.00", "max_lots")]


def test_a_step_that_loses_is_called_so(account: TradingAccount) -> None:
    account.configure(symbol={"interval": "0.5"})

    words = account.run("plan", account.config).out

    assert "LOSES" in words
    assert "the smallest that earns is 1.21" in words
    assert "nothing was sent" in words


def test_a_short_grid_sells_above(account: TradingAccount) -> None:
    account.configure(symbol={"side": "short"})

    symbol = symbol_of(account.run("plan", account.config, "--json"))

    assert [(side, price) for side, price, _ in resting(symbol)] == [
        ("sell", "3002.01"),
        ("sell", "3004.01"),
        ("sell", "3006.01"),
    ]
    assert all(Decimal(fill["liquidation"]) > 3000 for fill in symbol["fills"])


def test_a_generation_of_the_journal_keeps_its_anchor(account: TradingAccount) -> None:
    journal = Journal.open(load_settings(account.config).journal_path)
    journal.append([(1, *to_body(generation(GridSide.LONG, anchor=300_100)))])
    journal.close()

    symbol = symbol_of(account.run("plan", account.config, "--json"))

    assert (symbol["anchor"], symbol["generation"]) == ("3001.00", 1)
    assert [price for _, price, _ in resting(symbol)] == ["2999.00", "2997.00", "2995.00"]


def test_an_unknown_symbol_is_named(account: TradingAccount) -> None:
    account.configure(symbol={"symbol": "NOSUCHUSDT"})

    ended = account.run("plan", account.config, "--json")

    assert ended.code == 4
    assert "NOSUCHUSDT" in ended.out


def test_a_lot_of_the_journal_is_sold_first_and_is_held_in_every_row(
    account: TradingAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRIAL_KEY")
    monkeypatch.delenv("TRIAL_SECRET")
    journal = Journal.open(load_settings(account.config).journal_path)
    journal.append([(1, *to_body(record)) for record in (generation(GridSide.LONG), lot_at(0, 20, "60"))])
    journal.close()

    symbol = symbol_of(account.run("plan", account.config, "--json"))

    first = symbol["orders"][0]
    assert (first["side"], first["purpose"], first["price"], first["rests"]) == ("sell", "exit", "3002.00", True)
    assert len(symbol["fills"]) == 9
    assert Decimal(symbol["fills"][0]["position"]) == Decimal("0.040")


@pytest.mark.parametrize("spacing", ["arithmetic", "geometric"])
def test_a_range_is_planned_from_end_to_end_and_no_farther(account: TradingAccount, spacing: str) -> None:
    bounds = {"low": 2990, "high": 3010, "grids": 10}
    account.configure(symbol={"interval": None, "spacing": spacing, "range": bounds, "max_lots": 10, "buy_window": 20})

    symbol = symbol_of(account.run("plan", account.config, "--json"))

    prices = [Decimal(price) for _, price, _ in resting(symbol)]
    assert len(prices) == 5
    assert min(prices) == 2990
    assert Decimal(symbol["worst"]["price"]) == 2990
    assert account.run("check", account.config).code == 0
    above = symbol_of(account.run("plan", account.config, "--price", "3100", "--json"))
    assert len(resting(above)) == 10
    assert max(Decimal(fill["target"]) for fill in above["fills"]) == 3010


@pytest.mark.parametrize("side", ["long", "short"])
def test_a_limit_of_the_trail_and_the_end_prices_are_planned_and_told(account: TradingAccount, side: str) -> None:
    stop, goal = (2900, 3100) if side == "long" else (3100, 2900)
    limit = {"low": 2994, "high": 3007}
    account.configure(
        symbol={
            "side": side,
            "trail_limit": limit,
            "anchor": 3000,
            "stop_price": stop,
            "take_profit_price": goal,
            "trigger_price": 2950,
        }
    )

    symbol = symbol_of(account.run("plan", account.config, "--json"))
    far = symbol_of(account.run("plan", account.config, "--price", "3100" if side == "long" else "2900", "--json"))
    words = account.run("plan", account.config).out.replace(",", "")

    assert symbol["bounds"] == {"low": "2994.00", "high": "3006.00"}
    prices = [Decimal(price) for _, price, _ in resting(symbol)]
    assert (min(prices) if side == "long" else max(prices)) == (2994 if side == "long" else 3006)
    assert Decimal(symbol["worst"]["price"]) == (2994 if side == "long" else 3006)
    assert resting(far)[0][1] == ("3004.00" if side == "long" else "2996.00")
    assert "levels from 2994.00 up to 3006.00" in words
    assert "begins once the mark price has come to 2950" in words
    assert f"stop of the whole grid at {stop}" in words
    assert f"take-profit of the whole grid at {goal}" in words


@pytest.mark.parametrize("side", ["long", "short"])
def test_what_a_grid_begins_with_is_planned_and_counted_in_its_worst(account: TradingAccount, side: str) -> None:
    bounds = {"low": 2990, "high": 3010, "grids": 10}
    keys = {"side": side, "interval": None, "range": bounds, "max_lots": 10, "buy_window": 20}
    account.configure(symbol=keys)
    plain = symbol_of(account.run("plan", account.config, "--json"))
    account.configure(symbol={**keys, "open_position": {"slippage": "0.1%"}})

    symbol = symbol_of(account.run("plan", account.config, "--json"))

    opening = symbol["opening"]
    # A short grid looks from the ask, 3000.01: its level at 3000.00 is one of them.
    assert opening["lots"] == (4 if side == "long" else 5)
    assert [opening["from"], opening["to"]] == (["3002.00", "3008.00"] if side == "long" else ["3000.00", "2992.00"])
    added = Decimal(symbol["worst"]["position"]) - Decimal(plain["worst"]["position"])
    assert added == Decimal(opening["quantity"])
    assert Decimal(symbol["worst"]["loss"]) > Decimal(plain["worst"]["loss"])
    assert f"begins with {opening['lots']} lots" in account.run("plan", account.config).out
    assert account.run("check", account.config).code == 0


@pytest.mark.parametrize("spacing", ["arithmetic", "geometric"])
def test_a_neutral_grid_is_planned_on_both_sides_and_needs_the_dearer_one(
    account: TradingAccount, spacing: str
) -> None:
    keys = {"interval": None, "spacing": spacing, "max_lots": 10, "buy_window": 20}
    bounds = {"low": 2990, "high": 3010, "grids": 10}
    account.configure(symbol={**keys, "side": "neutral", "range": bounds, "anchor": 3000})

    planned = account.run("plan", account.config, "--json")

    symbol = symbol_of(planned)
    other = symbol["other_side"]
    assert (symbol["side"], symbol["works"], other["works"]) == ("neutral", "long", "short")
    assert {side for side, _, _ in resting(symbol)} == {"buy"}
    assert (symbol["bounds"]["high"], other["bounds"]["low"]) == ("3000.00", "3000.00")
    # By ratios 3000 lies a little over the middle: the fifth step up would end beyond the range.
    even = spacing == "arithmetic"
    assert (len(symbol["fills"]), len(other["fills"])) == (5, 5 if even else 4)
    ends = symbol["worst"]["price"], other["worst"]["price"]
    assert ends == (("2990.00", "3010.00") if even else ("2990.01", "3008.02"))
    assert other["worst"]["liquidation"] is not None
    assert 3000 < Decimal(other["turns_at"]) <= 3001
    words = account.run("plan", account.config).out.replace(",", "")
    assert "works long now; turns short once nothing is held and the price has come to 3001" in words
    assert account.run("check", account.config).code == 0
    over = symbol_of(account.run("plan", account.config, "--price", "3005", "--json"))
    assert (over["works"], over["other_side"]["works"]) == ("short", "long")

    margin = Decimal(planned.json["account"]["margin_required"])
    short = {**keys, "side": "short", "range": {"low": 3000, "high": 3010, "grids": 5}, "max_lots": 5}
    account.configure(symbol=short)
    assert margin >= Decimal(account.run("plan", account.config, "--json").json["account"]["margin_required"])


def test_a_range_of_uneven_steps_is_refused_with_what_works(account: TradingAccount) -> None:
    bounds = {"low": 2990, "high": "3010.01", "grids": 10}
    account.configure(symbol={"interval": None, "range": bounds})

    ended = account.run("plan", account.config)

    assert ended.code == 4
    assert "a high of 3010.00 or 3010.10 works" in ended.err
