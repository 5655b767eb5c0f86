"""The text of a first configuration: what was proposed, and by which figures. Pure: nothing is read or written here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from actors.settings.venue import VenuePlace
from exchanges import adapters
from grid.instrument import Instrument
from grid.ladder import GridSide, Spacing
from grid.order import Quote
from risk.proposal import Appetite, Movement, Proposal


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the user said. `funds` for all symbols together; `is_live` is the consent to trade real money."""

    deployment: str
    place: VenuePlace
    is_live: bool
    symbols: tuple[str, ...]
    funds: Decimal
    side: GridSide
    spacing: Spacing
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
        "# Look at it with gridmesh plan, try it with gridmesh check and gridmesh drill; live.example.yaml explains "
        "every key.",
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
        yield "  # The venue's own network for practice, without money. For real money: live: true, and run --live."
        yield "  testnet: true"
    else:
        yield "  # Consent to trade real money; the flag --live of gridmesh run is the other half of it."
        yield "  live: true"
    yield "  # NAMES of the environment variables that hold the key and the secret; the secrets never stand here."
    yield f"  api_key_env: {prefix}_API_KEY"
    yield f"  api_secret_env: {prefix}_API_SECRET"
    if adapters.needs_passphrase(place.name):
        yield f"  api_passphrase_env: {prefix}_API_PASSPHRASE"


def _symbol(answers: Answers, one: Proposed) -> Iterator[str]:
    proposal, moved = one.proposal, one.moved
    step = proposal.interval / one.price * 100
    minutes = moved.candle_ms // 60_000
    is_long = answers.side is GridSide.LONG
    yield f"  - symbol: {one.instrument.symbol}"
    yield f"    # {'Buys below the price, sells higher.' if is_long else 'Sells above the price, buys back lower.'}"
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
    if answers.spacing is Spacing.GEOMETRIC:
        yield "    spacing: geometric"
        yield f"    ratio: {proposal.ratio:f}"
    else:
        yield f"    interval: {proposal.interval:f}"
    yield "    # Notional of one entry in USDT, rounded down to the venue's step."
    yield f"    amount: {proposal.amount:f}"
    yield "    # Entries kept resting near the price."
    yield f"    buy_window: {proposal.buy_window}"
    words = "are bought when the price has fallen" if is_long else "are sold when the price has risen"
    yield f"    # All of them {words} by {proposal.depth * 100:.1f} %: there the ladder ends."
    yield f"    max_lots: {proposal.max_lots}"
    yield "    # Set at start for the whole symbol: naming it is your consent."
    yield f"    leverage: {proposal.leverage}"


def _whole_above(amount: Decimal) -> str:
    return f"{amount.quantize(Decimal(1), rounding=ROUND_CEILING):f}"
