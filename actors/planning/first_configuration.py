"""The text of a first configuration: what was proposed, and by which figures. Pure: nothing is read or written here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from actors.settings.venue import VenuePlace
from exchanges import adapters
from grid.instrument import Instrument
from grid.ladder import Spacing
from grid.neutral import GridKind
from grid.order import Quote
from risk.proposal import Appetite, Movement, Proposal, Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the user said. `funds` for all symbols together; `is_live` is the consent to trade real money.

    Without a `spacing` each ladder has the one that suits its depth.
    """

    deployment: str
    place: VenuePlace
    is_live: bool
    symbols: tuple[str, ...]
    funds: Decimal
    side: GridKind
    shape: Shape
    spacing: Spacing | None
    appetite: Appetite
    leverage: int
    maker_fee: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """One symbol's ladder, and what it was made from."""

    instrument: Instrument
    quote: Quote
    moved: Movement
    proposal: Proposal

    @property
    def price(self) -> Decimal:
        """Return the price that the proposal is made at."""
        return self.instrument.price(self.quote.bid)


def configuration_text(answers: Answers, proposed: Sequence[Proposed], watch: Sequence[str]) -> str:
    """Return the whole file."""
    notional = sum((one.proposal.amount * one.proposal.max_lots for one in proposed), Decimal(0))
    lots = min(one.proposal.max_lots for one in proposed)
    share = answers.appetite.daily_loss
    loss = answers.funds * share
    lines = [
        f"# Proposed by gridmesh init for {answers.funds:f} USDT, risk appetite {answers.appetite.value}. It is "
        "arithmetic, no forecast: it can lose money.",
        "# gridmesh plan shows its ladder, check asks the venue, drill tries it where all goes wrong,",
        "# and configs/live.example.yaml explains every key.",
        "",
        "# Names the run file, the journal and the Ray namespace.",
        f"deployment: {answers.deployment}",
        "",
        *_venue(answers),
        "",
        "symbols:",
        *(line for one in proposed for line in _symbol(answers, one)),
        "",
        "account:",
        "  # Most notional of lots and live entries over all symbols, in USDT: every max_lots together.",
        f"  max_notional: {_whole_above(notional)}",
        f"  # Loss since midnight UTC at which entries stop for the day, in USDT: {(share * 100).normalize():f} % of "
        "the funds.",
        f"  daily_loss: {max(Decimal(1), loss.quantize(Decimal(1), rounding=ROUND_FLOOR)):f}",
        "",
        "risk:",
        "  # Coins whose candles are watched for a fall; a majority of them halts entries.",
        f"  watch: [{', '.join(watch)}]",
        "  # Lots of each symbol that the balance has to afford, or the start is refused.",
        f"  required_positions: {lots}",
        *_paper(answers),
    ]
    return "\n".join(lines) + "\n"


def _venue(answers: Answers) -> Iterator[str]:
    place = answers.place
    prefix = place.name.upper().replace("USDM", "")
    yield "venue:"
    yield f"  name: {place.name}"
    if place.rest_url is not None:
        yield "  # These replace every host of the venue: a simulated venue on this machine."
        yield f"  rest_url: {place.rest_url}"
        yield f"  ws_url: {place.ws_url}"
    elif place.is_testnet:
        yield "  # The venue's own network for practice: orders are real, money is not. It has keys of its own."
        yield "  testnet: true"
    elif answers.is_live:
        yield "  # Half of the consent to trade real money; the other half is gridmesh run --live. Else it is on paper."
        yield "  live: true"
    else:
        yield "  # On paper: the venue's own prices, no keys, and no order to anybody. For the venue's test network:"
        yield "  # testnet: true. For real money: live: true, and gridmesh run --live."
    yield "  # NAMES of the environment variables that hold the key and the secret; the secrets never stand here."
    yield f"  api_key_env: {prefix}_API_KEY"
    yield f"  api_secret_env: {prefix}_API_SECRET"
    if adapters.needs_passphrase(place.name):
        yield f"  api_passphrase_env: {prefix}_API_PASSPHRASE"


def _symbol(answers: Answers, one: Proposed) -> Iterator[str]:
    proposal, moved = one.proposal, one.moved
    step = proposal.interval / one.price * 100
    minutes = moved.candle_ms // 60_000
    yield f"  - symbol: {one.instrument.symbol}"
    yield f"    # {_DOES[answers.side]}"
    yield f"    side: {answers.side.value}"
    yield (
        f"    # At {one.price:f} a candle of {minutes} min was {moved.candle_range * 100:.3f} % high in the mean of "
        f"{moved.candles}, a day about {moved.day_range * 100:.1f} %."
    )
    fee = (answers.maker_fee * 100).normalize()
    yield (
        f"    # A step is {step:.3f} % of the price; with a maker fee of {fee:f} % the smallest that earns is "
        f"{proposal.break_even:f}."
    )
    yield from _levels(answers, one)
    yield "    # Notional of one entry in USDT, rounded down to the venue's step."
    yield f"    amount: {proposal.amount:f}"
    yield "    # Entries kept resting near the price."
    yield f"    buy_window: {proposal.buy_window}"
    words = _FILLS[answers.side]
    yield f"    # Most lots ever held: all are {words} by {proposal.depth * 100:.1f} %, and no more then."
    yield f"    max_lots: {proposal.max_lots}"
    yield "    # Set at start for the whole symbol: naming it is your consent."
    yield f"    leverage: {proposal.leverage}"


def _steps(answers: Answers, proposal: Proposal) -> Iterator[str]:
    """Yield where the levels lie, and why so."""
    spacing = answers.spacing or proposal.spacing
    if spacing is Spacing.GEOMETRIC:
        why = "Equal ratios: a step is the same share of the price at either end of the ladder."
        yield f"    # {why}"
        yield "    spacing: geometric"
    if answers.shape is Shape.RANGE:
        yield "    # Between these two prices in so many steps, and nothing beyond them. In place of it, a ladder that"
        yield f"    # follows the price: {_one_step(spacing, proposal)}"
        yield "    range:"
        yield f"      low: {proposal.low:f}"
        yield f"      high: {proposal.high:f}"
        yield f"      grids: {proposal.grids}"
        return
    yield "    # The ladder follows the price, up and down; trail_limit ends that, range fixes it to two prices."
    yield f"    {_one_step(spacing, proposal)}"


def _one_step(spacing: Spacing, proposal: Proposal) -> str:
    if spacing is Spacing.GEOMETRIC:
        return f"ratio: {proposal.ratio:f}"
    return f"interval: {proposal.interval:f}"


def _paper(answers: Answers) -> Iterator[str]:
    """Yield the terms of a run without `--live`; orders to a test network or a simulated venue have their own."""
    if answers.place.rest_url is not None or answers.place.is_testnet:
        return
    yield ""
    yield "# On what terms a run without --live trades; funding is the venue's own."
    yield "paper:"
    yield f"  balance: {answers.funds:f}"
    yield f"  maker_fee: {answers.maker_fee:f}"


def _levels(answers: Answers, one: Proposed) -> Iterator[str]:
    """Yield where the levels lie, of a grid with both sides around its start price."""
    if answers.side is not GridKind.NEUTRAL:
        yield from _steps(answers, one.proposal)
        return
    proposal, instrument, count = one.proposal, one.instrument, one.proposal.max_lots
    is_geometric = (answers.spacing or proposal.spacing) is Spacing.GEOMETRIC
    reach = proposal.ratio**count
    low = one.price / reach if is_geometric else one.price - count * proposal.interval
    high = one.price * reach if is_geometric else one.price + count * proposal.interval
    if is_geometric:
        yield "    spacing: geometric"
    yield "    # The start price: levels under it are bought and sold higher, levels over it sold and bought back."
    yield f"    anchor: {one.price:f}"
    yield "    # Between these two prices in so many steps, and nothing beyond them."
    yield "    range:"
    yield f"      low: {instrument.price(instrument.ticks_floor(low)):f}"
    yield f"      high: {instrument.price(instrument.ticks_ceil(high)):f}"
    yield f"      grids: {2 * count}"


_DOES = {
    GridKind.LONG: "Buys below the price, sells higher.",
    GridKind.SHORT: "Sells above the price, buys back lower.",
    GridKind.NEUTRAL: "Long under the start price, short over it; one side works at a time.",
}
_FILLS = {
    GridKind.LONG: "bought once the price has fallen",
    GridKind.SHORT: "sold once the price has risen",
    GridKind.NEUTRAL: "held once the price has left the start price either way",
}


def _whole_above(amount: Decimal) -> str:
    return f"{amount.quantize(Decimal(1), rounding=ROUND_CEILING):f}"
