"""Which notices alarm, and how often the same trouble is said."""

from __future__ import annotations

from decimal import Decimal

import pytest

from actors.alert_digest import KEYS_MAX, Alarm, AlertKind, Digest, alarm_of
from actors.gateway.watching import Watching
from exchanges.desk.commands import Notice
from exchanges.desk.events import PlaceAnswered, Refused
from exchanges.errors import Refusal
from exchanges.port import Position


def notice(kind: str, text: str) -> Notice:
    return Notice(kind=kind, text=text, level="warning")


def alarm(key: str = "hold risk", text: str = "it fell") -> Alarm:
    return Alarm(kind=AlertKind.HALT, key=key, text=text)


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("hold", "hold risk on the account: 3 of 5 coins in danger", AlertKind.HALT),
        ("hold", "hold stop_loss on ETHUSDT: stop-loss, profit -3", AlertKind.HALT),
        ("hold", "hold reconcile on ETHUSDT: the venue says 0", AlertKind.MISMATCH),
        ("hold", "hold price on ETHUSDT: the probe differs", AlertKind.STALE_STREAM),
        ("hold", "hold order_stream on the account: the order stream is down", AlertKind.STALE_STREAM),
        ("hold", "hold order_stream on the account: starting: not confirmed yet", None),
        ("hold", "hold operator on the account: lunch", None),
        ("unexplained", "7 of equity is unexplained", AlertKind.MISMATCH),
        ("not_flat", "ETHUSDT: 3 steps are left", AlertKind.NOT_CLOSED),
        ("not_closed", "the stop (keep) is not through: 1 own orders are not known to be gone", AlertKind.NOT_CLOSED),
        ("stop_missing", "ETHUSDT: the exchange-side stop does not rest: -4130", AlertKind.REFUSED_ORDERS),
        ("stop_gone", "ETHUSDT: the exchange-side stop was taken away at the venue", AlertKind.MISMATCH),
        ("near_liquidation", "ETHUSDT is near its liquidation", AlertKind.NEAR_LIQUIDATION),
        ("refused_orders", "5 orders were refused", AlertKind.REFUSED_ORDERS),
        ("lifted", "hold risk on the account lifted: calm", None),
        ("entries_gone", "no entry is left", None),
    ],
)
def test_what_is_an_alarm(kind: str, text: str, expected: AlertKind | None) -> None:
    found = alarm_of(notice(kind, text))

    assert (found.kind if found is not None else None) is expected


def test_the_same_trouble_in_other_figures_is_the_same() -> None:
    first = alarm_of(notice("hold", "hold risk on the account: 3 of 5 coins"))
    again = alarm_of(notice("hold", "hold risk on the account: 4 of 5 coins"))
    other = alarm_of(notice("hold", "hold stop_loss on ETHUSDT: lost"))

    assert first is not None
    assert again is not None
    assert other is not None
    assert first.key == again.key != other.key


def test_the_first_is_said_at_once_and_the_rest_counted_until_it_is_time() -> None:
    digest = Digest(60)
    first = digest.take(alarm(), 0)
    assert first is not None
    assert first.body == "it fell"
    assert [digest.take(alarm(text=f"again {n}"), n) for n in (1, 2, 59)] == [None, None, None]
    assert digest.due(59.9) == []

    due = digest.due(60)

    assert [(one.count, one.body) for one in due] == [(3, "again 59 (3 times since it was last said)")]
    assert digest.due(61) == []
    assert digest.take(alarm(), 70) is None
    assert [one.count for one in digest.due(120)] == [1]


def test_trouble_that_comes_again_much_later_is_news() -> None:
    digest = Digest(60)
    digest.take(alarm(), 0)
    assert digest.due(60) == []
    assert digest.next_s() is None

    assert digest.take(alarm(), 61) is not None


def test_other_trouble_is_said_at_once() -> None:
    digest = Digest(60)

    assert digest.take(alarm("a"), 0) is not None
    assert digest.take(alarm("b"), 0) is not None


def test_what_is_remembered_is_bounded() -> None:
    digest = Digest(60)
    for number in range(3 * KEYS_MAX):
        assert digest.take(alarm(str(number)), number / 1000) is not None

    assert digest.take(alarm("0"), 1) is not None
    assert digest.take(alarm(str(3 * KEYS_MAX - 1)), 1) is None


def position(mark: str, liquidation: str | None, quantity: int = 5) -> Position:
    return Position(
        symbol="ETHUSDT",
        quantity=quantity,
        entry_price=Decimal(3_000),
        mark_price=Decimal(mark),
        unrealised=Decimal(0),
        liquidation=None if liquidation is None else Decimal(liquidation),
        leverage=5,
        is_isolated=False,
        venue_ms=1,
    )


def watching(said: list[Notice]) -> Watching:
    return Watching(near_liquidation=Decimal("0.1"), refused_orders=3, on_notice=said.append)


def test_a_near_liquidation_is_said_once_until_it_was_far() -> None:
    said: list[Notice] = []
    watch = watching(said)

    for mark in ("3000", "2701", "2700", "2650", "3000", "2700"):
        watch.on_positions([position(mark, "2430")])
    watch.on_positions([position("2700", None), position("2700", "2699", quantity=0)])

    assert [one.kind for one in said] == ["near_liquidation"] * 2
    assert "2700 is 10.00% from 2430" in said[0].text


def refused(refusal: Refusal) -> PlaceAnswered:
    return PlaceAnswered(client_id="a", outcome=Refused(refusal=refusal, code="-4003", message="no"))


def test_refused_orders_alarm_by_their_number_in_a_minute() -> None:
    said: list[Notice] = []
    watch = watching(said)

    for at_ms in (0, 1_000, 60_500, 61_100):  # never three in one minute
        watch.on_event(refused(Refusal.FILTER), at_ms)
    assert said == []
    for _ in range(5):
        watch.on_event(refused(Refusal.POST_ONLY_WOULD_TAKE), 62_000)
    assert said == []
    watch.on_event(refused(Refusal.MARGIN), 62_000)
    watch.on_event(refused(Refusal.MARGIN), 62_001)

    assert [one.kind for one in said] == ["refused_orders"]
    assert "-4003 no" in said[0].text
