"""The checks before a start: what refuses, what warns, and that the number each names works."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from grid.decision import pays
from grid.ladder import GridSide, Spacing
from risk.liquidation import (
    bound,
    full_ladder,
    is_inside,
    liquidation_price,
    lots_that_work,
    maintenance,
    wallet_needed,
)
from risk.plan import AccountPlan, Finding, Severity, SymbolPlan
from risk.prestart import check_start, required_margin
from risk.prestart_levels import amount_range, paying_below, round_trip_profit
from risk.stop_rule import StopRule
from tests.unit.risk_plans import RICH, TIERS, btc, eth


def refusals(account: AccountPlan, symbols: Sequence[SymbolPlan]) -> dict[str, Finding]:
    return {f.key: f for f in check_start(account, symbols) if f.severity is Severity.REFUSE}


def warnings(account: AccountPlan, symbols: Sequence[SymbolPlan]) -> list[Finding]:
    return [f for f in check_start(account, symbols) if f.severity is Severity.WARN]


def named(finding: Finding, pattern: str) -> Decimal:
    match = re.search(pattern, finding.rule)
    assert match is not None, finding.sentence
    return Decimal(match[1])


def test_a_sound_start_finds_nothing() -> None:
    assert check_start(RICH, [eth()]) == []


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"can_trade": False}, "account.can_trade"),
        ({"is_one_way": False}, "account.position_mode"),
        ({"is_multi_asset": True}, "account.multi_assets_mode"),
    ],
)
def test_a_mode_that_the_grid_cannot_work_in_refuses(change: dict[str, bool], key: str) -> None:
    assert list(refusals(replace(RICH, **change), [eth()])) == [key]  # type: ignore[arg-type]


def test_required_margin_is_the_documented_formula() -> None:
    plan = eth(amount="300", max_lots=20, leverage=5)
    lots = [2998 - 2 * place for place in range(20)]
    quantity = sum(Decimal(300_000 // level) / 1000 for level in lots)  # 0.100 each, from 2970 down 0.101
    upkeep = quantity * lots[-1] * Decimal("0.004")

    assert full_ladder(plan, 20).quantity == quantity
    assert required_margin([plan]) == (20 * Decimal(300) / 5 + upkeep) * Decimal("1.2")
    assert required_margin([plan, plan]) == 2 * required_margin([plan])


def test_a_balance_under_the_required_margin_is_refused_and_the_named_one_works() -> None:
    poor = replace(RICH, wallet=Decimal(1000), required_positions=1)
    finding = refusals(poor, [eth()])["account.balance"]
    works = named(finding, r"margin of ([\d.]+) is required")

    assert "account.balance" not in refusals(replace(poor, wallet=works), [eth()])
    assert "account.balance" in refusals(replace(poor, wallet=works - Decimal("0.01")), [eth()])


def test_unrealised_loss_counts_in_the_balance() -> None:
    account = replace(RICH, wallet=Decimal(5000), unrealised=Decimal(-4500), required_positions=1)

    assert "account.balance" in refusals(account, [eth()])


def test_a_leverage_over_the_limit_is_refused() -> None:
    assert "at most 10" in refusals(RICH, [eth(leverage=11)])["symbols[ETHUSDT].leverage"].rule


def test_a_leverage_that_the_venue_does_not_allow_for_the_position_is_refused() -> None:
    loose = replace(RICH, max_leverage=125, wallet=Decimal(10_000_000), max_notional=Decimal(10**9))
    plan = eth(amount="60000", max_lots=10, leverage=60)

    assert "a leverage of at most 50" in refusals(loose, [plan])["symbols[ETHUSDT].leverage"].rule


def test_too_few_affordable_positions_refuse_by_the_seeds_formula() -> None:
    # balance x leverage / amount = 6000 x 5 / 300 = 100
    account = replace(RICH, wallet=Decimal(6000))
    assert "risk.required_positions" not in refusals(account, [eth()])
    finding = refusals(replace(account, wallet=Decimal("5999.99")), [eth()])["risk.required_positions"]
    assert finding.value == "99 affordable"
    assert named(finding, r"need a balance of ([\d.]+)") == 6000


def test_positions_of_several_symbols_share_the_balance() -> None:
    account = replace(RICH, wallet=Decimal("11999.99"))

    assert "risk.required_positions" in refusals(account, [eth(), eth()])


@pytest.mark.parametrize(("anchor", "pays"), [(499_900, True), (501_000, False)])
def test_two_usdt_pay_only_under_4999_at_two_hundredths_of_a_percent(anchor: int, pays: bool) -> None:
    plan = eth(anchor=anchor, amount="5000", max_lots=5)
    assert paying_below(plan) == 4999

    found = refusals(RICH, [plan])

    assert ("symbols[ETHUSDT].interval" in found) is not pays


def test_a_level_that_earns_exactly_its_fees_does_not_pay() -> None:
    plan = eth(anchor=499_900, amount="5000")

    assert round_trip_profit(plan, 0) == 0
    assert not pays(plan.ladder, 0, plan.policy.maker_fee)
    assert pays(plan.ladder, -1, plan.policy.maker_fee)


def test_the_interval_named_where_a_grid_does_not_pay_works() -> None:
    plan = eth(anchor=600_000, amount="6000", max_lots=5)
    finding = refusals(RICH, [plan])["symbols[ETHUSDT].interval"]
    assert "pays only under 4999" in finding.rule
    ticks = int(named(finding, r"an interval of ([\d.]+) works") * 100)

    assert "symbols[ETHUSDT].interval" not in refusals(RICH, [eth(anchor=600_000, amount="6000", interval=ticks)])
    assert "symbols[ETHUSDT].interval" in refusals(
        RICH, [eth(anchor=600_000, amount="6000", interval=ticks - 2, max_lots=5)]
    )


def test_the_profit_of_the_worked_example_is_exact() -> None:
    # B2996 -> S2998 at 0.010: 0.020 gross, 0.011988 fees
    plan = eth(amount="30")

    assert round_trip_profit(plan, -2) == Decimal("0.008012")


def test_a_geometric_grid_that_does_not_pay_names_a_ratio() -> None:
    plan = eth()
    ladder = replace(plan.ladder, spacing=Spacing.GEOMETRIC, ratio=Decimal("1.0003"))

    finding = refusals(RICH, [replace(plan, ladder=ladder)])["symbols[ETHUSDT].ratio"]

    assert named(finding, r"a ratio above ([\d.]+) works") == Decimal("1.000400")


def test_110_usdt_of_btc_are_valid_only_from_100000_to_110000() -> None:
    assert amount_range(btc(amount="110", reference=1_050_000), 1_050_000) == (Decimal(100_000), Decimal(110_000))
    assert amount_range(btc(amount="110", reference=900_000), 900_000) is None


def test_far_down_where_steps_are_fine_the_range_has_no_hole() -> None:
    reach = amount_range(btc(amount="110", reference=50_000), 50_000)

    assert reach is not None
    assert reach[0] < 1
    assert reach[1] == Decimal(110) / Decimal("0.010")  # from 10 steps on 110 x n / (n + 1) >= 100


def test_an_amount_that_buys_nothing_in_the_window_refuses_and_the_named_one_works() -> None:
    plan = btc(amount="110", reference=1_200_000)
    finding = refusals(RICH, [plan])["symbols[BTCUSDT].amount"]
    works = named(finding, r"an amount of ([\d.]+) works")

    assert "symbols[BTCUSDT].amount" not in refusals(RICH, [btc(amount=str(works), reference=1_200_000)])


def test_an_amount_that_fails_only_farther_off_warns_with_the_range() -> None:
    plan = btc(amount="110", reference=1_006_000)

    assert "symbols[BTCUSDT].amount" not in refusals(RICH, [plan])
    assert any("valid from 100000 to 110000" in finding.rule for finding in warnings(RICH, [plan]))


def test_small_orders_and_a_short_rest_warn() -> None:
    plan = eth(amount="30")
    plan = replace(plan, policy=replace(plan.policy, min_rest_ms=4_999))

    rules = [finding.sentence for finding in warnings(RICH, [plan])]

    assert any("count as dust orders" in rule for rule in rules)
    assert any("min_rest_s = 4.999" in rule for rule in rules)


def test_lots_ten_percent_smaller_above_3000_are_named() -> None:
    found = [f.rule for f in warnings(RICH, [eth(amount="30")]) if "smaller at" in f.rule]

    assert len(found) == 1
    assert "10% smaller" in found[0]
    assert "0.009 is 27.018000 at 3002.00" in found[0] or "0.009 is 27.01800 at 3002.00" in found[0]


def test_a_cap_under_all_lots_together_warns() -> None:
    account = replace(RICH, max_notional=Decimal(5999))

    assert [f.key for f in warnings(account, [eth()])] == ["account.max_notional"]


def test_a_position_against_the_grid_refuses_and_one_with_it_counts_as_lots() -> None:
    assert (
        "stands against the long grid"
        in refusals(RICH, [replace(eth(), position=-1)])["symbols[ETHUSDT].position"].rule
    )
    held = replace(eth(), position=500, entry_price=Decimal(3100))

    assert held.lots_held == 5
    assert len(held.levels_to_buy(20)) == 15
    assert full_ladder(held, 20).cost > full_ladder(eth(), 20).cost


def test_a_position_that_fills_max_lots_warns() -> None:
    held = replace(eth(), position=2000, entry_price=Decimal(3000))

    assert any("nothing is bought" in f.rule for f in warnings(RICH, [held]))


def equity_less_maintenance(plan: SymbolPlan, lots: int, wallet: Decimal, price: Decimal) -> Decimal:
    """Computed anew from every buy, without the closed formula."""
    full = full_ladder(plan, lots)
    profit = (full.quantity * price - full.cost) * plan.sign
    return wallet + profit - maintenance(TIERS, full.quantity * price)


@pytest.mark.parametrize("side", list(GridSide))
@pytest.mark.parametrize(
    ("amount", "lots", "wallet"), [("300", 20, "700"), ("3000", 100, "60000"), ("6000", 90, "99999")]
)
def test_at_the_liquidation_price_equity_equals_maintenance(
    side: GridSide, amount: str, lots: int, wallet: str
) -> None:
    plan = eth(amount=amount, max_lots=lots, side=side)

    price = liquidation_price(plan, lots, Decimal(wallet))

    assert price is not None
    assert abs(equity_less_maintenance(plan, lots, Decimal(wallet), price)) < Decimal("0.000001")


def test_a_liquidation_inside_the_ladder_plus_five_percent_refuses_and_the_named_numbers_work() -> None:
    plan = eth(amount="300", max_lots=100, leverage=10)
    account = replace(RICH, wallet=Decimal(2000), required_positions=1)
    finding = refusals(account, [plan])["symbols[ETHUSDT].max_lots"]
    fewer = int(named(finding, r"max_lots of at most (\d+) works"))
    wallet = named(finding, r"a wallet of ([\d.]+) works")

    assert "has to lie beyond" in finding.rule
    assert "symbols[ETHUSDT].max_lots" not in refusals(account, [eth(amount="300", max_lots=fewer, leverage=10)])
    assert "symbols[ETHUSDT].max_lots" in refusals(account, [eth(amount="300", max_lots=fewer + 1, leverage=10)])
    assert "symbols[ETHUSDT].max_lots" not in refusals(replace(account, wallet=wallet), [plan])
    assert "symbols[ETHUSDT].max_lots" in refusals(replace(account, wallet=wallet - 1), [plan])


def test_a_second_symbol_on_the_same_wallet_can_make_the_first_unsafe() -> None:
    plan = eth(amount="300", max_lots=100, leverage=10)
    enough = wallet_needed(plan, 100) + 1
    account = replace(RICH, wallet=enough, required_positions=1)
    assert "symbols[ETHUSDT].max_lots" not in refusals(account, [plan])

    second = btc(amount="3000", reference=1_000_000)

    assert (
        "of the wallet taken by the other symbols"
        in refusals(account, [plan, second])["symbols[ETHUSDT].max_lots"].rule
    )


def test_an_isolated_position_is_judged_by_its_own_margin() -> None:
    plan = replace(eth(amount="300", max_lots=150, leverage=10), is_isolated=True)

    finding = refusals(RICH, [plan])["symbols[ETHUSDT].max_lots"]
    leverage = int(named(finding, r"a leverage of at most (\d+) works"))

    assert not refusals(RICH, [replace(plan, leverage=leverage)])
    assert "symbols[ETHUSDT].max_lots" in refusals(RICH, [replace(plan, leverage=leverage + 1)])


def test_a_short_ladder_runs_upward_and_its_bound_lies_above() -> None:
    plan = eth(side=GridSide.SHORT)
    last = full_ladder(plan, 20).last_price

    assert last == 3040
    assert bound(plan, 20) == last * Decimal("1.05")
    assert is_inside(plan, 20, Decimal(100))
    assert not is_inside(plan, 20, Decimal(10_000))
    assert is_inside(plan, 20, Decimal(-10_000))


def test_an_existing_position_with_a_loss_brings_liquidation_nearer() -> None:
    clean, held = eth(), replace(eth(), position=500, entry_price=Decimal(4000))

    near = liquidation_price(held, 20, Decimal(1000))
    far = liquidation_price(clean, 20, Decimal(1000))

    assert near is not None
    assert far is not None
    assert near > far


def test_no_lots_work_on_an_empty_wallet_with_a_losing_position() -> None:
    held = replace(eth(), position=500, entry_price=Decimal(4000))

    assert lots_that_work(held, Decimal(0)) == 0


STOP = StopRule(distance=Decimal("0.05"))


def test_an_exchange_side_stop_between_ladder_and_liquidation_is_sound() -> None:
    assert check_start(RICH, [replace(eth(), stop=STOP)]) == []
    assert check_start(RICH, [replace(eth(side=GridSide.SHORT), stop=STOP)]) == []


@pytest.mark.parametrize(("side", "inside", "outside"), [(GridSide.LONG, 2961, 2959), (GridSide.SHORT, 3039, 3041)])
def test_one_inside_the_ladder_is_refused_and_one_just_beyond_works(side: GridSide, inside: int, outside: int) -> None:
    plan = eth(side=side)
    end = full_ladder(plan, 20).last_price
    key = "symbols[ETHUSDT].exchange_stop.price"

    assert (end - inside) * plan.sign < 0 < (end - outside) * plan.sign
    assert list(refusals(RICH, [replace(plan, stop=StopRule(price=Decimal(inside)))])) == [key]
    assert refusals(RICH, [replace(plan, stop=StopRule(price=Decimal(outside)))]) == {}


@pytest.mark.parametrize("side", GridSide)
def test_one_that_liquidation_would_forestall_is_refused_and_what_it_names_works(side: GridSide) -> None:
    plan = replace(eth(side=side, leverage=10), is_isolated=True)
    far = replace(plan, stop=StopRule(distance=Decimal("0.3")))
    finding = refusals(RICH, [far])["symbols[ETHUSDT].exchange_stop.distance"]
    works = named(finding, r"a distance under ([\d.]+)")

    assert refusals(RICH, [replace(plan, stop=StopRule(distance=works - Decimal("0.001")))]) == {}


def test_an_end_price_that_is_reached_already_is_named() -> None:
    plan = replace(eth(), stop_price=Decimal(3000), profit_price=Decimal(3001))

    [finding] = [one for one in warnings(RICH, [plan]) if "reached" in one.rule]
    assert finding.key == "symbols[ETHUSDT].stop_price"
    short = replace(eth(side=GridSide.SHORT), stop_price=Decimal(3001), profit_price=Decimal(3000))
    assert "take_profit_price" in next(one.key for one in warnings(RICH, [short]) if "reached" in one.rule)


def test_a_stop_price_beyond_liquidation_is_refused_and_the_named_side_works() -> None:
    poor = replace(RICH, wallet=Decimal(3000), required_positions=1)
    lying = replace(eth(), stop_price=Decimal(100))
    finding = refusals(poor, [lying])["symbols[ETHUSDT].stop_price"]
    works = named(finding, r"price above ([\d.]+) works")

    assert "symbols[ETHUSDT].stop_price" not in refusals(poor, [replace(lying, stop_price=works + 1)])
