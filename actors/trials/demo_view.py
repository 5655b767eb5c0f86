"""The terminal of a run: ladders, lots, profit and holds, as they change."""

from __future__ import annotations

from decimal import Decimal
from types import TracebackType
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from actors.clock import monotonic_s
from actors.commands.numbers import counted, lots, money

LINE_EVERY_S = 5.0
"""Without a terminal, one line in so many seconds, and one for each change of state."""


class DemoView:
    """Shows a deployment on a terminal; on a pipe one line now and then; nothing where JSON is asked for."""

    def __init__(self, *, live: bool, quiet: bool) -> None:
        self._console = Console(highlight=False, stderr=quiet)
        self._live = Live(console=self._console, refresh_per_second=4, transient=True) if live else None
        self._quiet = quiet
        self._said: tuple[str, float] = ("", 0.0)

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
        state, now_s = seen.get("state", "starting"), monotonic_s()
        said, at_s = self._said
        if not self._quiet and (state != said or now_s - at_s >= LINE_EVERY_S):
            self._said = (state, now_s)
            self._console.print(one_line(seen, note), markup=False, soft_wrap=True)


def render(seen: dict[str, Any], note: str, dashboard: str) -> RenderableType:
    """Return the whole picture."""
    gateway = seen.get("gateway", {})
    state = seen.get("state", "starting")
    waits = ", ".join(seen.get("waiting_for", []))
    head = Text(
        f"{seen.get('deployment', '')}: {state}"
        + (f" ({note})" if note else "")
        + (f", waits for {waits}" if waits else ""),
        "bold",
    )
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
    symbols = ", ".join(_in_words(name, symbol) for name, symbol in gateway.get("symbols", {}).items())
    held = ", ".join(sorted({hold["cause"] for hold in gateway.get("holds", [])}))
    waits = ", ".join(seen.get("waiting_for", []))
    state = seen.get("state", "starting")
    head = f"{state}, {note}" if note else state
    rest = symbols or (f"waits for {waits}" if waits else "")
    return head + (f": {rest}" if rest else "") + (f"; held by {held}" if held else "")


def _in_words(name: str, symbol: dict[str, Any]) -> str:
    entries, exits = counted(symbol["entries"], "entry", "entries"), counted(symbol["exits"], "exit", "exits")
    trips = counted(symbol["round_trips"], "round trip", "round trips")
    return f"{name} {symbol['price'] or '-'} ({entries}, {exits}, {lots(symbol['lots'])}, {trips})"


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
