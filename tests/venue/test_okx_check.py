"""`gridmesh check` reads an account at a simulated OKX, and says what a start would find."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchanges.sim.server.options import DEMO_PASSPHRASE
from tests.unit.command_line import CommandLine
from tests.venue.running_venue import running, still_options
from tests.venue.trading_account import TradingAccount


def test_check_finds_an_account_at_okx_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRIAL_PASSPHRASE", DEMO_PASSPHRASE)
    with running(still_options(protocol="okx")) as venue:
        account = TradingAccount.of(venue, tmp_path, monkeypatch, CommandLine(monkeypatch, capsys))
        account.configure(venue={"name": "okx", "api_passphrase_env": "TRIAL_PASSPHRASE"})
        ended = account.run("check", account.config, "--json")

    assert ended.code == 0, ended.out
    assert ended.json["ready"] is True
    assert any("step 0.001" in line["sentence"] for line in ended.json["checks"])
    assert DEMO_PASSPHRASE not in ended.out
