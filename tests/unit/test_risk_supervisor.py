"""The supervisor: fails closed, recovers for any number of coins, lifts nothing but its own."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from grid.errors import ConfigError
from grid.holds import Hold, HoldCause
from risk.breakers import Drawdown
from risk.events import (
    CashMoved,
    CoinSeeded,
    CoinStreamDown,
    CoinStreamUp,
    EquityRead,
    HoldLifted,
    HoldPlaced,
    OperatorSaid,
    OperatorWord,
    SupervisorOutput,
    Tick,
    VenueErrors,
)
from risk.lease import Go
from risk.rules import DetectorKind, RiskRules
from risk.supervisor import Phase, Supervisor
from risk.trouble import Trouble
from tests.unit.risk_candles import MINUTE, candle, running, shock

COINS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT", "DOGEUSDT")


def rules(
    watch: tuple[str, ...] = COINS,
    *,
    trigger: int | None = None,
    recovery: int | None = None,
    min_hold_ms: int = 0,
    errors_max: int = 20,
    detector: DetectorKind = DetectorKind.FALL,
) -> RiskRules:
    return RiskRules(
        watch=watch,
        detector=detector,
        fall_window=3,
        average_window=3,
        stale_ms=15_000,
        trigger_symbols=trigger,
        recovery_symbols=recovery,
        min_hold_ms=min_hold_ms,
        errors_max=errors_max,
    )


def with_data(made: Supervisor, coins: tuple[str, ...], *, now_ms: int = 0) -> list[SupervisorOutput]:
    """Three closed candles and a calm running one for each coin."""
    outputs: list[SupervisorOutput] = []
    for coin in coins:
        outputs += made.handle(CoinStreamUp(symbol=coin), now_ms)
        for place in range(3):
            outputs += made.handle(candle(place, symbol=coin), now_ms)
        outputs += made.handle(running(3, symbol=coin), now_ms)
    return outputs


def going(rules_: RiskRules, *, drawdown: Drawdown | None = None) -> Supervisor:
    made = Supervisor(rules_, incarnation=1, drawdown=drawdown)
    if drawdown is not None:
        made.handle(EquityRead(equity=Decimal(1000)), 0)
    with_data(made, rules_.watch)
    assert made.state().phase is Phase.GO
    return made


def shocked(made: Supervisor, coins: tuple[str, ...], *, now_ms: int = 1) -> list[SupervisorOutput]:
    return [output for coin in coins for output in made.handle(shock(3, symbol=coin), now_ms)]


def placed(outputs: list[SupervisorOutput]) -> list[HoldCause]:
    return [o.hold.cause for o in outputs if isinstance(o, HoldPlaced) and not o.is_repeat]


def lifted(outputs: list[SupervisorOutput]) -> list[HoldCause]:
    return [o.cause for o in outputs if isinstance(o, HoldLifted)]


def grants(outputs: list[SupervisorOutput]) -> list[Go]:
    return [o for o in outputs if isinstance(o, Go)]


def test_before_there_are_data_there_is_no_go_however_long_the_clock_runs() -> None:
    made = Supervisor(rules(), incarnation=1)

    outputs = [o for now_ms in range(0, 120_000, 500) for o in made.handle(Tick(), now_ms)]

    assert not grants(outputs)
    assert made.state().phase is Phase.WAITING
    assert "5 of 5 coins in danger" in made.state().reason


def test_the_first_go_comes_with_the_data_and_at_once() -> None:
    made = Supervisor(rules(), incarnation=7)

    outputs = with_data(made, COINS)

    assert grants(outputs)[0] == Go(number=1, incarnation=7)
    assert not lifted(outputs)


def test_the_lease_is_renewed_every_two_seconds() -> None:
    made = going(rules())

    renewed = [now_ms for now_ms in range(0, 10_001, 250) if grants(list(made.handle(Tick(), now_ms)))]

    assert renewed == [2_000, 4_000, 6_000, 8_000, 10_000]


def test_one_coin_fewer_than_the_trigger_does_not_halt_and_the_last_one_does() -> None:
    made = going(rules(trigger=4))
    assert not placed(shocked(made, COINS[:3]))

    outputs = made.handle(shock(3, symbol=COINS[3]), 1)

    assert placed(list(outputs)) == [HoldCause.RISK]
    assert not grants(list(outputs))
    hold = next(o for o in outputs if isinstance(o, HoldPlaced))
    assert "4 of 5 coins in danger, 4 halt (anomalous: BTCUSDT, ETHUSDT, SOLUSDT, XRPUSDT)" in hold.hold.reason
    assert dict(hold.evidence)["BTCUSDT"].startswith("low 96 4.00% under the highest of 3 closes")
    assert len(hold.evidence) == 5


def test_a_coin_without_candles_counts_towards_the_trigger() -> None:
    made = Supervisor(rules(trigger=4), incarnation=1)
    with_data(made, COINS[:4])
    assert made.state().phase is Phase.GO

    assert placed(shocked(made, COINS[:3])) == [HoldCause.RISK]


def test_a_first_go_needs_as_many_known_coins_as_a_recovery() -> None:
    made = Supervisor(rules(trigger=5, recovery=3), incarnation=1)

    assert not grants(with_data(made, COINS[:2]))
    assert len(grants(with_data(made, COINS[2:3]))) == 1


def test_a_coin_that_falls_silent_counts_towards_the_trigger() -> None:
    made = going(rules(trigger=5))
    shocked(made, COINS[:4], now_ms=10_000)

    assert not placed(list(made.handle(Tick(), 15_000)))
    outputs = list(made.handle(Tick(), 15_001))

    assert placed(outputs) == [HoldCause.RISK]
    assert "stale: DOGEUSDT" in made.state().reason


def test_all_streams_dead_halt_by_themselves() -> None:
    made = going(rules())
    for coin in COINS:
        made.handle(CoinStreamDown(symbol=coin, reason="cut"), 1)

    assert placed([o for now_ms in range(1, 17_000, 1000) for o in made.handle(Tick(), now_ms)]) == [HoldCause.RISK]


def test_while_halted_no_lease_is_renewed_and_the_hold_is_told_again() -> None:
    made = going(rules(trigger=4))
    shocked(made, COINS[:4])

    outputs = [o for now_ms in range(1, 14_000, 500) for o in made.handle(Tick(), now_ms)]

    assert not grants(outputs)
    repeats = [o for o in outputs if isinstance(o, HoldPlaced)]
    assert len(repeats) >= 6
    assert all(o.is_repeat for o in repeats)


def calm_closes(made: Supervisor, coins: tuple[str, ...], *, now_ms: int, start: int = 3) -> list[SupervisorOutput]:
    """Close the shock, then a candle above the mean with usual volume."""
    outputs: list[SupervisorOutput] = []
    for coin in coins:
        outputs += made.handle(shock(start, symbol=coin, is_closed=True), now_ms)
        outputs += made.handle(candle(start + 1, symbol=coin, close="101"), now_ms)
    return outputs


def test_recovery_needs_its_own_count_of_coins_and_then_goes_on_at_once() -> None:
    made = going(rules(trigger=4, recovery=3))
    shocked(made, COINS[:4])

    assert not lifted(calm_closes(made, COINS[:2], now_ms=1000))
    outputs = calm_closes(made, COINS[2:3], now_ms=1000)

    assert lifted(outputs) == [HoldCause.RISK]
    assert len(grants(outputs)) == 1


def test_a_halt_lasts_its_minimum_time() -> None:
    made = going(rules(trigger=4, min_hold_ms=5_000))
    shocked(made, COINS[:4], now_ms=1_000)

    assert not lifted(calm_closes(made, COINS, now_ms=5_999))
    assert lifted(list(made.handle(Tick(), 6_000))) == [HoldCause.RISK]


def test_the_calm_candle_before_the_halt_is_no_recovery() -> None:
    made = Supervisor(rules(trigger=4), incarnation=1)
    for coin in COINS:
        made.handle(CoinStreamUp(symbol=coin), 0)
        for place in range(3):
            made.handle(candle(place, symbol=coin), 0)
        made.handle(candle(3, symbol=coin, close="101"), 0)
    for coin in COINS[:4]:
        made.handle(running(4, symbol=coin, close="96", volume="40"), 1)
    assert made.state().phase is Phase.HALTED

    # The price comes back within the same minute: the shock is over on paper only.
    for coin in COINS[:4]:
        back = replace(running(4, symbol=coin, close="105", volume="41"), low=Decimal(96))
        assert not lifted(list(made.handle(back, 2)))


def test_a_dead_coin_does_not_count_as_recovered() -> None:
    made = going(rules(("BTCUSDT", "ETHUSDT"), trigger=2, recovery=2))
    shocked(made, ("BTCUSDT", "ETHUSDT"))
    made.handle(CoinStreamDown(symbol="ETHUSDT", reason="cut"), 2)

    assert not lifted(calm_closes(made, ("BTCUSDT", "ETHUSDT"), now_ms=3))
    assert lifted(list(made.handle(CoinStreamUp(symbol="ETHUSDT"), 4))) == [HoldCause.RISK]


@pytest.mark.parametrize("detector", DetectorKind)
@pytest.mark.parametrize("count", range(1, 8))
def test_with_the_defaults_any_number_of_coins_can_halt_and_recover(count: int, detector: DetectorKind) -> None:
    watch = tuple(f"COIN{place}USDT" for place in range(count))
    made = going(rules(watch, detector=detector))

    assert placed(shocked(made, watch)) == [HoldCause.RISK]
    assert lifted(calm_closes(made, watch, now_ms=1000)) == [HoldCause.RISK]


@pytest.mark.parametrize(("key", "value"), [("trigger_symbols", 0), ("trigger_symbols", 3), ("recovery_symbols", 3)])
def test_counts_that_can_never_be_met_are_refused_by_name(key: str, value: int) -> None:
    with pytest.raises(ConfigError, match=rf"risk\.{key} = {value}: 1 to 2, since 2 coins are watched"):
        RiskRules(
            watch=("BTCUSDT", "ETHUSDT"),
            trigger_symbols=value if key == "trigger_symbols" else None,
            recovery_symbols=value if key == "recovery_symbols" else None,
        )


@pytest.mark.parametrize(("count", "expected"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (8, 5)])
def test_the_default_trigger_is_a_majority_of_the_coins(count: int, expected: int) -> None:
    assert RiskRules(watch=tuple(str(place) for place in range(count))).triggers == expected


def test_a_risk_recovery_never_lifts_an_operators_halt() -> None:
    made = going(rules(trigger=4))
    made.handle(OperatorSaid(word=OperatorWord.HALT, reason="lunch"), 0)
    shocked(made, COINS[:4])

    assert lifted(calm_closes(made, COINS, now_ms=1000)) == [HoldCause.RISK]
    assert [hold.cause for hold in made.state().holds] == [HoldCause.OPERATOR]


def test_an_operators_resume_never_lifts_a_risk_halt() -> None:
    made = going(rules(trigger=4))
    shocked(made, COINS[:4])

    assert not lifted(list(made.handle(OperatorSaid(word=OperatorWord.RESUME, reason=""), 2)))
    assert made.state().phase is Phase.HALTED


def test_a_restart_takes_over_a_hold_and_lifts_it_by_a_true_recovery_only() -> None:
    held = Hold(cause=HoldCause.RISK, symbol="", reason="crash", since_ms=5)
    made = Supervisor(rules(), incarnation=2, holds=(held,))

    assert not lifted(with_data(made, COINS))
    assert made.state().phase is Phase.HALTED
    outputs = [o for coin in COINS for o in made.handle(candle(3, symbol=coin, close="101"), 10)]

    assert lifted(outputs) == [HoldCause.RISK]


def test_a_start_into_a_crash_halts_instead_of_waiting_it_out() -> None:
    made = Supervisor(rules(trigger=4), incarnation=1)
    outputs: list[SupervisorOutput] = []
    for coin in COINS:
        made.handle(CoinStreamUp(symbol=coin), 0)
        candles = (*(candle(place, symbol=coin) for place in range(3)), shock(3, symbol=coin))
        outputs += made.handle(CoinSeeded(symbol=coin, candles=candles, venue_ms=3 * MINUTE + 1), 0)

    assert placed(outputs) == [HoldCause.RISK]
    assert not grants(outputs)


def test_too_many_venue_errors_hold_and_fewer_lift() -> None:
    made = going(rules(errors_max=4))
    assert not placed(list(made.handle(VenueErrors(count=4), 1_000)))

    assert placed(list(made.handle(VenueErrors(count=1), 2_000))) == [HoldCause.RISK]
    assert made.state().troubles == (Trouble.ERRORS,)
    outputs = [
        output
        for now_ms in range(10_000, 70_001, 10_000)
        for coin in COINS
        for output in made.handle(running(3, symbol=coin), now_ms)
    ]

    assert lifted(outputs) == [HoldCause.RISK]


def test_a_drawdown_is_a_stop_loss_hold_that_only_the_operator_lifts() -> None:
    made = going(rules(), drawdown=Drawdown(fraction=Decimal("0.1")))
    assert not placed(list(made.handle(EquityRead(equity=Decimal("900.01")), 1)))

    assert placed(list(made.handle(EquityRead(equity=Decimal(900)), 2))) == [HoldCause.STOP_LOSS]
    assert not lifted(list(made.handle(EquityRead(equity=Decimal(2000)), 3)))
    assert not lifted(list(made.handle(OperatorSaid(word=OperatorWord.RESUME, reason=""), 4)))
    said = OperatorSaid(word=OperatorWord.CLEAR_STOP_LOSS, reason="looked at it")
    assert lifted(list(made.handle(said, 5))) == [HoldCause.STOP_LOSS]
    assert not placed(list(made.handle(EquityRead(equity=Decimal(900)), 6)))
    assert placed(list(made.handle(EquityRead(equity=Decimal(810)), 7))) == [HoldCause.STOP_LOSS]


def test_a_withdrawal_is_no_drawdown() -> None:
    made = going(rules(), drawdown=Drawdown(fraction=Decimal("0.1")))

    made.handle(CashMoved(amount=Decimal(-500)), 1)

    assert not placed(list(made.handle(EquityRead(equity=Decimal(500)), 1)))


def test_an_equity_that_is_not_known_is_no_go() -> None:
    made = Supervisor(rules(), incarnation=1, drawdown=Drawdown(fraction=Decimal("0.1")))

    assert not grants(with_data(made, COINS))
    assert grants(list(made.handle(EquityRead(equity=Decimal(1000)), 1)))


def test_a_go_never_rests_on_readings_that_went_stale_between_two_ticks() -> None:
    made = going(rules(trigger=5, recovery=1, errors_max=2))
    made.handle(VenueErrors(count=3), 1_000)

    outputs = made.handle(VenueErrors(count=0), 90_000)

    assert not lifted(list(outputs))
    assert not grants(list(outputs))


def test_a_coin_that_is_not_watched_changes_nothing() -> None:
    made = going(rules(("BTCUSDT",)))
    before = made.state()

    made.handle(shock(3, symbol="ETHUSDT"), 1)

    assert made.state() == before
