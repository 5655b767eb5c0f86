"""`plan`: the ladder of a configuration at the price of now, or of any price, before anything is sent."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any

import typer

from actors.commands.accounts import accounts_of, emit_accounts
from actors.commands.numbers import money, plain
from actors.commands.offline import Config, Live
from actors.commands.output import Json, table
from actors.commands.running import Account
from grid.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from actors.settings.account import Settings
    from actors.settings.venue import Credentials

FILL_COLUMNS = ("level", "price", "target", "step earns", "position", "cost", "margin", "loss there", "liquidation")
ROWS_SHOWN = 30
"""So many fills are shown to people, then the last one; JSON has all."""


def plan(
    config: Config,
    price: Annotated[
        list[str] | None,
        typer.Option(
            "--price", metavar="[[ACCOUNT/]SYMBOL=]PRICE", help="As if the price were this; repeat it for each symbol."
        ),
    ] = None,
    wallet: Annotated[
        str | None, typer.Option("--wallet", metavar="USDT", help="As if each wallet held so much.")
    ] = None,
    maker_fee: Annotated[
        str | None, typer.Option("--maker-fee", metavar="SHARE", help="As if the maker paid this, e.g. 0.0002.")
    ] = None,
    taker_fee: Annotated[
        str | None, typer.Option("--taker-fee", metavar="SHARE", help="As if the taker paid this, e.g. 0.0005.")
    ] = None,
    account: Account = None,
    live: Live = False,
    as_json: Json = False,
) -> None:
    """Show the ladder that a start would place now, its margin, its worst position and its liquidation prices.

    Sends nothing and needs no keys: on paper the paper account's terms hold, and with --live, where no keys are given,
    fees, margin tiers and wallet are assumed. It says which.
    """
    from actors.check.host import read_book
    from actors.clock import now_ms
    from actors.planning.facts import Told, read_ladder_facts
    from actors.planning.plan import LadderPlan

    accounts = accounts_of(config, account, live=live)
    prices = _prices(price or [], accounts)
    amount = _number("--wallet", wallet) if wallet is not None else None

    def planned(settings: Settings) -> tuple[str, dict[str, Any]]:
        told = Told(
            maker_fee=_fee("--maker-fee", maker_fee),
            taker_fee=_fee("--taker-fee", taker_fee),
            prices=prices[settings.account_name],
        )
        facts = asyncio.run(read_ladder_facts(settings, _keys(settings), told))
        plan = LadderPlan(settings, facts, read_book(settings).book, told, amount)
        return settings.account_name, plan.document(now_ms())

    emit_accounts([planned(one) for one in accounts], as_json=as_json, render=_render)


def _keys(settings: Settings) -> Credentials | None:
    """Return the key pair, None where neither key nor secret is there; half a pair is an error as in a start."""
    from actors.settings.credentials import load_credentials

    venue = settings.venue
    if settings.is_paper:
        return None
    variables = (venue.api_key_env, venue.api_secret_env)
    files = (venue.api_key_file, venue.api_secret_file)
    is_given = any(name and os.environ.get(name) for name in variables) or any(file and file.exists() for file in files)
    return load_credentials(venue) if is_given else None


def _prices(texts: Sequence[str], accounts: Sequence[Settings]) -> dict[str, dict[str, Decimal]]:
    """Return the prices to be taken for granted, by account and symbol; a symbol alone means it on every account."""
    known = {one.account_name: [symbol.symbol for symbol in one.symbols] for one in accounts}
    symbols = list(dict.fromkeys(name for names in known.values() for name in names))
    found: dict[str, dict[str, Decimal]] = {name: {} for name in known}
    for text in texts:
        place, separator, value = text.rpartition("=")
        if not separator and len(symbols) > 1:
            raise ConfigError("--price", text, f"needs the symbol before it, e.g. {symbols[0]}={text}")
        account, _, symbol = (place if separator else symbols[0]).rpartition("/")
        meant = [name for name in known if account in ("", name) and symbol in known[name]]
        if not meant:
            raise ConfigError("--price", text, f"has to name a symbol of the configuration: {', '.join(symbols)}")
        for name in meant:
            found[name][symbol] = _number("--price", value)
    return found


def _number(option: str, text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not (number.is_finite() and 0 < number < Decimal("1e15")):
        raise ConfigError(option, text, "has to be a number above 0")
    return number


def _fee(option: str, text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        rate = Decimal(text)
    except InvalidOperation:
        rate = Decimal("NaN")
    if not (rate.is_finite() and abs(rate) <= Decimal("0.01")):
        raise ConfigError(option, text, "has to be a fraction of at most 0.01, e.g. 0.0002 for 0.02 %")
    return rate


def _render(document: dict[str, Any]) -> list[RenderableType]:
    shown: list[RenderableType] = []
    for symbol in document["symbols"]:
        shown += _symbol(symbol)
    account = document["account"]
    shown.append(
        f"margin required {money(account['margin_required'])} of a wallet of {money(account['wallet'])}; "
        f"committed now {money(account['committed_now'])} of at most {money(account['max_notional'])}"
    )
    shown += [f"{finding['severity']}: {finding['sentence']}" for finding in document["findings"]]
    if document["assumed"]:
        shown.append("not read from an account: " + "; ".join(document["assumed"]))
    shown.append("nothing was sent")
    return shown


def _symbol(symbol: dict[str, Any]) -> list[RenderableType]:
    step, worst, fills = symbol["step"], symbol["worst"], symbol["fills"]
    title = (
        f"{symbol['symbol']}: {symbol['side']}, {symbol['spacing']}, bid {plain(symbol['bid'])}, ask "
        f"{plain(symbol['ask'])}, anchor {plain(symbol['anchor'])}, {symbol['leverage']}x {symbol['margin_type']}"
    )
    orders = [
        [
            one["side"],
            one["purpose"],
            one["level"],
            plain(one["price"]),
            plain(one["quantity"]) if one["quantity"] else None,
            money(one["notional"]) if one["quantity"] else None,
            plain(one["target"]),
            "rests" if one["rests"] else f"{one['reason']}{': ' + one['detail'] if one['detail'] else ''}",
        ]
        for one in symbol["orders"]
    ]
    order_columns = ("side", "order", "level", "price", "quantity", "notional", "target", "now")
    gain = "earns" if step["pays"] else "LOSES"
    fee = (symbol["fees"]["maker"] * 100).normalize()
    step_words = (
        f"one step of {plain(step['step'])} ({step['share'] * 100:.3f} %) {gain} {money(abs(step['profit']))} after "
        f"maker fees of {fee:f} %; the smallest that earns is {plain(step['break_even'])}"
    )
    side = _way(symbol["works"])
    return [
        table(title, order_columns, orders, order_columns[2:7]),
        *_ends(symbol),
        step_words,
        table(f"each further fill of a {side}", FILL_COLUMNS, _fills(fills), FILL_COLUMNS),
        _worst(worst),
        *_other_side(symbol),
        "",
    ]


def _way(works: str) -> str:
    return "fall" if works == "long" else "rise"


def _worst(worst: dict[str, Any]) -> str:
    return (
        f"worst: {plain(worst['position'])} for {money(worst['cost'])}, the price at {plain(worst['price'])}; lost "
        f"there {money(worst['loss'])}, maintenance {money(worst['maintenance'])}, liquidation {_at(worst)}"
    )


def _other_side(symbol: dict[str, Any]) -> list[RenderableType]:
    """Return what a neutral grid becomes once it has turned around."""
    other = symbol["other_side"]
    if other is None:
        return []
    way = _way(other["works"])
    words = (
        f"works {symbol['works']} now; turns {other['works']} once nothing is held and the price has come to "
        f"{plain(other['turns_at'])}"
    )
    return [
        words,
        table(f"then each further fill of a {way}", FILL_COLUMNS, _fills(other["fills"]), FILL_COLUMNS),
        _worst(other["worst"]),
    ]


def _ends(symbol: dict[str, Any]) -> list[RenderableType]:
    """Return where the grid's levels end, and at which marks all of it does."""
    low, high = _outermost(symbol)
    said = []
    if low is not None or high is not None:
        first = f"from {plain(low)} " if low is not None else ""
        said.append(f"levels {first}up to {plain(high)}" if high is not None else f"levels {first}on")
    for key, word in (("stop_price", "stop"), ("take_profit_price", "take-profit")):
        if symbol[key] is not None:
            said.append(f"{word} of the whole grid at {plain(symbol[key])}")
    if symbol["trigger_price"] is not None:
        said.append(f"begins once the mark price has come to {plain(symbol['trigger_price'])}")
    if (opening := symbol["opening"]) is not None:
        said.append(
            f"begins with {opening['lots']} lots of the levels {plain(opening['from'])} to {plain(opening['to'])}, "
            f"{plain(opening['quantity'])} in all, none beyond {plain(opening['limit'])}, for {money(opening['cost'])}"
        )
    return ["; ".join(said)] if said else []


def _outermost(symbol: dict[str, Any]) -> tuple[Decimal | None, Decimal | None]:
    """Return the ends of all levels, of both sides where there are two."""
    low, high = symbol["bounds"]["low"], symbol["bounds"]["high"]
    if (other := symbol["other_side"]) is not None:
        low, high = min(low, other["bounds"]["low"]), max(high, other["bounds"]["high"])
    return low, high


def _fills(fills: Sequence[dict[str, Any]]) -> list[list[object]]:
    rows: list[list[object]] = [
        [
            fill["level"],
            plain(fill["price"]),
            plain(fill["target"]),
            money(fill["profit"]),
            plain(fill["position"]),
            money(fill["cost"]),
            money(fill["margin"]),
            money(fill["loss"]),
            _at(fill),
        ]
        for fill in fills
    ]
    if len(rows) <= ROWS_SHOWN + 1:
        return rows
    left_out: list[object] = [f"... {len(rows) - ROWS_SHOWN - 1} more", *[""] * 8]
    return [*rows[:ROWS_SHOWN], left_out, rows[-1]]


def _at(place: dict[str, Any]) -> str:
    price = place["liquidation"]
    return "none" if price is None else money(price) if price >= 1 else f"{price:.6g}"
