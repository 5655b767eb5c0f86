"""What a virtual world is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from actors.actor_names import SlotLayout, feed_names, packed
from actors.ownership.lease import LeaseTerms
from exchanges.desk.settings import Breakers, DeskSettings
from exchanges.sim.instrument import SimInstrument
from exchanges.sim.settings import PESSIMISTIC, FillModel
from grid.instrument import Instrument
from grid.ladder import GridSide, Spacing
from grid.opening import OpeningRule
from grid.policy import GridPolicy
from grid.records import GenerationStarted
from risk.rules import RiskRules
from risk.stop_rule import StopRule

ACCOUNT = "main"


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """One-way delays in ms, each drawn evenly from its range; equal bounds make it exact."""

    message: tuple[int, int] = (1, 1)
    request: tuple[int, int] = (5, 5)
    reply: tuple[int, int] = (5, 5)
    stream: tuple[int, int] = (5, 5)
    quote: tuple[int, int] = (2, 2)
    connect: tuple[int, int] = (50, 50)


@dataclass(frozen=True, slots=True, kw_only=True)
class GridPlan:
    """One grid. `anchor` in ticks; 0: the first best bid."""

    venue: SimInstrument
    policy: GridPolicy
    interval: int
    anchor: int = 0
    side: GridSide = GridSide.LONG
    spacing: Spacing = Spacing.ARITHMETIC
    ratio: Decimal = Decimal(1)
    modulus: int = 8
    slots_per_actor: int = 1
    breakers: Breakers | None = None
    stop: StopRule | None = None
    trigger: Decimal | None = None
    opening: OpeningRule | None = None
    short: GridPolicy | None = None
    """Of a neutral grid: the policy of its short ladder; `side` is long, and `policy` that of the long one."""

    @property
    def symbol(self) -> str:
        """Return the symbol."""
        return self.policy.symbol

    @property
    def layout(self) -> SlotLayout:
        """Return how the levels are dealt where no slot actor is shared."""
        return SlotLayout(symbol=self.symbol, modulus=self.modulus, slots_per_actor=self.slots_per_actor)

    @property
    def instrument(self) -> Instrument:
        """Return the instrument as an adapter would read it from the venue."""
        return instrument_of(self.venue)

    def generation(self, number: int, anchor: int) -> GenerationStarted:
        """Return the record that begins the ladder."""
        return GenerationStarted(
            symbol=self.symbol,
            generation=number,
            side=self.side,
            spacing=self.spacing,
            anchor=anchor,
            interval=self.interval,
            ratio=self.ratio,
            tick=self.venue.tick,
            step=self.venue.step,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueWays:
    """What venues do otherwise than the plain one, as their adapters let it through."""

    post_only_cancels: bool = False
    """A post-only order that would take is accepted, then cancelled, instead of refused (Bybit, OKX, Bitget)."""
    reduce_only_strict: bool = True
    """False: reduce-only orders beyond the position are taken, and the worst priced ended."""
    trades_apart_ms: tuple[int, int] | None = None
    """A fill's event lacks price and fee; those follow by another channel so much later, or not at all (Gate)."""
    unfilled_kept_ms: int = 0
    """How long after its end an order without a fill is found; 0: always."""
    filled_kept_ms: int = 0
    """How long after its end an order with fills is found by client id; 0: always. Its trades name it."""
    is_state_first: bool = False
    """The private stream begins with every open order as it stands (Bitget)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPlan:
    """One of the hosts on which the deployment is started. `venue_error_ms`: how far its idea of venue time is off."""

    name: str
    starts_ms: int
    venue_error_ms: int = 0
    is_patient: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnershipPlan:
    """A shared lease store and journal, and the hosts that want the account. `patience_ms`: with one claim."""

    terms: LeaseTerms
    hosts: tuple[HostPlan, ...]
    patience_ms: int = 2_500


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldSettings:
    """One deployment on one account. Periods in ms; `call_timeout_ms` is the gateway's patience with one call."""

    grids: tuple[GridPlan, ...]
    desk: DeskSettings
    risk: RiskRules
    seed: int = 0
    deposit: Decimal = Decimal(10_000)
    coin_deposit: Decimal = Decimal(0)
    """BNB on the account; above 0 the fees are paid in it."""
    latency: Latency = field(default_factory=Latency)
    fills: FillModel = PESSIMISTIC
    ways: VenueWays = field(default_factory=VenueWays)
    tick_ms: int = 200
    slot_tick_ms: int = 250
    risk_tick_ms: int = 500
    mark_ms: int = 1_000
    reconcile_ms: int = 10_000
    income_ms: int = 0
    """How often income is read; 0: never."""
    account_ms: int = 0
    """How often the account is read; 0: never."""
    call_timeout_ms: int = 2_500
    restart_ms: int = 1_400
    """How long an actor is gone after it was killed."""
    symbols_per_actor: int = 1
    ownership: OwnershipPlan | None = None
    """Who may write, where more than one host wants the account; None: there is only one."""
    manager_ms: int = 4_000
    """After how long a process manager starts a deployment again that has ended."""

    @property
    def feeds(self) -> dict[str, str]:
        """Return each symbol's feed."""
        return feed_names([grid.symbol for grid in self.grids], self.symbols_per_actor)

    @property
    def layouts(self) -> dict[str, SlotLayout]:
        """Return which slot actors serve which levels of each symbol."""
        feeds = self.feeds
        alike = [[grid.layout for grid in self.grids if feeds[grid.symbol] == feed] for feed in feeds.values()]
        return {layout.symbol: layout for layouts in alike for layout in packed(layouts)}


def instrument_of(venue: SimInstrument) -> Instrument:
    """Return the venue's instrument in the grid's words."""
    return Instrument(
        symbol=venue.symbol,
        base=venue.base,
        quote=venue.quote,
        tick=venue.tick,
        step=venue.step,
        price_min=venue.price_min,
        price_max=venue.price_max,
        quantity_min=venue.quantity_min,
        quantity_max=venue.quantity_max,
        notional_min=venue.notional_min,
        percent_up=venue.percent_up,
        percent_down=venue.percent_down,
        orders_max=venue.orders_max,
        trading=venue.trading,
    )
