"""`gridmesh check` names what reaches beyond our own orders, and what other hands keep beside them."""

from __future__ import annotations

from grid.order import Purpose
from tests.venue.test_check import account, lines, venue
from tests.venue.trading_account import TradingAccount, own_id

__all__ = ["account", "venue"]


def test_a_countdown_is_named_with_what_it_takes_and_costs(account: TradingAccount) -> None:
    account.configure(symbol={"countdown_s": 30, "cancels_manual_orders": True})

    [line] = [one for one in lines(account.run("check", account.config, "--json"), "warn") if "countdown_s" in one]

    assert "ALL orders on the symbol" in line
    assert "weight of 40 a minute" in line


def test_an_exchange_side_stop_is_named_and_consent_to_more_is_a_warning(account: TradingAccount) -> None:
    account.configure(symbol={"exchange_stop": {"distance": "5%"}})
    ended = account.run("check", account.config, "--json")
    assert ended.json["ready"] is True
    assert any("closes the whole position" in line for line in lines(ended, "ok"))

    account.configure(symbol={"exchange_stop": {"distance": "5%", "closes_foreign_position": True}})
    ended = account.run("check", account.config, "--json")
    assert any("what other hands hold on the symbol too" in line for line in lines(ended, "warn"))


def test_one_inside_the_ladder_is_refused_by_its_key(account: TradingAccount) -> None:
    account.configure(symbol={"exchange_stop": {"price": 2999}})

    [line] = lines(account.run("check", account.config, "--json"), "refuse")

    assert "symbols[ETHUSDT].exchange_stop.price = 2999: has to lie beyond the ladder: below 2980" in line


def test_stops_that_wait_are_told_apart(account: TradingAccount) -> None:
    account.place_stop("by_hand")
    account.place_stop(own_id("BTCUSDT", 1, Purpose.STOP), symbol="BTCUSDT", trigger="40000")
    try:
        ended = account.run("check", account.config, "--json")
    finally:
        account.cancel_stops()

    assert any("one of other hands closes the position" in line for line in lines(ended, "warn"))
    # a stop of another journal of this program: it runs elsewhere, or was lost
    assert any("journal aB3z" in line and "1 on BTCUSDT" in line for line in lines(ended, "refuse"))
