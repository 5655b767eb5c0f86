"""Levels against their definition: the highest level at or under a price, found by looking at all of them."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st

from grid.client_id import ClientId, decode
from grid.ladder import GridSide, Ladder, Spacing
from grid.lot import Lot, add_fees
from grid.order import Purpose
from grid.sizing import is_valid_opening, smallest_amount, steps_for
from tests.grid_world import instrument

LETTERS = st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
IDS = st.builds(
    ClientId,
    journal=st.text(LETTERS, min_size=4, max_size=4),
    symbol=st.sampled_from(["ETHUSDT", "BTCUSDT", "1000PEPEUSDT"]),
    generation=st.integers(0, 62**2 - 1),
    level=st.integers(-(62**4) // 2, 62**4 // 2 - 1),
    purpose=st.sampled_from(Purpose),
    owner_epoch=st.integers(0, 62**3 - 1),
    sequence=st.integers(0, 62**5 - 1),
)


@st.composite
def ladders(draw: st.DrawFn) -> Ladder:
    side, spacing = draw(st.sampled_from(GridSide)), draw(st.sampled_from(Spacing))
    ratio = Decimal(draw(st.integers(10_020, 12_000))) / 10_000
    return Ladder(
        symbol="X",
        generation=1,
        side=side,
        spacing=spacing,
        anchor=draw(st.integers(2_000, 400_000)),
        interval=draw(st.integers(2, 500)),
        ratio=ratio,
    )


@given(ladders(), st.integers(-40, 40), st.integers(0, 10_000))
def test_floor_and_ceiling_are_what_their_definitions_say(levels: Ladder, index: int, share: int) -> None:
    price = levels.at(index) + levels.gap(index) * share // 10_000
    reach = range(index - 3, index + 3)
    assume(all(levels.gap(i) >= 2 for i in reach))  # levels of one price, or a tick apart, are no ladder

    floor, ceiling = levels.floor(price), levels.ceiling_for_entries(price)

    assert floor == max(i for i in reach if levels.at(i) <= price)
    assert ceiling == max(i for i in reach if levels.at(i) <= price - max(1, -(-levels.gap(i) // 10)))


@given(ladders(), st.integers(-40, 40))
def test_a_plain_price_is_the_oriented_one_by_the_sides_sign(levels: Ladder, index: int) -> None:
    assert levels.price(index) == levels.side.sign * levels.at(index)
    assert levels.gap(index) == levels.at(index + 1) - levels.at(index)
    assert levels.at(0) == levels.side.sign * levels.anchor


@given(
    st.decimals("0.01", 100_000, places=2),
    st.integers(1, 10_000_000),
    st.sampled_from(["0.1", "0.5", "5", "1e-8"]),
    st.sampled_from(["0.001", "1", "0.01"]),
)
def test_no_order_exceeds_the_amount_and_one_step_more_would(amount: Decimal, price: int, tick: str, step: str) -> None:
    rules = instrument(tick=Decimal(tick), step=Decimal(step))

    quantity = steps_for(amount, price, rules)

    assert rules.notional(price, quantity) <= amount < rules.notional(price, quantity + 1)


@given(st.integers(1, 10_000_000), st.integers(1, 50), st.integers(0, 200))
def test_the_smallest_amount_named_works_and_less_does_not(price: int, quantity_min: int, notional_min: int) -> None:
    rules = instrument(quantity_min=quantity_min, notional_min=Decimal(notional_min), quantity_max=10**18)

    works = smallest_amount(price, rules)

    assert is_valid_opening(steps_for(works, price, rules), price, rules)
    assert not is_valid_opening(steps_for(works - Decimal("1e-9"), price, rules), price, rules)


@given(IDS)
def test_an_id_survives_the_way_to_the_venue_and_back(identity: ClientId) -> None:
    text = identity.encode()

    assert decode(text, identity.symbol) == identity
    assert len(text) <= 28
    assert text.isascii()
    assert text.isalnum()
    assert text[0] != "t"


@given(IDS, IDS)
def test_two_ids_are_the_same_only_if_all_they_say_is(left: ClientId, right: ClientId) -> None:
    assert (left.encode() == right.encode()) is (left == right)


@given(st.text(max_size=30))
def test_foreign_text_is_never_taken_for_ours(text: str) -> None:
    assert decode(text, "ETHUSDT") is None


@given(
    st.integers(2, 10**6),
    st.decimals("0.00000001", 10**9, places=8),
    st.decimals(-100, 100, places=8),
    st.data(),
)
def test_a_lot_taken_apart_piece_by_piece_loses_nothing(
    quantity: int, cost: Decimal, funding: Decimal, data: st.DataObject
) -> None:
    whole = Lot(quantity=quantity, cost=cost, target=1, fees=(("USDT", cost / 1000),), funding=funding)
    pieces: list[Lot] = []
    rest: Lot | None = whole
    while rest is not None:
        leaving, rest = rest.split(data.draw(st.integers(max(1, rest.quantity // 3), rest.quantity)))
        pieces.append(leaving)

    fees = pieces[0].fees
    for piece in pieces[1:]:
        fees = add_fees(fees, piece.fees)
    assert sum(piece.quantity for piece in pieces) == quantity
    assert sum((piece.cost for piece in pieces), Decimal(0)) == cost
    assert sum((piece.funding for piece in pieces), Decimal(0)) == funding
    assert dict(fees) == dict(whole.fees)
