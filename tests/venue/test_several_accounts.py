"""One deployment, two accounts on two venues that speak different protocols: one's trouble is not the other's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from actors.clock import SystemClock, now_ms
from actors.commands.observe import render_status
from actors.coordinator import Coordinator
from actors.deployment.account_sections import find_symbol
from actors.deployment.view import status_view, stop_report
from actors.errors import NotFound
from actors.settings.deployment import deployment_hash
from tests.live_accounts import LiveAccounts, several, several_settings
from tests.live_control import VenueControl, still_venue
from tests.unit.test_run_file import a_run
from tests.venue.running_venue import still_options

PROTOCOLS = {"alpha": "binanceusdm", "beta": "bybit"}


@pytest.fixture
def venues() -> Iterator[dict[str, VenueControl]]:
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(still_venue(replace(still_options(), protocol=protocol)))
            for name, protocol in PROTOCOLS.items()
        }


@pytest.fixture
def both(tmp_path: Path, venues: dict[str, VenueControl]) -> Iterator[LiveAccounts]:
    with several(several_settings(tmp_path, venues), venues) as whole:
        for account in whole.accounts.values():
            account.until(lambda account=account: len(account.entries()) == 3, f"{account.name} quotes")  # type: ignore[misc]
        yield whole


def test_both_trade_by_their_own_books_and_the_stop_verifies_both(both: LiveAccounts) -> None:
    alpha, beta = both.accounts["alpha"], both.accounts["beta"]
    alpha.walk("2998", "2996")
    beta.walk("2999")

    assert alpha.roster.gateway == "gateway/binanceusdm/alpha"
    assert beta.roster.layouts["ETHUSDT"].name(0) == "slot/beta/ETHUSDT/00"
    assert (alpha.symbol()["lots"], beta.symbol()["lots"]) == (1, 0)
    assert both.state() == "running"

    both.coordinator.stop("keep")
    alpha.until(lambda: both.state() == "stopped", "both have stopped")

    report = stop_report(both.coordinator.snapshot())
    assert report["done"], report
    assert {line.partition(":")[0] for line in report["said"]} == {"alpha", "beta"}
    assert [account.venue.own_orders(is_open=True) for account in both.accounts.values()] == [[], []]
    assert not any(both.crew.is_there(name) for account in both.accounts.values() for name in account.roster.everyone)


def test_what_is_said_of_them_tells_them_apart(both: LiveAccounts) -> None:
    seen = both.coordinator.snapshot()
    answer = status_view(seen, a_run(1), now_ms())

    assert [(one["name"], one["symbols"][0]["symbol"]) for one in answer["accounts"]] == [
        ("alpha", "ETHUSDT"),
        ("beta", "ETHUSDT"),
    ]
    assert {"gateway/binanceusdm/alpha", "gateway/bybit/beta"} <= {row["name"] for row in answer["actors"]}
    lines = [str(part) for part in render_status(answer)]
    assert [line for line in lines if line.startswith("account ")] == [
        "account alpha: running, owner epoch 1",
        "account beta: running, owner epoch 1",
    ]
    assert find_symbol(seen, "beta/ETHUSDT") == ("beta", "ETHUSDT")
    with pytest.raises(NotFound, match="alpha/ETHUSDT or beta/ETHUSDT"):
        find_symbol(seen, "ETHUSDT")
    with pytest.raises(NotFound, match="no account gamma"):
        find_symbol(seen, "gamma/ETHUSDT")


def test_a_halt_reaches_both_and_one_may_be_halted_alone(both: LiveAccounts) -> None:
    alpha, beta = both.accounts["alpha"], both.accounts["beta"]

    assert both.coordinator.halt("a look around", "beta")
    beta.until(lambda: beta.entries() == [], "beta's entries are off")
    assert len(alpha.entries()) == 3
    assert both.coordinator.halt("all of it")
    alpha.until(lambda: alpha.entries() == [], "alpha's entries are off")
    assert both.coordinator.resume()
    for account in (alpha, beta):
        account.until(lambda account=account: len(account.entries()) == 3, "it quotes again")  # type: ignore[misc]


def test_a_venue_that_is_down_at_the_start_keeps_the_other_account_from_nothing(
    tmp_path: Path, venues: dict[str, VenueControl]
) -> None:
    venues["beta"].fault("service_unavailable")
    with several(several_settings(tmp_path, venues), venues) as whole:
        alpha, beta = whole.accounts["alpha"], whole.accounts["beta"]
        alpha.until(lambda: len(alpha.entries()) == 3, "alpha quotes")
        alpha.walk("2997")

        assert (alpha.state(), beta.state(), whole.state()) == ("running", "starting", "running")
        assert any(line.startswith("beta: the order gateway") for line in whole.coordinator.snapshot()["waiting_for"])
        assert alpha.symbol()["lots"] == 1

        venues["beta"].heal()
        beta.until(lambda: len(beta.entries()) == 3, "beta quotes once its venue answers")


def test_an_account_that_is_refused_is_named_and_the_other_trades(
    tmp_path: Path, venues: dict[str, VenueControl]
) -> None:
    made = several_settings(tmp_path, venues)
    beta = made.account("beta")
    greedy = beta.symbols[0].model_copy(update={"amount": Decimal(1)})
    with several(made.with_account(beta.with_symbols([greedy])), venues) as whole:
        alpha, beta_account = whole.accounts["alpha"], whole.accounts["beta"]
        beta_account.until(lambda: beta_account.state() == "refused", "beta is refused")
        alpha.until(lambda: len(alpha.entries()) == 3, "alpha quotes")

        seen = whole.coordinator.snapshot()
        assert whole.state() == "running"
        assert seen["refusals"]
        assert all(line.startswith("beta: ") for line in seen["refusals"])
        assert any(line.startswith("account beta is refused") for line in seen["troubles"])

        whole.coordinator.stop("keep")
        alpha.until(lambda: whole.state() == "stopped", "it has stopped")
        report = stop_report(whole.coordinator.snapshot())
        assert report["done"], report
        assert any(line.startswith("beta: never traded: ") for line in report["said"])
        assert not whole.crew.is_there(beta_account.roster.gateway)


def test_a_gateway_that_dies_takes_nothing_of_the_other_account_with_it(both: LiveAccounts) -> None:
    alpha, beta = both.accounts["alpha"], both.accounts["beta"]
    resting = {order["clientOrderId"] for order, _ in alpha.venue.own_orders(is_open=True)}
    beta.kill_gateway()
    alpha.walk("2997")

    assert alpha.symbol()["lots"] == 1
    assert len(resting & {order["clientOrderId"] for order, _ in alpha.venue.own_orders()}) == len(resting)
    beta.restart_gateway()
    beta.until(lambda: len(beta.entries()) == 3, "beta quotes again")
    beta.walk("2997")
    for account in (alpha, beta):
        account.reckon()


def test_a_new_life_of_the_coordinator_adopts_both_and_remembers_which_one_was_stopped(both: LiveAccounts) -> None:
    alpha, beta = both.accounts["alpha"], both.accounts["beta"]
    beta.stop()
    lives = both.crew.incarnations(alpha.roster.everyone)

    both.coordinator = Coordinator(settings=both.settings, crew=both.crew, clock=SystemClock(), is_restarted=True)
    alpha.coordinator = beta.coordinator = both.coordinator
    both.coordinator.start()
    alpha.until(lambda: alpha.state() == "running", "alpha runs on")
    beta.until(lambda: beta.state() == "stopped", "beta stays stopped")

    assert both.crew.incarnations(alpha.roster.everyone) == lives
    assert beta.venue.own_orders(is_open=True) == []
    assert len(alpha.entries()) == 3


def test_a_symbol_is_added_to_one_account_and_only_where_nothing_else_differs(
    both: LiveAccounts, tmp_path: Path
) -> None:
    beta = both.accounts["beta"]
    ladder = beta.settings.symbols[0].model_copy(
        update={"symbol": "BTCUSDT", "interval": Decimal(40), "anchor": None, "amount": Decimal(130)}
    )
    wider = beta.settings.with_symbols((*beta.settings.symbols, ladder))
    other = both.settings.account("alpha")
    changed = other.model_copy(update={"gateway": other.gateway.model_copy(update={"burst": 7})})

    asked = both.settings.with_account(wider)
    assert "in more than beta" in both.coordinator.add(asked.with_account(changed), "BTCUSDT", "", "beta")
    assert both.coordinator.add(asked, "BTCUSDT", "t", "beta") == ""
    beta.until(lambda: len(beta.entries("BTCUSDT")) == 3, "it quotes the new one")

    seen = both.coordinator.snapshot()
    assert find_symbol(seen, "BTCUSDT") == ("beta", "BTCUSDT")
    assert beta.section()["feeds"]["BTCUSDT"] == "feed/beta/BTCUSDT"
    assert seen["configuration_hash"] == deployment_hash(asked)
    assert both.coordinator.remove("BTCUSDT", "keep", "beta") == ""
    beta.until(lambda: "BTCUSDT" not in beta.section()["layouts"], "it has left")
    assert beta.venue.own_orders("BTCUSDT", is_open=True) == []
