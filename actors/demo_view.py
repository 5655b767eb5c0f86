"""The terminal of a run: ladders, lots, profit and holds, as they change."""

from __future__ import annotations

from decimal import Decimal
from types import TracebackType
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from actors.commands.numbers import lots, money

LINE_EVERY = 20
"""Without a terminal, one line for so many looks."""


class DemoView:
    """Shows a deployment on a terminal; on a pipe one line now and then; nothing where JSON is asked for."""

    def __init__(self, *, live: bool, quiet: bool) -> None:
        self._console = Console(highlight=False, stderr=quiet)
        self._live = Live(console=self._console, refresh_per_second=4, transient=True) if live else None
        self._quiet = quiet
        self._looks = 0

    def __enter__(self) -> DemoView:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def say(self, words: str) -> None:
        """Print a line that stays."""
        if not self._quiet:
            self._console.print(words, markup=False, soft_wrap=True)

    def show(self, seen: dict[str, Any], note: str, dashboard: str) -> None:
        """Show the last word of the coordinator."""
        if self._live is not None:
            self._live.update(render(seen, note, dashboard))
            return
        self._looks += 1
        if not self._quiet and self._looks % LINE_EVERY == 1:
            self._console.print(one_line(seen, note), markup=False, soft_wrap=True)


def render(seen: dict[str, Any], note: str, dashboard: str) -> RenderableType:
    """Return the whole picture."""
    gateway = seen.get("gateway", {})
    state = seen.get("state", "starting")
    waits = ", ".join(seen.get("waiting_for", []))
    head = Text(f"{seen.get('deployment', '')}: {state} ({note})" + (f", waits for {waits}" if waits else ""), "bold")
    parts: list[RenderableType] = [head, _holds(gateway)]
    parts += [_ladder(name, symbol) for name, symbol in gateway.get("symbols", {}).items()]
    counts = gateway.get("counts", {})
    parts.append(
        Text(
            f"orders sent {counts.get('orders_sent', 0)}, cancelled {counts.get('orders_canceled', 0)}, "
            f"fills {counts.get('fills', 0)}   Ray dashboard {dashboard}",
            "dim",
        )
    )
    return Group(*parts)


def one_line(seen: dict[str, Any], note: str) -> str:
    """Return the picture in one line."""
    gateway = seen.get("gateway", {})
    symbols = ", ".join(
        f"{name} {symbol['price'] or '-'} ({symbol['entries']} entries, {symbol['exits']} exits, "
        f"{lots(symbol['lots'])}, {symbol['round_trips']} round trips)"
        for name, symbol in gateway.get("symbols", {}).items()
    )
    held = ", ".join(sorted({hold["cause"] for hold in gateway.get("holds", [])}))
    waits = ", ".join(seen.get("waiting_for", []))
    return f"{seen.get('state', 'starting')}, {note}: {symbols or waits}" + (f"; held by {held}" if held else "")


def _holds(gateway: dict[str, Any]) -> Text:
    holds = gateway.get("holds", [])
    if not holds:
        return Text("no hold: entries are placed", "green")
    lines = [f"held by {hold['cause']} ({hold['symbol'] or 'account'}): {hold['reason']}" for hold in holds]
    return Text("\n".join(lines), "red")


def _ladder(name: str, symbol: dict[str, Any]) -> RenderableType:
    title = (
        f"{name} {symbol['price'] or '-'}   grid profit {money(symbol['grid_profit'])}   "
        f"total {money(symbol['total_profit'])}   round trips {symbol['round_trips']}   position {symbol['position']}"
    )
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column, side in (
        ("level", "right"),
        ("state", "left"),
        ("order", "left"),
        ("lot", "right"),
        ("target", "right"),
    ):
        table.add_column(column, justify="right" if side == "right" else "left")
    for level in sorted(symbol["levels"], key=lambda row: Decimal(row["price"]), reverse=True):
        order, lot = level["order"], level["lot"]
        style = "" if order is None else "red" if order["side"] == "SELL" else "green"
        table.add_row(
            level["price"],
            level["phase"],
            Text(f"{order['side']} {order['quantity']} @ {order['price']}" if order else "-", style),
            lot["quantity"] if lot else "-",
            lot["target"] if lot else "-",
        )
    return Group(Text(title, "bold"), table)
