"""`gridmesh panic` over real sockets: every own order goes, nothing else does, whatever the venue does meanwhile."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from actors import run_file
from actors.journal.writer import Journal
from actors.panic import cancelling as panic
from actors.panic.cancelling import READ_PAUSE_S
from actors.settings.account import load_settings
from actors.settings.credentials import account_mark, load_credentials
from exchanges.sim.binance.rate_limits import BINANCE_WINDOWS
from exchanges.sim.server.faults import Delay, FaultKind, FaultRule, Loss, Scope
from grid.client_id import ClientId
from grid.order import Purpose
from tests.unit.command_line import CommandLine
from tests.unit.test_run_file import a_run
from tests.venue.running_venue import RunningVenue, running, still_options
from tests.venue.trading_account import TradingAccount, own_id

CANCEL = Scope(endpoint="DELETE /fapi/v1/order")
CANCEL_STOP = Scope(endpoint="algo.cancel")
OPEN_ORDERS = Scope(endpoint="GET /fapi/v1/openOrders")


@pytest.fixture(scope="module")
def venue() -> Iterator[RunningVenue]:
    # many panics a minute are no fair use of one address; the limits have tests of their own
    roomy = tuple(replace(window, limit=1_000_000) for window in BINANCE_WINDOWS)
    with running(still_options(windows=roomy)) as started:
        yield started


@pytest.fixture
def account(
    venue: RunningVenue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[TradingAccount]:
    account = TradingAccount.of(venue, tmp_path, monkeypatch, CommandLine(monkeypatch, capsys))
    account.configure(gateway={"recv_window_ms": 1500})
    monkeypatch.setattr(panic, "READ_PAUSE_S", 0.3)
    yield account
    venue.heal()
    account.cancel_stops()
    held = account.position()
    if held:
        account.move_position(-held)


def place_own(account: TradingAccount, count: int) -> None:
    for sequence in range(1, count + 1):
        account.place(own_id("ETHUSDT", sequence), price=str(2900 - 2 * sequence))


def test_it_cancels_own_orders_on_every_symbol_and_no_other(account: TradingAccount) -> None:
    place_own(account, 23)
    account.place(own_id("BTCUSDT", 1, Purpose.EXIT), symbol="BTCUSDT", price="55000", quantity="0.01")
    account.place("web_manual", price="2800")
    account.place(own_id("BTCUSDT", 2), price="2801")  # ours by its letters, but of another symbol: not ours

    ended = account.run("panic", account.config, "--json")

    assert ended.code == 0
    assert ended.json["clear"] is True
    assert ended.json["cancelled"] == 24
    assert ended.json["foreign_orders"] == 2
    assert account.open_ids() == {"web_manual", own_id("BTCUSDT", 2)}


@pytest.mark.parametrize(
    "rule",
    [
        FaultRule(name="none", kind=FaultKind.REPLY_LATENCY, scope=CANCEL_STOP),
        FaultRule(name="lost reply", kind=FaultKind.REPLY_LOST, scope=CANCEL_STOP, count=1),
        FaultRule(name="not executed", kind=FaultKind.SERVICE_UNAVAILABLE, scope=CANCEL_STOP, count=2),
        FaultRule(name="no reading", kind=FaultKind.BAD_GATEWAY, scope=Scope(endpoint="algos.open"), count=2),
    ],
    ids=lambda rule: rule.name,
)
def test_conditional_orders_of_ours_go_too_and_no_other(account: TradingAccount, rule: FaultRule) -> None:
    place_own(account, 2)
    account.place_stop(own_id("ETHUSDT", 1, Purpose.STOP))
    account.place_stop("by_hand", symbol="BTCUSDT", trigger="40000")
    account.venue.fault(rule)

    ended = account.run("panic", account.config, "--json")

    assert ended.code == 0
    assert account.open_ids() == set()
    assert account.waiting_stops() == {"by_hand"}
    assert ended.json["foreign_orders"] == 1


def test_a_stop_that_cannot_be_cancelled_is_named_and_it_is_not_clear(account: TradingAccount) -> None:
    mine = own_id("ETHUSDT", 1, Purpose.STOP)
    account.place_stop(mine)
    account.venue.fault(FaultRule(name="never", kind=FaultKind.SERVICE_UNAVAILABLE, scope=CANCEL_STOP))

    ended = account.run("panic", account.config, "--json", "--timeout", "6")

    assert ended.code == 5
    assert ended.json["left"] == [{"symbol": "ETHUSDT", "client_id": mine}]


def test_it_makes_no_journal_and_loads_no_ray(account: TradingAccount) -> None:
    place_own(account, 1)
    had_ray = "ray" in sys.modules

    account.run("panic", account.config)

    assert not (account.config.parent / "home").exists()
    assert ("ray" in sys.modules) == had_ray


def test_it_needs_no_order_socket(account: TradingAccount) -> None:
    place_own(account, 3)
    account.venue.fault(FaultRule(name="deaf", kind=FaultKind.REQUEST_LOST, scope=Scope(endpoint="ws"), loss=Loss.HANG))

    assert account.run("panic", account.config, "--json").json["cancelled"] == 3
    assert account.open_ids() == set()


@pytest.mark.parametrize(
    "rule",
    [
        FaultRule(name="lost reply", kind=FaultKind.REPLY_LOST, scope=CANCEL, count=2),
        FaultRule(name="not executed", kind=FaultKind.SERVICE_UNAVAILABLE, scope=CANCEL, count=2),
        FaultRule(name="unknown", kind=FaultKind.UNKNOWN_ERROR, scope=CANCEL, count=1),
        FaultRule(name="cut", kind=FaultKind.REPLY_TRUNCATED, scope=CANCEL, count=1),
        FaultRule(name="no reading", kind=FaultKind.BAD_GATEWAY, scope=OPEN_ORDERS, count=2),
        FaultRule(name="one wrong reading", kind=FaultKind.EMPTY_OPEN_ORDERS, count=1),
    ],
    ids=lambda rule: rule.name,
)
def test_it_goes_on_through_faults_until_none_is_left(account: TradingAccount, rule: FaultRule) -> None:
    place_own(account, 12)
    account.venue.fault(rule)

    ended = account.run("panic", account.config, "--json")

    assert ended.code == 0
    assert account.open_ids() == set()
    struck = account.venue.within(lambda server: [strike.rule for _, strike, _ in server.venue.plan.struck])
    assert rule.name in struck


def test_an_order_that_was_on_its_way_is_caught(account: TradingAccount) -> None:
    """It arrives after the first empty reading, as one of a gateway that was just killed may."""
    late = threading.Timer(0.7, place_own, [account, 1])
    late.start()

    ended = account.run("panic", account.config, "--json")
    late.join()

    assert ended.json["cancelled"] == 1
    assert account.open_ids() == set()


def test_orders_that_cannot_be_cancelled_are_named_and_it_is_five(account: TradingAccount) -> None:
    place_own(account, 2)
    account.venue.fault(FaultRule(name="stuck", kind=FaultKind.SERVICE_UNAVAILABLE, scope=CANCEL))

    ended = account.run("panic", account.config, "--timeout", "5", "--json")

    assert ended.code == 5
    assert ended.json["clear"] is False
    assert {left["client_id"] for left in ended.json["left"]} == {own_id("ETHUSDT", 1), own_id("ETHUSDT", 2)}
    assert any("NOT verified gone" in line for line in ended.json["said"])
    assert ended.json["troubles"]


def test_wrong_keys_are_four_at_once(account: TradingAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAL_KEY", "wrong" * 8)

    assert account.run("panic", account.config).code == 4


def test_positions_stay_and_are_named(account: TradingAccount) -> None:
    account.move_position(20)

    ended = account.run("panic", account.config, "--json")

    assert account.position() == 20
    assert ended.json["positions"][0] == {
        "symbol": "ETHUSDT",
        "steps": 20,
        "quantity": "0.020",
        "cost": ended.json["positions"][0]["cost"],
        "entry_price": ended.json["positions"][0]["entry_price"],
    }
    assert any(line.startswith("position stays: ETHUSDT 0.020 ETH, cost ") for line in ended.json["said"])


@pytest.fixture
def other_process() -> Iterator[subprocess.Popen[bytes]]:
    """A process of the test's own that stands for a run, with a child as Ray would be."""
    words = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(120)']).wait()"
    process = subprocess.Popen([sys.executable, "-c", words])
    deadline = time.monotonic() + 20
    while not psutil.Process(process.pid).children() and time.monotonic() < deadline:
        time.sleep(0.05)
    yield process
    for one in psutil.Process(process.pid).children() if process.poll() is None else []:
        one.kill()
    process.kill()
    process.wait()


def write_run(process: subprocess.Popen[bytes], deployment: str = "trial", **changes: object) -> None:
    started_ms = run_file.process_started_ms(process.pid)
    facts: dict[str, object] = {"pid": process.pid, "pid_started_ms": started_ms, **changes}
    run_file.write(a_run(1, deployment, **facts))


def test_the_run_of_the_configuration_is_ended_first_with_its_children(
    account: TradingAccount, other_process: subprocess.Popen[bytes]
) -> None:
    place_own(account, 2)
    family = [psutil.Process(other_process.pid), *psutil.Process(other_process.pid).children()]
    write_run(other_process)

    ended = account.run("panic", account.config)

    assert (ended.code, account.open_ids()) == (0, set())
    assert ended.out.splitlines()[0] == f"trial (process {other_process.pid}) was running and has been ended"
    assert not psutil.wait_procs(family, timeout=60)[1]
    assert not run_file.path_of("trial").exists()


def test_a_run_that_is_kept_is_said_first_to_place_its_orders_again(
    account: TradingAccount, other_process: subprocess.Popen[bytes]
) -> None:
    write_run(other_process)

    ended = account.run("panic", account.config, "--keep-run")

    assert "still runs; it will place its orders again" in ended.out.splitlines()[0]
    assert other_process.poll() is None


def test_a_later_process_of_the_same_number_is_left_alone(
    account: TradingAccount, other_process: subprocess.Popen[bytes]
) -> None:
    write_run(other_process, pid_started_ms=run_file.process_started_ms(other_process.pid) - 60_000)

    account.run("panic", account.config)

    assert other_process.poll() is None


def test_another_run_on_the_same_account_is_named_and_left_alive(
    account: TradingAccount, other_process: subprocess.Popen[bytes]
) -> None:
    settings = load_settings(account.config)
    mark = account_mark(settings.venue, load_credentials(settings.venue))
    write_run(other_process, deployment="second", account=mark)
    place_own(account, 1)

    ended = account.run("panic", account.config)

    assert "second" in ended.out.splitlines()[0]
    assert "its orders, exits too, are cancelled as well" in ended.out.splitlines()[0]
    assert other_process.poll() is None


def test_only_mine_leaves_the_orders_of_other_journals(account: TradingAccount) -> None:
    assert account.run("panic", account.config, "--only-mine").code == 4
    journal = Journal.open(load_settings(account.config).journal_path)
    mine = ClientId(
        journal=journal.journal_id,
        symbol="ETHUSDT",
        generation=0,
        level=-9,
        purpose=Purpose.ENTRY,
        owner_epoch=1,
        sequence=1,
    ).encode()
    place_own(account, 1)
    account.place(mine, price="2850")

    ended = account.run("panic", account.config, "--only-mine", "--json")
    journal.close()

    assert (ended.code, ended.json["cancelled"]) == (0, 1)
    assert account.open_ids() == {own_id("ETHUSDT", 1)}
    assert account.run("panic", account.config).code == 0


def test_a_venue_that_wants_to_be_left_alone_is_not_asked_again(account: TradingAccount) -> None:
    account.venue.fault(
        FaultRule(name="slow down", kind=FaultKind.RATE_LIMITED, delay=Delay(low_ms=30_000), scope=OPEN_ORDERS)
    )

    ended = account.run("panic", account.config, "--timeout", "20", "--json")

    struck = account.venue.within(lambda server: [strike.rule for _, strike, _ in server.venue.plan.struck])
    assert ended.code == 5
    assert struck.count("slow down") == 1
    assert any("takes no request for" in trouble for trouble in ended.json["troubles"])


def test_it_reads_slowly_enough_for_the_venues_weight_limit() -> None:
    weight_of_all_symbols, weight_a_minute = 40, 2400

    slowest_allowed_s = 60 * weight_of_all_symbols / weight_a_minute

    assert 2 * slowest_allowed_s <= READ_PAUSE_S


class TestSellLots:
    @pytest.mark.parametrize("held", [50, -50])
    def test_it_closes_what_was_asked_and_leaves_the_rest(self, account: TradingAccount, held: int) -> None:
        account.move_position(held)

        ended = account.run("panic", account.config, "--sell-lots", "ETHUSDT=0.020", "--json")

        assert ended.code == 0
        assert account.position() == held - (20 if held > 0 else -20)
        assert ended.json["sold"][0]["closed"] == "0.020"

    def test_it_never_closes_more_than_the_position(self, account: TradingAccount) -> None:
        account.move_position(10)

        ended = account.run("panic", account.config, "--sell-lots", "ethusdt=5", "--json")

        assert account.position() == 0
        assert "that was the whole position" in ended.json["sold"][0]["said"]

    def test_own_orders_go_first(self, account: TradingAccount) -> None:
        account.move_position(10)
        place_own(account, 4)

        account.run("panic", account.config, "--sell-lots", "ETHUSDT=0.010")

        assert account.open_ids() == set()
        assert account.position() == 0

    def test_an_unknown_outcome_is_read_and_not_repeated_blindly(self, account: TradingAccount) -> None:
        account.move_position(50)
        account.venue.fault(
            FaultRule(name="lost", kind=FaultKind.REPLY_LOST, scope=Scope(endpoint="POST /fapi/v1/order"), count=1)
        )

        ended = account.run("panic", account.config, "--sell-lots", "ETHUSDT=0.020", "--json")

        assert account.position() == 30
        assert ended.json["sold"][0]["done"] is True

    def test_no_position_is_said_and_is_an_error(self, account: TradingAccount) -> None:
        ended = account.run("panic", account.config, "--sell-lots", "ETHUSDT=0.020", "--json")

        assert ended.code == 1
        assert "no position" in ended.json["sold"][0]["said"]

    @pytest.mark.parametrize(
        "text",
        [
            "ETHUSDT",
            "ETHUSDT=",
            "ETHUSDT=-1",
            "=1",
            "ETHUSDT=nan",
            "ETHUSDT=all",
            "ETHUSDT=1e400",
            "ETHUSDT=0.0005",
            "NOCOIN=1",
        ],
    )
    def test_what_is_no_quantity_cancels_nothing(self, account: TradingAccount, text: str) -> None:
        place_own(account, 1)

        assert account.run("panic", account.config, "--sell-lots", text).code == 4
        assert len(account.open_ids()) == 1
