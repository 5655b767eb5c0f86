"""`init`: a few questions, or flags, and a first configuration that a start takes."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from actors.commands.numbers import money, plain
from actors.commands.output import Json, emit, table
from grid.errors import ConfigError
from grid.ladder import Spacing
from grid.neutral import GridKind
from risk.proposal import Appetite, Shape

if TYPE_CHECKING:
    from rich.console import RenderableType

    from actors.planning.first_configuration import Answers
    from actors.planning.first_ladder import FirstLadder
    from actors.settings.venue import VenuePlace

FUNDS_MAX = Decimal("1e12")
LEVERAGE_MAX = 10
MAKER_FEE = "0.0002"
INTRODUCTION = (
    "Proposes a first ladder from how far the market moves, what a step costs in fees, and your funds. It reads public "
    "prices, needs no keys and sends no order. A grid holds what falls: it can lose all that you name here."
)


Kind = Annotated[
    GridKind | None, typer.Option("--kind", help="long buys below the price, short sells above, neutral does either.")
]
Risk = Annotated[Appetite | None, typer.Option("--risk", help="How much is risked: leverage, depth, the day's loss.")]
ShapeAsked = Annotated[
    Shape | None, typer.Option("--shape", help="window follows the price, range lies between two prices.")
]
SpacingAsked = Annotated[
    Spacing | None, typer.Option("--spacing", help="By a distance, or by a ratio. Left out: by the ladder's depth.")
]
Live = Annotated[
    bool, typer.Option("--live", help="Half the consent to real money; run --live is the rest. Left out: paper.")
]
Testnet = Annotated[
    bool, typer.Option("--testnet", help="Trade on the venue's test network, with its own keys and no money.")
]


def init(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The configuration to write; never replaced.")] = Path(
        "gridmesh.yaml"
    ),
    venue: Annotated[str | None, typer.Option("--venue", help="Left out: binanceusdm, Binance USD-M futures.")] = None,
    symbol: Annotated[
        list[str] | None, typer.Option("--symbol", metavar="SYMBOL", help="The venue's name of a contract; repeatable.")
    ] = None,
    funds: Annotated[str | None, typer.Option("--funds", metavar="USDT", help="What may be put at risk.")] = None,
    kind: Kind = None,
    risk: Risk = None,
    shape: ShapeAsked = None,
    spacing: SpacingAsked = None,
    leverage: Annotated[
        int | None, typer.Option("--leverage", min=1, max=LEVERAGE_MAX, help="Left out: by the risk appetite.")
    ] = None,
    maker_fee: Annotated[
        str, typer.Option("--maker-fee", metavar="SHARE", help="What you pay as maker, as a fraction.")
    ] = MAKER_FEE,
    live: Live = False,
    testnet: Testnet = False,
    rest_url: Annotated[str | None, typer.Option("--rest-url", help="A simulated venue, with --ws-url.")] = None,
    ws_url: Annotated[str | None, typer.Option("--ws-url", help="A simulated venue, with --rest-url.")] = None,
    deployment: Annotated[str | None, typer.Option("--deployment", help="Its name; left out: after FILE.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing; what is left out takes its default.")] = False,
    as_json: Json = False,
) -> None:
    """Write a first configuration: step and amount proposed from volatility, fees and funds. It needs no keys."""
    from actors.planning.first_configuration import Answers
    from actors.planning.first_ladder import Proposer, write_new
    from actors.settings.venue import VenuePlace
    from exchanges.adapters import NATIVE, complaint

    _require_free(file)
    asks = not yes and not as_json and sys.stdin.isatty()
    if asks:
        typer.echo(INTRODUCTION)
    name = venue or (_ask("Venue", NATIVE[0], NATIVE) if asks else NATIVE[0])
    if rule := complaint(name):
        raise ConfigError("--venue", name, rule)
    place = VenuePlace(name=name, rest_url=rest_url, ws_url=ws_url, is_testnet=testnet)
    _require_one_place(place, live=live)
    symbols = symbol or (_ask("Symbols, separated by blanks", "ETHUSDT").split() if asks else [])
    amount = funds or (_ask("Funds that may be put at risk, in USDT", "1000") if asks else "")
    if not symbols or not amount:
        raise typer.BadParameter("--symbol and --funds are needed where nothing is asked")
    side = _kind(kind, asks)
    form, appetite = _shape(shape, side, asks), _appetite(risk, asks)
    answers = Answers(
        deployment=deployment or _name_of(file),
        place=place,
        is_live=live,
        symbols=tuple(dict.fromkeys(one.strip().upper() for one in symbols)),
        funds=_number("--funds", amount, FUNDS_MAX),
        side=side,
        shape=form,
        spacing=spacing,
        appetite=appetite,
        leverage=leverage or appetite.leverage,
        maker_fee=_number("--maker-fee", maker_fee, Decimal("0.01")),
    )
    made = asyncio.run(Proposer(answers, file.with_name(f".{file.name}.{os.getpid()}")).run())
    if asks:
        emit(None, as_json=False, render=lambda: _tables(made))
        if not typer.confirm(f"Write {file}?", default=True):
            raise typer.Exit(1)
    write_new(file, made.text)
    document = _document(file, answers, made)
    emit(document, as_json=as_json, render=lambda: [*([] if asks else _tables(made)), *_next(file, made, answers)])


def _require_free(file: Path) -> None:
    """Refuse before anything is asked what would be refused after it."""
    if file.exists() or file.is_symlink():
        raise ConfigError("FILE", file, "exists already, and is never replaced; name another")


def _require_one_place(place: VenuePlace, *, live: bool) -> None:
    if (place.rest_url is None) != (place.ws_url is None):
        raise ConfigError("--rest-url", place.rest_url, "belongs together with --ws-url")
    if live and place.is_testnet:
        raise ConfigError("--live", "true", "excludes --testnet: one is real money, the other none")
    if place.is_testnet and place.rest_url is not None:
        raise ConfigError("--testnet", "true", "excludes --rest-url: choose one")
    if live and place.rest_url is not None:
        raise ConfigError("--live", "true", "excludes --rest-url: one is real money, the other a simulated venue")


def _kind(given: GridKind | None, asks: bool) -> GridKind:
    if given is not None or not asks:
        return given or GridKind.LONG
    typer.echo(
        "A long grid buys below the price and sells higher; a short one sells above it and buys back lower; a neutral "
        "one is long under the price of now and short over it, one at a time."
    )
    return GridKind(_ask("Kind", GridKind.LONG.value, _values(GridKind)))


def _shape(given: Shape | None, kind: GridKind, asks: bool) -> Shape:
    if kind is GridKind.NEUTRAL:
        if given is Shape.WINDOW:
            raise ConfigError(
                "--shape", given.value, "has no meaning for a neutral grid, which lies between two prices"
            )
        return Shape.RANGE
    if given is not None or not asks:
        return given or Shape.WINDOW
    typer.echo("A window follows the price wherever it goes; a range stays between two prices.")
    return Shape(_ask("Shape", Shape.WINDOW.value, _values(Shape)))


def _appetite(given: Appetite | None, asks: bool) -> Appetite:
    if given is not None or not asks:
        return given or Appetite.MEDIUM
    for one in Appetite:
        typer.echo(
            f"{one.value}: leverage {one.leverage}, {one.days} usual days deep, stops at {one.daily_loss:.0%} a day"
        )
    return Appetite(_ask("Risk appetite", Appetite.MEDIUM.value, _values(Appetite)))


def _ask(question: str, default: str, choices: tuple[str, ...] = ()) -> str:
    words = f"{question} ({', '.join(choices)})" if choices else question
    while True:
        answer = str(typer.prompt(words, default=default)).strip()
        if answer and (not choices or answer in choices):
            return answer


def _values(kind: type[GridKind | Appetite | Shape]) -> tuple[str, ...]:
    return tuple(str(one.value) for one in kind)


def _number(option: str, text: str, most: Decimal) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not (number.is_finite() and 0 < number <= most):
        raise ConfigError(option, text, f"has to be a number above 0, at most {most:f}")
    return number


def _name_of(file: Path) -> str:
    name = re.sub(r"[^a-z0-9-]+", "-", file.stem.lower()).strip("-")[:32].strip("-")
    return name or "gridmesh"


def _tables(made: FirstLadder) -> list[RenderableType]:
    rows = [
        [
            one.instrument.symbol,
            plain(one.price),
            f"{one.moved.day_range * 100:.1f} %",
            plain(one.proposal.interval),
            f"{one.proposal.interval / one.price * 100:.3f} %",
            plain(one.proposal.break_even),
            plain(one.proposal.amount),
            one.proposal.max_lots,
            f"{one.proposal.depth * 100:.1f} %",
            f"{one.proposal.leverage}x",
        ]
        for one in made.proposed
    ]
    names = (
        "symbol",
        "price",
        "usual day",
        "step",
        "of price",
        "smallest that earns",
        "amount",
        "lots",
        "ladder's depth",
        "leverage",
    )
    return [table("", names, rows, names[1:]), *(f"a start would warn: {sentence}" for sentence in made.warnings)]


def _next(file: Path, made: FirstLadder, answers: Answers) -> list[RenderableType]:
    amounts = sum((one.proposal.amount * one.proposal.max_lots for one in made.proposed), Decimal(0))
    return [
        f"wrote {file}: all lots together are worth {money(amounts)} USDT; it is arithmetic, no forecast, and can lose "
        "money",
        f"next: gridmesh plan {file} (the ladder), gridmesh check {file}, gridmesh run {file} ({_ground(answers)})",
    ]


def _ground(answers: Answers) -> str:
    """Return what a run of the file would trade on."""
    if answers.place.rest_url is not None:
        return "at the simulated venue"
    if answers.place.is_testnet:
        return "on the venue's test network, with its keys"
    return "on paper, without keys; with --live it trades real money" if answers.is_live else "on paper, without keys"


def _document(file: Path, answers: Answers, made: FirstLadder) -> dict[str, Any]:
    return {
        "file": str(file),
        "deployment": answers.deployment,
        "venue": answers.place.name,
        "live": answers.is_live,
        "trades_on": _ground(answers),
        "kind": answers.side.value,
        "shape": answers.shape.value,
        "warnings": list(made.warnings),
        "symbols": [
            {
                "symbol": one.instrument.symbol,
                "price": one.price,
                "candles": one.moved.candles,
                "candle_range": one.moved.candle_range,
                "day_range": one.moved.day_range,
                "interval": one.proposal.interval,
                "ratio": one.proposal.ratio,
                "spacing": (answers.spacing or one.proposal.spacing).value,
                "range": {"low": one.proposal.low, "high": one.proposal.high, "grids": one.proposal.grids}
                if answers.shape is Shape.RANGE
                else None,
                "break_even": one.proposal.break_even,
                "amount": one.proposal.amount,
                "buy_window": one.proposal.buy_window,
                "max_lots": one.proposal.max_lots,
                "depth": one.proposal.depth,
                "leverage": one.proposal.leverage,
            }
            for one in made.proposed
        ],
    }
