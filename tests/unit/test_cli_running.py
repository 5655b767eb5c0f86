"""The verbs that talk to a run, against a deployment that behaves: it can be halted, resumed, stopped, or hang."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actors import run_file
from actors.commands import running
from actors.commands.running import RunningDeployment, StopMode
from actors.errors import NotFound
from actors.run_file import RunFile
from actors.settings.deployment import DeploymentSettings
from grid.errors import Halted, RefusedToStart
from tests.unit.command_line import CommandLine
from tests.unit.test_run_file import a_run


class TrialDeployment:
    """A run in this process: two symbols, holds that come and go, and a door that may stay shut."""

    def __init__(self) -> None:
        self.holds: list[dict[str, Any]] = []
        self.stopped: StopMode | None = None
        self.closed = 0
        self.accounts: list[str | None] = []
        """Which account each of halt, resume and stop was for."""
        self.several: dict[str, Any] | None = None
        self.hangs = threading.Event()
        self.hangs.set()
        self.leaves_orders = False
        self.added: list[tuple[str, bool]] = []
        self.removed: list[tuple[str, StopMode]] = []

    def status(self) -> dict[str, Any]:
        self.hangs.wait(30)
        return self.several or {
            "deployment": "trial",
            "state": "holding" if self.holds else "trading",
            "owner_epoch": 3,
            "halt_epoch": len(self.holds),
            "holds": self.holds,
            "symbols": [
                {
                    "symbol": "ETHUSDT",
                    "state": "trading",
                    "price": "2995.50",
                    "lots": 2,
                    "max_lots": 12,
                    "total_profit": "0.01",
                }
            ],
            "account": {"equity": "10000.00"},
            "actors": [{"name": "slot/ETHUSDT/03", "state": "restoring", "waiting_for": "the book"}],
            "addresses": {"ray_dashboard": "http://127.0.0.1:8265"},
        }

    def explain(self, symbol: str) -> dict[str, Any]:
        if symbol != "ETHUSDT":
            raise NotFound(f"{symbol} is not traded here; known: ETHUSDT")
        levels = [{"level": level, "price": str(3000 + 2 * level), "reason": "max_lots"} for level in (-3, -1, -2)]
        return {"symbol": symbol, "price": "2995.50", "holds": self.holds, "levels": levels}

    def halt(self, reason: str, account: str | None = None) -> dict[str, Any]:
        self.accounts.append(account)
        self.holds.append({"cause": "operator", "symbol": "", "reason": reason, "since_ms": 1})
        return {"done": True, "said": ["6 entries verified gone"]}

    def resume(self, account: str | None = None) -> dict[str, Any]:
        self.accounts.append(account)
        self.holds = [hold for hold in self.holds if hold["cause"] != "operator"]
        if self.holds:
            raise Halted(tuple(hold["cause"] for hold in self.holds), 4)
        return {"done": True, "said": []}

    def clear_venue_rule(self, scope: str) -> dict[str, Any]:
        gone = [hold for hold in self.holds if hold["cause"] == "venue_rule" and scope in (hold["symbol"], "all")]
        self.holds = [hold for hold in self.holds if hold not in gone]
        return {"done": bool(gone), "said": []}

    def clear_stop_loss(self, scope: str) -> dict[str, Any]:
        gone = [hold for hold in self.holds if hold["cause"] == "stop_loss" and scope in (hold["symbol"], "all")]
        if not gone:
            raise NotFound(f"no stop-loss is in force for {scope}")
        self.holds = [hold for hold in self.holds if hold not in gone]
        return {"done": True, "said": [f"released: {hold['symbol']}" for hold in gone]}

    def add(self, settings: DeploymentSettings, symbol: str, *, dry_run: bool) -> dict[str, Any]:
        if any(one.symbol == "XRPUSDT" for one in settings.accounts[0].symbols):
            raise RefusedToStart(("symbols[XRPUSDT].amount = 10: too small",))
        self.added.append((symbol, dry_run))
        return {"done": True, "said": [f"{symbol} trades"]}

    def remove(self, symbol: str, mode: StopMode) -> dict[str, Any]:
        self.removed.append((symbol, mode))
        return {"done": not self.leaves_orders, "said": [f"{symbol}: verified"]}

    def stop(self, mode: StopMode, account: str | None = None) -> dict[str, Any]:
        self.stopped = mode
        self.accounts.append(account)
        return {"done": not self.leaves_orders, "said": ["position stays: 0.020 ETH at 2997.00"]}

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TrialDeployment]:
    monkeypatch.setenv("GRIDMESH_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("RAY_AUTH_MODE", "")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", "")
    trial = TrialDeployment()

    def connect(run: RunFile, *, timeout_s: float) -> RunningDeployment:
        assert run.deployment == "trial"
        return trial

    monkeypatch.setattr(running, "_connector", lambda: connect)
    monkeypatch.setattr(run_file, "ray_environment", lambda token_path: {"RAY_AUTH_TOKEN_PATH": str(token_path)})
    with socket.create_server(("127.0.0.1", 0)) as listener:
        run_file.write(a_run(listener.getsockname()[1]))
        yield trial
    trial.hangs.set()


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(monkeypatch, capsys)


def test_status_shows_symbols_holds_and_who_waits(shell: CommandLine, deployment: TrialDeployment) -> None:
    ended = shell.run("status")

    assert ended.code == 0
    assert "trial: trading, owner epoch 3" in ended.out
    assert "no hold: entries are placed" in ended.out
    assert "ETHUSDT" in ended.out
    assert "2995.50" in ended.out
    assert "slot/ETHUSDT/03 is restoring, waits for the book" in ended.out
    assert "http://127.0.0.1:8265" in ended.out
    assert deployment.closed == 1


def test_status_as_json_is_the_whole_answer(shell: CommandLine, deployment: TrialDeployment) -> None:
    assert shell.run("status", "--json").json == deployment.status()


@pytest.mark.parametrize(
    ("cause", "code"), [("risk", 6), ("stop_loss", 6), ("lease", 6), ("operator", 0), ("price", 0)]
)
def test_status_is_six_exactly_while_risk_holds(
    shell: CommandLine, deployment: TrialDeployment, cause: str, code: int
) -> None:
    deployment.holds = [{"cause": cause, "symbol": "", "reason": "volume of all coins", "since_ms": 1}]

    ended = shell.run("status")

    assert ended.code == code
    assert f"held by {cause} (whole account): volume of all coins" in ended.out


def test_explain_lists_levels_from_the_top_with_the_reason(shell: CommandLine, deployment: TrialDeployment) -> None:
    ended = shell.run("explain", "ethusdt")

    prices = [line.split()[1] for line in ended.out.splitlines() if "max_lots" in line]
    assert ended.code == 0
    assert prices == ["2998", "2996", "2994"]


def test_explain_of_an_unknown_symbol_is_two_and_names_the_known(
    shell: CommandLine, deployment: TrialDeployment
) -> None:
    ended = shell.run("explain", "XRPUSDT")

    assert ended.code == 2
    assert "known: ETHUSDT" in ended.err


def test_halt_and_resume(shell: CommandLine, deployment: TrialDeployment) -> None:
    halted = shell.run("halt", "--reason", "lunch")
    assert deployment.holds[0]["reason"] == "lunch"
    assert "6 entries verified gone" in halted.out

    assert shell.run("resume").code == 0
    assert deployment.holds == []


def test_resume_lifts_no_hold_of_risk_and_says_so(shell: CommandLine, deployment: TrialDeployment) -> None:
    deployment.holds = [{"cause": "risk", "symbol": "", "reason": "r", "since_ms": 1}]

    ended = shell.run("resume", "--json")

    assert ended.code == 6
    assert "risk" in ended.json["error"]["message"]
    assert deployment.holds


@pytest.mark.parametrize(
    ("flags", "mode"),
    [
        ([], StopMode.KEEP),
        (["--keep"], StopMode.KEEP),
        (["--leave-exits"], StopMode.LEAVE_EXITS),
        (["--flatten"], StopMode.FLATTEN),
    ],
)
def test_stop_leaves_what_was_asked(
    shell: CommandLine, deployment: TrialDeployment, flags: list[str], mode: StopMode
) -> None:
    ended = shell.run("stop", *flags)

    assert ended.code == 0
    assert deployment.stopped is mode
    assert "position stays: 0.020 ETH at 2997.00" in ended.out


def test_a_stop_with_two_modes_stops_nothing(shell: CommandLine, deployment: TrialDeployment) -> None:
    ended = shell.run("stop", "--keep", "--flatten")

    assert ended.code == 2
    assert deployment.stopped is None


def test_an_unfinished_stop_is_an_error(shell: CommandLine, deployment: TrialDeployment) -> None:
    deployment.leaves_orders = True

    assert shell.run("stop").code == 1


def test_a_run_that_does_not_answer_is_five_in_time(
    shell: CommandLine, deployment: TrialDeployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[int] = []

    def leave(code: int) -> None:
        ended.append(code)
        raise SystemExit(code)

    monkeypatch.setattr(os, "_exit", leave)
    deployment.hangs.clear()

    answer = shell.run("status", "--timeout", "0.2")
    deployment.hangs.set()

    assert ended == [5]
    assert "no answer from trial" in answer.err


def test_a_stop_loss_is_released_by_name_and_only_where_one_stands(
    shell: CommandLine, deployment: TrialDeployment
) -> None:
    deployment.holds = [
        {"cause": cause, "symbol": "ETHUSDT", "reason": "lost", "since_ms": 1} for cause in ("stop_loss", "operator")
    ]

    released = shell.run("resume", "--stop-loss", "ethusdt")
    again = shell.run("resume", "--stop-loss", "all")

    assert (released.code, again.code) == (0, 2)
    assert "released: ETHUSDT" in released.out
    assert [hold["cause"] for hold in deployment.holds] == ["operator"]


LADDER = "{symbol: %s, interval: 2, amount: 60, buy_window: 3, max_lots: 5}"


def configuration(folder: Path, *symbols: str) -> Path:
    ladders = ", ".join(LADDER % symbol for symbol in symbols)
    path = folder / "trial.yaml"
    path.write_text(
        f"deployment: trial\nvenue: {{rest_url: 'http://127.0.0.1:1', ws_url: 'ws://127.0.0.1:1'}}\n"
        f"symbols: [{ladders}]\naccount: {{max_notional: 5000, daily_loss: 100}}\n"
    )
    return path


def test_add_says_its_plan_and_then_that_it_is_done(
    shell: CommandLine, deployment: TrialDeployment, tmp_path: Path
) -> None:
    ended = shell.run("add", configuration(tmp_path, "ETHUSDT", "SOLUSDT"), "solusdt")

    assert ended.code == 0, ended.err
    assert "SOLUSDT: long, arithmetic by 2, 60 each, 3 levels, at most 5 lots; 6 slot actors and a feed" in ended.out
    assert "added SOLUSDT" in ended.out
    assert deployment.added == [("SOLUSDT", False)]


def test_a_dry_run_adds_nothing(shell: CommandLine, deployment: TrialDeployment, tmp_path: Path) -> None:
    assert shell.run("add", configuration(tmp_path, "SOLUSDT"), "SOLUSDT", "--dry-run").code == 0
    assert deployment.added == [("SOLUSDT", True)]


def test_add_of_what_the_file_does_not_name_is_four_and_of_what_is_refused_seven(
    shell: CommandLine, deployment: TrialDeployment, tmp_path: Path
) -> None:
    ended = shell.run("add", configuration(tmp_path, "ETHUSDT"), "SOLUSDT")
    assert (ended.code, "write its ladder into the configuration first" in ended.err) == (4, True)

    ended = shell.run("add", configuration(tmp_path, "XRPUSDT"), "XRPUSDT")
    assert (ended.code, "too small" in ended.err) == (7, True)


def test_remove_ends_one_symbol_as_asked(shell: CommandLine, deployment: TrialDeployment) -> None:
    assert shell.run("remove", "ethusdt").code == 0
    assert shell.run("remove", "BTCUSDT", "--flatten").code == 0
    deployment.leaves_orders = True
    assert shell.run("remove", "ETHUSDT", "--leave-exits").code == 1

    assert deployment.removed == [
        ("ETHUSDT", StopMode.KEEP),
        ("BTCUSDT", StopMode.FLATTEN),
        ("ETHUSDT", StopMode.LEAVE_EXITS),
    ]


def test_the_words_of_the_operator_go_to_one_account_where_it_is_named(
    shell: CommandLine, deployment: TrialDeployment
) -> None:
    assert shell.run("halt", "--account", "beta").code == 0
    assert shell.run("resume", "-a", "beta").code == 0
    assert shell.run("stop").code == 0

    assert deployment.accounts == ["beta", "beta", None]
    wrong = shell.run("resume", "--account", "beta", "--stop-loss", "all")
    assert wrong.code == 2
    assert "NAME/ETHUSDT" in wrong.err


def test_the_status_of_one_account_of_several(shell: CommandLine, deployment: TrialDeployment) -> None:
    hold = {"cause": "risk", "symbol": "", "reason": "storm", "since_ms": 1}
    shared = {"state": "running", "owner_epoch": 1, "refusals": [], "symbols": []}
    deployment.several = {
        "deployment": "trial",
        "state": "running",
        "holds": [{"account": "beta", **hold}],
        "accounts": [{"name": "alpha", "holds": [], **shared}, {"name": "beta", "holds": [hold], **shared}],
    }

    assert shell.run("status").code == 6
    alone = shell.run("status", "--account", "alpha")
    assert alone.code == 0
    assert "account alpha: running" in alone.out
    assert "beta" not in alone.out
    assert shell.run("status", "--account", "gamma").code == 2
