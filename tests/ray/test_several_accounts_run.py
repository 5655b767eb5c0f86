"""One real run with two accounts on two venues of different protocols, each venue a process of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from actors.settings.deployment import DeploymentSettings, load_deployment
from actors.trials.journal_order import journalled
from actors.trials.sim_process import SimProcess
from tests.live_control import VenueControl
from tests.ray.real_run import RealRun, breaches

GATEWAYS = {"alpha": "gateway/binanceusdm/alpha", "beta": "gateway/bybit/beta"}
PROTOCOLS = {"alpha": "binanceusdm", "beta": "bybit"}
OWN = ("venue", "symbols", "account", "gateway")


class SeveralRun(RealRun):
    """`gridmesh run` of one configuration with two accounts."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.metrics_port = 0
        self.venues = {name: self._venue("--seed", "5", "--protocol", one) for name, one in PROTOCOLS.items()}
        self.venue_process = self.venues["alpha"]
        self.config = home / "crash.yaml"
        self.config.write_text(yaml.safe_dump(self._two_accounts()))
        self.process = None
        self._probe = None
        self._family = []

    def control(self, name: str) -> VenueControl:
        ready = self.venues[name]._ready
        return VenueControl(ready["rest_url"], ready["ws_url"], ready["control_token"], PROTOCOLS[name])

    def trades(self, name: str) -> bool:
        """Whether its gateway is ready, free of holds and quoting."""
        seen = self.picture(GATEWAYS[name])
        return bool(seen.get("is_ready") and not seen.get("holds") and self.control(name).own_orders(is_open=True))

    def breaches_of(self, name: str) -> list[str]:
        """Return what the demo's reckoning finds wrong between an account's book and its venue just now."""
        final = {**self.picture(GATEWAYS[name]), "verified": True}
        settings, truth = self.deployment.account(name), self.control(name).truth()
        return breaches(final, truth, settings, journalled(settings))

    def fills(self, name: str) -> int:
        return len(self.control(name).account()["fills"])

    @property
    def deployment(self) -> DeploymentSettings:
        return load_deployment(self.config, self._environment())

    def end(self) -> None:
        try:
            super().end()
        finally:
            for venue in self.venues.values():
                venue.stop()

    def _two_accounts(self) -> dict[str, Any]:
        document = self._document({})
        accounts = []
        for name, process in self.venues.items():
            own: dict[str, Any] = {key: document[key] for key in OWN}
            own["venue"] = {**own["venue"], "name": PROTOCOLS[name], **_addresses(process)}
            accounts.append({"name": name, **own, "journal": {"path": str(self.home / f"{name}.sqlite")}})
        shared = {key: value for key, value in document.items() if key not in (*OWN, "journal")}
        return {**shared, "accounts": accounts}


def _addresses(process: SimProcess) -> Mapping[str, str]:
    return {"rest_url": process.rest_url, "ws_url": process.ws_url}


def states(run: SeveralRun) -> tuple[int, list[tuple[str, str]]]:
    """Return the exit code of `status`, and what it says of each account."""
    code, status = run.command("status")
    return code, [(one["name"], one["state"]) for one in status["accounts"]]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[SeveralRun]:
    started = SeveralRun(tmp_path)
    try:
        started.start()
        yield started
    finally:
        started.end()


def test_both_trade_are_halted_and_are_verified_at_the_stop(run: SeveralRun) -> None:
    run.until(lambda: run.trades("alpha") and run.trades("beta"), "both trade")
    run.family()

    run.until(lambda: states(run) == (0, [("alpha", "running"), ("beta", "running")]), "both are told to run")
    code, halted = run.command("halt", "--reason", "a look around")
    assert (code, halted["said"]) == (
        0,
        [f"{name}: all entries are verified gone; exits stay" for name in GATEWAYS],
    )
    code, stopped = run.command("stop")

    assert code == 0, stopped
    assert [one["final"]["verified"] for one in stopped["accounts"]] == [True, True]
    assert run.wait() == 0
    assert [run.control(name).own_orders(is_open=True) for name in GATEWAYS] == [[], []]


@pytest.mark.long
@pytest.mark.timeout(900)
def test_one_venue_dies_and_the_other_account_trades_on(run: SeveralRun) -> None:
    run.until(lambda: run.trades("alpha") and run.trades("beta"), "both trade")
    run.venues["beta"]._process.kill()
    before = run.fills("alpha")

    run.until(lambda: run.picture(GATEWAYS["beta"]).get("holds"), "beta is held")
    run.until(lambda: run.fills("alpha") > before + 2, "alpha trades on")
    run.until(lambda: run.picture(GATEWAYS["alpha"]).get("holds") == [], "nothing holds alpha")

    code, halted = run.command("halt", "--timeout", "40", timeout_s=200)
    assert (code, halted["done"]) == (1, False)
    assert "alpha: all entries are verified gone; exits stay" in halted["said"]
    assert any(line.startswith("beta: the hold is set; entries are NOT verified gone") for line in halted["said"])
    assert all(identity.purpose.closing for _, identity in run.control("alpha").own_orders(is_open=True))

    assert run.command("resume", "--account", "alpha", timeout_s=200)[0] == 0
    run.until(lambda: run.trades("alpha"), "alpha trades again")
    run.until(lambda: run.breaches_of("alpha") == [], "its book and venue agree")

    code, stopped = run.command("stop", "--account", "alpha")
    assert (code, stopped["done"]) == (0, True), stopped
    assert run.control("alpha").own_orders(is_open=True) == []
    assert states(run)[1] == [("alpha", "stopped"), ("beta", "running")]
    code, left = run.command("stop", "--timeout", "40", timeout_s=200)
    assert (code, left["done"]) == (1, False)
    assert "beta: " in left["said"][0]
    assert "alpha" not in left["said"][0]


@pytest.mark.long
@pytest.mark.timeout(900)
def test_whoever_dies_each_book_agrees_with_its_own_venue(run: SeveralRun) -> None:
    run.until(lambda: run.trades("alpha") and run.trades("beta"), "both trade")
    for victim in (GATEWAYS["beta"], "coordinator", "risk", GATEWAYS["alpha"]):
        run.kill(victim)
        run.until(lambda victim=victim: run.ask("process", victim) is not None, f"{victim} is back")  # type: ignore[misc]
        run.until(lambda: run.trades("alpha") and run.trades("beta"), "both trade again")
    for name in GATEWAYS:
        run.until(lambda name=name: run.breaches_of(name) == [], f"{name}: book and venue agree")  # type: ignore[misc]

    code, levels = run.command("explain", "beta/ethusdt")
    assert (code, levels["symbol"]) == (0, "beta/ETHUSDT")
    code, refused = run.command("explain", "ETHUSDT")
    assert code == 2
    assert "alpha/ETHUSDT or beta/ETHUSDT" in refused["error"]["message"]
    code, stopped = run.command("stop")
    assert code == 0, stopped
    assert run.wait() == 0
    assert [run.control(name).own_orders(is_open=True) for name in GATEWAYS] == [[], []]
