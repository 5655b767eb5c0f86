"""Window and slots beside the specification's own words, under any order of quotes, fills, holds, losses and restarts.

The machine keeps what levels were told to be open, from the differences alone, and compares that with rule 9 as it is
written. What rests is compared with rule 8 after each reconcile, and money with rule 6 at each order.
"""

from __future__ import annotations

from fractions import Fraction

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from grid.ladder import GridSide
from grid.order import Purpose
from grid.window import Alarm, Window, WindowChange
from tests.grid_world import SYMBOL, GridWorld, ladder, policy

EDGES = st.builds(
    lambda level, beside: 300_000 + 200 * level + beside,
    st.integers(-5, 5),
    st.sampled_from((-1, 0, 1, 19, 20, 21, 99, 100, 101, 180, 181)),
)
"""Prices at which something changes, and one tick beside them."""


class WindowMachine(RuleBasedStateMachine):
    """One window. `open` is what a listener believes that hears every difference."""

    @initialize(
        width=st.integers(1, 6),
        slack=st.integers(0, 3),
        sells=st.one_of(st.none(), st.integers(1, 5)),
        highest=st.one_of(st.none(), st.integers(-3, 3)),
    )
    def start(self, width: int, slack: int, sells: int | None, highest: int | None) -> None:
        """Begin without a price."""
        self.ladder = ladder()
        self.policy = policy(buy_window=width, entry_slack=slack, sell_window=sells, highest_level=highest)
        self.window = Window(self.ladder, self.policy)
        self.price: int | None = None
        self.open: set[int] = set()
        self.may_rest: set[int] = set()
        self.alarms: dict[int, Alarm] = {}
        self.version = 0
        self.due: set[int] = set()
        self.now_ms = 0

    @rule(price=st.one_of(st.integers(299_000, 301_000), EDGES))
    def quote(self, price: int) -> None:
        """A quote moves the price; the difference is all that a listener hears."""
        before, floor_before = self.price, self.floor
        self.now_ms += 1
        change = self.window.on_price(price, self.now_ms)
        self.price = price
        self.hear(change)
        ringing = {level for level, alarm in self.alarms.items() if alarm.rings_at(price, self.now_ms)}
        assert set(change.rung) == ringing
        for level in ringing:
            del self.alarms[level]
        if before is not None and self.policy.sell_window is not None:
            # T = L(i + 1) <= L(f + Ns) has just become true for these.
            reach, reached = self.floor + self.policy.sell_window, floor_before + self.policy.sell_window
            assert set(change.due) == set(range(reached, reach))

    @rule(level=st.integers(-8, 8), low=st.integers(-400, 0), high=st.integers(0, 400), ahead_ms=st.integers(-2, 2))
    def set_alarm(self, level: int, low: int, high: int, ahead_ms: int) -> None:
        """A level wants to hear of a price outside a band, and it may be of a later one than the last."""
        middle = self.price if self.price is not None else 300_000
        alarm = Alarm(level=level, low=middle + low, high=middle + high, after_ms=self.now_ms + ahead_ms)
        told_ms = self.window.view.at_ms if self.window.view is not None else 0
        rings = self.price is not None and alarm.rings_at(self.price, told_ms)
        assert self.window.set_alarm(alarm) is rings
        self.alarms.pop(level, None)
        if not rings:
            self.alarms[level] = alarm

    @rule()
    def restart(self) -> None:
        """A new window announces itself as a whole, and is newer."""
        self.window = Window(self.ladder, self.policy)
        self.alarms.clear()
        self.open.clear()
        price, self.price = self.price, None
        if price is not None:
            change = self.window.on_price(price, self.version + 1)
            self.price = price
            assert set(change.entered) == self.wanted()
            self.hear(change)

    def hear(self, change: WindowChange) -> None:
        """Take a difference as a slot does."""
        assert not set(change.entered) & set(change.left)
        assert change.view.version >= self.version
        self.version = change.view.version
        self.open = (self.open | set(change.entered)) - set(change.left)

    @property
    def floor(self) -> int:
        """Return f of rule 5."""
        return (self.price - 300_000) // 200 if self.price is not None else 0

    def wanted(self) -> set[int]:
        """Return the levels of rule 9."""
        assert self.price is not None
        top = (self.price - 20 - 300_000) // 200
        if self.policy.highest_level is not None:
            top = min(top, self.policy.highest_level)
        return set(range(top - self.policy.buy_window + 1, top + 1))

    @invariant()
    def what_was_told_is_rule_9(self) -> None:
        """Whoever hears every difference knows which levels are open."""
        if self.price is not None:
            assert self.open == self.wanted()
            slack = self.policy.entry_slack
            assert set(self.window.levels_in_reach()) == set(range(min(self.open) - slack, max(self.open) + 1))


class SlotsMachine(RuleBasedStateMachine):
    """A whole small grid: quotes, fills, holds, lost words and restarts in any order."""

    @initialize(side=st.sampled_from(GridSide))
    def start(self, side: GridSide) -> None:
        """Begin at the worked example's price."""
        self.lossy = False
        self.world = GridWorld(side, post=lambda word: [] if self.lossy else [word])
        self.world.quote(300_000)
        self.is_sound, self.is_held = True, False
        self.seen: set[str] = set()
        self.has_just_filled = False

    @rule(price=st.one_of(st.integers(298_500, 301_500), EDGES))
    def quote(self, price: int) -> None:
        """The price moves; a short grid sees it from the other side."""
        self.has_just_filled = False
        self.world.quote(price if self.world.sign > 0 else 600_000 - price)
        self.is_sound &= not self.lossy

    @precondition(lambda self: self.world.book.live_orders(SYMBOL))
    @rule(pick=st.integers(0, 20), beside=st.sampled_from((-102, -101, -100, 99, 100, 101)))
    def quote_half_an_interval_from_an_order(self, pick: int, beside: int) -> None:
        """The price stands where an order is cut or priced anew, or one tick beside that."""
        live = sorted(self.world.book.live_orders(SYMBOL), key=lambda order: order.client_id)
        self.has_just_filled = False
        self.world.quote(live[pick % len(live)].price + self.world.sign * beside)
        self.is_sound &= not self.lossy

    @precondition(lambda self: self.world.book.live_orders(SYMBOL))
    @rule(pick=st.integers(0, 20), part=st.integers(0, 9))
    def fill(self, pick: int, part: int) -> None:
        """Something that rests is taken, in part or whole."""
        live = sorted(self.world.book.live_orders(SYMBOL), key=lambda order: order.client_id)
        order = live[pick % len(live)]
        left = order.quantity - order.booked
        self.world.fill(order.price, left if part == 0 else 1 + part % left)
        self.world.confirm_price()
        self.has_just_filled = True
        self.is_sound &= not self.lossy

    @precondition(lambda self: self.world.entries())
    @rule(pick=st.integers(0, 20), part=st.integers(0, 9), beside=st.sampled_from((99, 100, 101)))
    def rise_from_a_part(self, pick: int, part: int, beside: int) -> None:
        """A part of an entry is bought, and the price stands where it is cut, or one tick beside that."""
        entries = self.world.entries()
        entry = entries[pick % len(entries)]
        self.world.fill(entry.price, 1 + part % entry.quantity)
        self.has_just_filled = False
        self.world.quote(entry.price + self.world.sign * beside)
        self.is_sound &= not self.lossy

    @rule()
    def hold_or_lift(self) -> None:
        """A hold comes or goes."""
        (self.world.lift if self.is_held else self.world.hold)()
        self.is_held = not self.is_held
        self.is_sound &= not self.lossy

    @rule()
    def lose_words(self) -> None:
        """From now on nobody hears anything, or everybody hears again."""
        self.lossy = not self.lossy

    @rule()
    def restart_slots(self) -> None:
        """Slots forget."""
        self.world.restart_slots()
        self.is_sound = False

    @rule()
    def reconcile(self) -> None:
        """A period passes with sound mail: whatever was lost is made good."""
        self.lossy = False
        self.world.reconcile()
        self.world.reconcile()
        self.is_sound = True

    @invariant()
    def each_slot_has_one_order(self) -> None:
        """And a slot with a lot that is no dust buys nothing."""
        orders = [order for order in self.world.book.live_orders(SYMBOL) if order.key is not None]
        assert len({order.key for order in orders}) == len(orders)
        for order in orders:
            lot = self.world.book.symbol(SYMBOL).slot(order.key).lot  # type: ignore[arg-type]
            assert order.purpose is not Purpose.ENTRY or lot is None or order.booked

    @invariant()
    def no_order_costs_more_than_the_amount(self) -> None:
        """Rule 6: never rounded up, and one step more would be too much."""
        for order in self.world.book.live_orders(SYMBOL):
            if order.purpose is Purpose.ENTRY:
                unit = Fraction(order.price, 100) * Fraction(1, 1000)
                assert order.quantity * unit <= 30 < (order.quantity + 1) * unit

    @invariant()
    def nothing_is_bought_above_the_price_nor_sold_below_its_target(self) -> None:
        """Rules 9 and 15, by the level's own numbers."""
        sign = self.world.sign
        for order in self.world.book.live_orders(SYMBOL):
            assert order.key is not None
            at = sign * 300_000 + 200 * order.key.level
            assert sign * order.target == at + 200
            assert sign * order.price == at if order.purpose is Purpose.ENTRY else sign * order.price >= at + 200

    @invariant()
    def with_sound_mail_exits_rest_where_rules_13_to_16_say(self) -> None:
        """None is placed at or under the price, none hangs half an interval too high, none waits for a cut."""
        view, sign = self.world.window.view, self.world.sign
        live = self.world.book.live_orders(SYMBOL)
        fresh = {order.client_id for order in live} - self.seen
        self.seen |= fresh
        if not self.is_sound or self.lossy or view is None:
            return
        for order in live:
            assert order.key is not None
            at = sign * 300_000 + 200 * order.key.level
            if order.purpose is Purpose.ENTRY:
                assert not order.booked or view.price < at + 100
                continue
            # A fill tells more of the price than the quote before it: its exit is armed at the target.
            assert order.client_id not in fresh or sign * order.price > view.price or self.has_just_filled
            assert sign * order.price - max(at + 200, view.price + 1) < 100
            lot = self.world.book.symbol(SYMBOL).slot(order.key).lot
            assert lot is not None
            assert order.quantity - order.booked == lot.quantity
        covered = {order.key for order in live}
        for key, lot in self.world.book.symbol(SYMBOL).lots():
            deferred = sign * lot.target > sign * 300_000 + 200 * ((view.price - sign * 300_000) // 200 + 3)
            assert key in covered or deferred

    @invariant()
    def with_sound_mail_what_rests_is_what_rule_9_wants(self) -> None:
        """Every level of the window has an entry or a lot; a hold has none."""
        view = self.world.window.view
        if not self.is_sound or self.lossy or view is None:
            return
        entries = {o.key.level for o in self.world.book.live_orders(SYMBOL) if o.purpose is Purpose.ENTRY and o.key}
        if self.is_held:
            assert not entries
            return
        held = {key.level for key, _ in self.world.book.symbol(SYMBOL).lots()}
        sign = self.world.sign
        top = (view.price - 20 - sign * 300_000) // 200
        wanted = set(range(top - 2, top + 1))
        assert wanted - held <= entries
        assert all(level >= top - 3 for level in entries)


BOUNDS = settings(max_examples=50, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck))
TestWindow = WindowMachine.TestCase
TestWindow.settings = BOUNDS
TestSlots = SlotsMachine.TestCase
TestSlots.settings = BOUNDS
