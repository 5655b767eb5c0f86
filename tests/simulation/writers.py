"""Who has written, who may, and who believes that he may, by the rule of trading rule 22 and in true time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from actors.virtual.agenda import EPOCH_MS
from actors.virtual.deployment import Deployment
from actors.virtual.leases import VirtualLeases
from actors.virtual.settings import OwnershipPlan
from actors.virtual.stamp import Stamp
from actors.virtual.world import World
from grid.book import Book
from grid.snapshot import to_snapshot

ROUNDING_MS = 2
STOPS_WITHIN_MS = 6_000
"""A renewal, its patience, and a tick."""


class Writers:
    """The hosts that share an account. `lost` counts what the desk decided and nobody wrote down."""

    def __init__(self, world: World, lost: Callable[[], int]) -> None:
        self._world = world
        self._lost = lost
        self._complaints: list[str] = []
        self._newest: dict[str, int] = {}
        """By host: the highest owner epoch of a write that the venue took."""
        self._book: Book | None = None
        """Of the gateway that took over last."""
        self._lost_then = 0
        self._stale_ms: dict[str, int] = {}
        """By host: since when its gateway is awake with an owner epoch that is no longer the highest."""
        self.take_overs = 0
        if world.leases is not None:
            world.venue.on_write = self._on_write
            world.on_begun = self._on_begun

    def breaches(self) -> Iterator[str]:
        """Yield a sentence for every breach since the last look, and for each that stands."""
        yield from self._complaints
        self._complaints.clear()
        plan, leases = self._world.settings.ownership, self._world.leases
        assert plan is not None
        assert leases is not None
        begun = [one for one in self._world.deployments if one.gateway is not None]
        may = [one.name for one in begun if one.owner is not None and one.owner.may_send()]
        if len(may) > 1:
            yield f"one_writer_at_a_time: {' and '.join(may)} may write"
        epochs = [one.gateway.owner_epoch for one in begun if one.gateway is not None and one.gateway.owner_epoch]
        if len(set(epochs)) < len(epochs):
            yield f"each_owner_has_its_epoch: {' and '.join(one.name for one in begun)} are both owner {epochs[0]}"
        for one in begun:
            yield from self._beliefs(one, plan, leases)
            yield from self._stale(one, leases)

    def _beliefs(self, one: Deployment, plan: OwnershipPlan, leases: VirtualLeases) -> Iterator[str]:
        """Nobody means to send so late that another may own before the venue has refused it."""
        owner = one.owner
        if owner is None or not owner.may_send():
            return
        silent_ms = owner.silent_in_ms() * 1_000_000 // (1_000_000 + one.clock.rate_ppm)
        last_ms = self._world.agenda.now_ms + silent_ms + plan.terms.recv_window_ms
        ends_ms = self._ends_ms(owner.token, leases)
        if last_ms > ends_ms + ROUNDING_MS:
            yield f"nobody_sends_up_to_its_end: {one.name} may be heard up to {last_ms}, its lease ends at {ends_ms}"

    def _stale(self, one: Deployment, leases: VirtualLeases) -> Iterator[str]:
        """Who was replaced, is awake and reaches the store stops by himself, soon."""
        gateway, process, now_ms = one.gateway, one.process, self._world.agenda.now_ms
        is_stale = gateway is not None and 0 < gateway.owner_epoch < self._world.shared_journal.owner_epoch
        is_cut = leases.is_down or one.name in leases.cut
        if not is_stale or process is None or process.is_stopped or is_cut:
            self._stale_ms.pop(one.name, None)
            return
        since_ms = self._stale_ms.setdefault(one.name, now_ms)
        if now_ms - since_ms > STOPS_WITHIN_MS:
            yield f"a_stale_owner_stops_itself: {one.name} is replaced, awake since {since_ms}, and still there"

    def _on_write(self, stamp: Stamp) -> None:
        for host, epoch in self._newest.items():
            if host != stamp.host and epoch > stamp.owner_epoch:
                self._complaints.append(
                    f"writes_come_in_the_order_of_owners: the venue took one of owner {stamp.owner_epoch} "
                    f"({stamp.host}) after one of owner {epoch} ({host})"
                )
        self._newest[stamp.host] = max(stamp.owner_epoch, self._newest.get(stamp.host, 0))

    def _on_begun(self, former: Deployment, new: Deployment) -> None:
        assert new.gateway is not None
        book, is_whole = new.gateway.desk.book, self._lost_then == self._lost()
        if former is not new:
            self.take_overs += 1
            self._judge_waiting(new)
        if self._book is not None and is_whole and to_snapshot(book) != to_snapshot(self._book):
            self._complaints.append(
                f"lots_costs_and_profit_go_on: {new.name} begins with another book than {former.name} had"
            )
        self._book, self._lost_then = book, self._lost()

    def _judge_waiting(self, new: Deployment) -> None:
        """Who begins has waited out every lease of the others, and what they may have sent to its end."""
        plan, leases, now_ms = self._world.settings.ownership, self._world.leases, self._world.agenda.now_ms
        assert plan is not None
        assert leases is not None
        for token in leases.ends_ms:
            is_other = token.partition(".")[0] != new.name
            clear_ms = self._ends_ms(token, leases) + plan.terms.recv_window_ms
            if is_other and now_ms < clear_ms:
                self._complaints.append(
                    f"who_takes_over_has_waited: {new.name} begins at {now_ms}, {token} may be heard up to {clear_ms}"
                )

    @staticmethod
    def _ends_ms(token: str, leases: VirtualLeases) -> int:
        """Return when a lease ends in true time, by the store's clock as it is now."""
        return leases.ends_ms.get(token, 0) - leases.step_ms - EPOCH_MS
