"""Any book and any queue of wishes: the caps hold, and exits are never worse off than entries."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from grid.instrument import Instrument
from grid.order import OrderRequest, Side, TimeInForce
from risk.daily_loss import DailyLoss
from risk.limits import Admitted, Candidate, Evict, Idle, RestingOrder, Standing, admit
from risk.veto import Approved
from risk.wire_check import ClosingRoom, WireLimits, approve

CANDIDATES = st.lists(
    st.builds(
        Candidate, price=st.integers(2900, 3100), closing=st.booleans(), notional=st.integers(1, 50).map(Decimal)
    ),
    max_size=25,
)


@given(CANDIDATES, st.integers(0, 12), st.integers(0, 10), st.integers(0, 5), st.integers(0, 400))
def test_no_cap_is_ever_exceeded_however_the_wishes_come(
    wishes: list[Candidate], cap: int, max_lots: int, lots: int, notional_max: int
) -> None:
    standing = Standing(
        reference=3000,
        resting=(),
        lots=lots,
        max_lots=max_lots,
        order_cap=cap,
        account_notional=Decimal(0),
        account_notional_max=Decimal(notional_max),
    )
    notionals: dict[str, Decimal] = {}
    for number, wish in enumerate([*wishes, *reversed(wishes)]):
        answer = admit(wish, standing)
        if isinstance(answer, Evict):
            gone = set(answer.client_ids)
            evicted = [order for order in standing.resting if order.client_id in gone]
            assert len(evicted) == len(gone) > 0
            kept = [order for order in standing.resting if order.client_id not in gone]
            nearest_evicted = min(abs(order.price - 3000) for order in evicted)
            if not any(order.closing for order in evicted):
                assert all(order.closing or abs(order.price - 3000) <= nearest_evicted for order in kept)
                assert wish.closing or abs(wish.price - 3000) < nearest_evicted
            else:
                # An exit leaves for a nearer exit only, and only where no entry is left.
                assert wish.closing
                assert all(order.closing for order in standing.resting)
                assert all(abs(order.price - 3000) <= nearest_evicted for order in kept)
                assert abs(wish.price - 3000) < nearest_evicted
            standing = replace(
                standing, resting=kept, account_notional=sum((notionals[o.client_id] for o in kept), Decimal(0))
            )
            answer = admit(wish, standing)
            assert answer == Admitted()
        if isinstance(answer, Idle):
            assert answer.text
            # An exit waits only where exits alone fill the cap.
            assert not wish.closing or sum(order.closing for order in standing.resting) >= cap
            continue
        notionals[str(number)] = Decimal(0) if wish.closing else wish.notional
        order = RestingOrder(
            client_id=str(number), price=wish.price, closing=wish.closing, notional=notionals[str(number)]
        )
        standing = replace(
            standing,
            resting=[*standing.resting, order],
            account_notional=standing.account_notional + notionals[order.client_id],
        )

        assert len(standing.resting) <= cap
        if not wish.closing:
            assert lots + sum(not o.closing for o in standing.resting) <= max_lots
            assert standing.account_notional <= notional_max


ETH = Instrument(
    symbol="ETHUSDT",
    base="ETH",
    quote="USDT",
    tick=Decimal("0.01"),
    step=Decimal("0.001"),
    price_min=3986,
    price_max=30_000_000,
    quantity_min=1,
    quantity_max=10_000,
    notional_min=Decimal(20),
)
REQUESTS = st.builds(
    OrderRequest,
    symbol=st.just("ETHUSDT"),
    client_id=st.sampled_from(["g1", "t1", ""]),
    side=st.sampled_from(Side),
    price=st.one_of(st.integers(1, 40_000_000), st.integers(269_990, 330_010)),
    quantity=st.one_of(st.integers(0, 20), st.integers(0, 20_000)),
    closing=st.booleans(),
    time_in_force=st.sampled_from(TimeInForce),
)


@given(
    REQUESTS,
    st.integers(-40, 40),
    st.integers(-40, 40),
    st.integers(0, 10),
    st.one_of(st.none(), st.decimals("2500", "3500", places=2)),
)
def test_whatever_is_approved_is_within_every_bound(
    request: OrderRequest, lots: int, position: int, resting: int, mark: Decimal | None
) -> None:
    answer = approve(
        request,
        instrument=ETH,
        limits=WireLimits(amount=Decimal(60), mark_band=Decimal("0.1")),
        mark=mark,
        room=ClosingRoom(lots=lots, position=position, resting=resting),
        daily_loss=DailyLoss(limit=None),
    )

    if not isinstance(answer, Approved):
        assert answer.reason
        return
    price, notional = ETH.price(request.price), ETH.notional(request.price, request.quantity)
    assert request.quantity >= 1
    if request.closing:
        # Never more than would bring the position to zero, and never against what the lots say.
        assert (position + request.side.sign * request.quantity) * (1 if position > 0 else -1) >= 0
        assert request.quantity + resting <= min(abs(lots), abs(position))
        assert position * lots > 0
    else:
        assert 20 <= notional <= 60
        assert mark is not None
        assert abs(price - mark) <= mark * Decimal("0.1")
    if mark is not None:
        assert request.side is Side.SELL or price <= mark * Decimal("1.05")
        assert request.side is Side.BUY or price >= mark * Decimal("0.95")
