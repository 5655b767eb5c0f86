"""One deployment, two accounts on two venues that speak different protocols: one's trouble is not the other's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from actors.account_sections import find_symbol
from actors.deployment_view import status_view, stop_report
from actors.errors import NotFound
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
    alpha.until(lambda: both.state() == "stopped", "both have stopped", timeout_s=60)

    report = stop_report(both.coordinator.snapshot())
    assert report["done"], report
    assert {line.partition(":")[0] for line in report["said"]} == {"alpha", "beta"}
    assert [account.venue.own_orders(is_open=True) for account in both.accounts.values()] == [[], []]
    assert not any(both.crew.is_there(name) for account in both.accounts.values() for name in account.roster.everyone)


def test_what_is_said_of_them_tells_them_apart(both: LiveAccounts) -> None:
    seen = both.coordinator.snapshot()
    answer = status_view(seen, a_run(1))

    assert [(one["name"], one["symbols"][0]["symbol"]) for one in answer["accounts"]] == [
        ("alpha", "ETHUSDT"),
        ("beta", "ETHUSDT"),
    ]
    assert {"gateway/binanceusdm/alpha", "gateway/bybit/beta"} <= {row["name"] for row in answer["actors"]}
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
