"""`gridmesh drill`: the user's own configuration against the simulated venue, with everything going wrong."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actors.commands.accounts import the_account
from actors.exit_codes import ExitCode
from actors.trials.demo_market import CANDLE_SPEED, LEAD_S, WARM_UP_S, is_candles
from actors.trials.drill_faults import standard_faults
from actors.trials.drill_settings import deposit, drill_settings, played, write_coins
from actors.trials.ordeal import Ordeal, undergo
from actors.trials.sim_process import SimProcess

if TYPE_CHECKING:
    from rich.console import RenderableType

    from actors.settings.account import Settings

AFTER_S = 30.0
REMARK = "A generated market proves mechanics; its profit says nothing about money."


def run(
    config: Path, *, account: str | None = None, duration_s: float, tape: tuple[Path, ...], seed: int, as_json: bool
) -> int:
    """Drill for so many seconds in a home of its own. Returns 0 where every invariant held, else 1."""
    with tempfile.TemporaryDirectory(prefix="gridmesh-drill-") as folder:
        home, mine = Path(folder), the_account(config, account, live=False)
        funds = deposit(mine)
        name, language = played(mine.venue.name)
        arguments = [*_market(mine, home, duration_s, tape), "--seed", str(seed), "--deposit", str(funds)]
        arguments += ["--protocol", language]
        os.environ["GRIDMESH_HOME"] = folder
        venue = SimProcess(arguments, home / "venue.log")
        try:
            settings = drill_settings(config, venue.rest_url, venue.ws_url, account=mine.account_name, venue=name)
            begin = (lambda: None) if tape else (lambda: venue.skip_to(LEAD_S))
            faults = standard_faults(duration_s, language)
            ordeal = undergo(settings, venue, faults, duration_s, quiet=as_json, begin=begin)
        finally:
            venue.stop()
    remarks = [_whose(mine.venue.name, name), *([] if tape else [REMARK])]
    _print(ordeal, name, remarks, as_json=as_json)
    return ExitCode.OK if not ordeal.reckoning.violations else ExitCode.ERROR


def _market(mine: Settings, home: Path, duration_s: float, tape: tuple[Path, ...]) -> list[str]:
    if tape:
        speed = CANDLE_SPEED if any(is_candles(one) for one in tape) else 1
        files = [part for one in tape for part in ("--tape", str(one.resolve()))]
        return [*files, "--speed", str(speed), "--warm-up", str(WARM_UP_S * speed), "--keep-playing"]
    coins = home / "coins.yaml"
    write_coins(mine, coins)
    whole_s = LEAD_S + duration_s + AFTER_S
    return ["--coins", str(coins), "--lead", str(LEAD_S), "--duration", str(whole_s)]


def _whose(configured: str, venue: str) -> str:
    """Return at whose simulated venue the drill was played."""
    if configured == venue:
        return f"played at a simulated {venue}"
    return (
        f"played at a simulated {venue}: nobody simulates {configured}, so its adapter was not tried, only the grid "
        "and everything else that does not speak to a venue"
    )


def document(ordeal: Ordeal, venue: str) -> dict[str, Any]:
    """Return the result for programs. `venue`: whose simulated venue it was played at."""
    account = ordeal.final.get("account", {})
    return {
        **ordeal.reckoning.document(),
        "venue": venue,
        "invariants": [
            {"name": name, "held": not found, "breaches": list(found)} for name, found in ordeal.reckoning.checks
        ],
        "faults": dict(ordeal.struck),
        "unexplained": account.get("unexplained"),
        "holds": sorted({n["text"].split()[1] for n in ordeal.final.get("notices", []) if n["kind"] == "hold"}),
    }


def _print(ordeal: Ordeal, venue: str, remarks: list[str], *, as_json: bool) -> None:
    from actors.commands.output import emit

    emit(document(ordeal, venue), as_json=as_json, render=lambda: tables(ordeal, venue, remarks))


def tables(ordeal: Ordeal, venue: str, remarks: list[str]) -> list[RenderableType]:
    """Return the result for people: invariants, money, orders, faults."""
    from actors.commands.output import table

    reckoning, told = ordeal.reckoning, document(ordeal, venue)
    invariants = [["held" if not found else "BROKEN", name, "; ".join(found[:3])] for name, found in reckoning.checks]
    columns = ("symbol", "fills", "round trips", "grid profit", "fees", "lots left", "book", "venue")
    orders = [
        ["placed", reckoning.orders_placed],
        ["cancelled", reckoning.orders_cancelled],
        ["doubled", reckoning.duplicate_orders],
        ["left open", reckoning.open_own_orders],
        ["outcome unknown for a while", ordeal.final.get("counts", {}).get("outcomes_unknown", 0)],
    ]
    broken = sum(1 for _, found in reckoning.checks if found)
    return [
        table("invariants", ("", "invariant", "breaches"), invariants),
        table("money", columns, [[one.symbol, *one.cells()] for one in reckoning.symbols], columns[1:]),
        table("orders", ("", "count"), orders, ("count",)),
        table("faults", ("fault", "struck"), [[name, count] for name, count in ordeal.struck], ("struck",)),
        f"held in between by: {', '.join(told['holds']) or 'nothing'}; unexplained equity {told['unexplained']}",
        *remarks,
        "every invariant held" if not broken else f"{broken} invariants are BROKEN",
    ]
