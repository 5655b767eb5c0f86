"""One configuration against a simulated venue: own orders by id, foreign ones by hand, and the shell's view of it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from exchanges.sim.algo_orders import NewAlgoOrder
from exchanges.sim.orders import NewOrder, OrderType, TimeInForce
from exchanges.sim.server.options import DEMO_KEY, DEMO_SECRET
from grid.client_id import ClientId
from grid.order import Purpose, Side
from tests.unit.command_line import CommandLine, Ended
from tests.venue.running_venue import RunningVenue


def own_id(symbol: str, sequence: int, purpose: Purpose = Purpose.ENTRY) -> str:
    """Return an id as some earlier journal of this program would have written it."""
    return ClientId(
        journal="aB3z", symbol=symbol, generation=0, level=-sequence, purpose=purpose, owner_epoch=7, sequence=sequence
    ).encode()


@dataclass(frozen=True, slots=True)
class TradingAccount:
    """The account `main` of a running venue, a configuration for it, and a command line."""

    venue: RunningVenue
    config: Path
    shell: CommandLine

    @classmethod
    def of(
        cls, venue: RunningVenue, folder: Path, monkeypatch: pytest.MonkeyPatch, shell: CommandLine
    ) -> TradingAccount:
        monkeypatch.setenv("GRIDMESH_HOME", str(folder / "home"))
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.setenv("TRIAL_KEY", DEMO_KEY)
        monkeypatch.setenv("TRIAL_SECRET", DEMO_SECRET)
        account = cls(venue, folder / "trial.yaml", shell)
        account.configure()
        return account

    def configure(self, **changes: dict[str, Any]) -> None:
        """Write the configuration: one sound ETHUSDT ladder, with the given keys of its sections changed."""
        document: dict[str, Any] = {
            "deployment": "trial",
            "venue": {
                "rest_url": self.venue.rest_url,
                "ws_url": self.venue.ws_url,
                "api_key_env": "TRIAL_KEY",
                "api_secret_env": "TRIAL_SECRET",
            },
            "symbols": [
                {"symbol": "ETHUSDT", "interval": 2, "amount": 60, "buy_window": 3, "max_lots": 10, "leverage": 5}
            ],
            "account": {"max_notional": 2000, "daily_loss": 100},
            "risk": {"required_positions": 10},
        }
        for section, keys in changes.items():
            place = document["symbols"][0] if section == "symbol" else document.setdefault(section, {})
            place.update(keys)
        self.config.write_text(yaml.safe_dump(document))

    def run(self, *arguments: object) -> Ended:
        return self.shell.run(*arguments)

    def place(self, client_id: str, symbol: str = "ETHUSDT", price: str = "2900", quantity: str = "0.02") -> None:
        """Put a resting buy there with exactly this id."""
        order = NewOrder(
            symbol=symbol,
            side=Side.BUY,
            quantity=Decimal(quantity),
            price=Decimal(price),
            time_in_force=TimeInForce.GTX,
            client_id=client_id,
        )
        self.venue.within(lambda server: server.venue.engine.submit("main", order, server.venue.now_ms()))

    def place_stop(self, client_id: str, symbol: str = "ETHUSDT", trigger: str = "2000") -> None:
        """Put a waiting stop there that closes the position, with exactly this id."""
        stop = NewAlgoOrder(
            symbol=symbol,
            side=Side.SELL,
            type=OrderType.STOP_MARKET,
            trigger_price=Decimal(trigger),
            close_position=True,
            client_id=client_id,
        )
        self.venue.within(lambda server: server.venue.engine.submit_algo("main", stop, server.venue.now_ms()))

    def waiting_stops(self) -> set[str]:
        return self.venue.within(lambda server: {one.client_id for one in server.venue.engine.read.open_algos("main")})

    def cancel_stops(self) -> None:
        self.venue.within(
            lambda server: [
                server.venue.engine.cancel_all_algos("main", name, server.venue.now_ms())
                for name in ("ETHUSDT", "BTCUSDT")
            ]
        )

    def move_position(self, steps: int, symbol: str = "ETHUSDT") -> None:
        self.venue.within(
            lambda server: server.venue.engine.foreign.move_position("main", symbol, steps, server.venue.now_ms())
        )

    def open_ids(self) -> set[str]:
        return self.venue.within(
            lambda server: {order.client_id for order in server.venue.engine.read.open_orders("main")}
        )

    def position(self, symbol: str = "ETHUSDT") -> int:
        """Return the signed position in steps."""
        return self.venue.within(lambda server: server.venue.engine.read.position("main", symbol).quantity)
