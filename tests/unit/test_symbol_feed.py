"""What a feed tells whom, and when a silent price is stale."""

from __future__ import annotations

import pytest

from actors.actor_names import SlotLayout
from actors.mail.messages import Alarms, FeedWord, PriceWanted
from actors.symbol_feed import GRACE_MS, RESTREAM_LAST_MS, FeedPhase, SymbolFeed
from grid.ladder import GridSide
from grid.order import Quote
from grid.window import Alarm, WindowChange
from tests.grid_setup import example_setup
from tests.post_office import PostOffice

LAYOUT = SlotLayout(symbol="ETHUSDT", modulus=6)
GATEWAY = "gateway/binanceusdm/main"
AGE_MS = 5_000


def quote(bid: int, ask: int | None = None) -> Quote:
    return Quote(
        symbol="ETHUSDT",
        bid=bid,
        ask=ask if ask is not None else bid + 1,
        bid_quantity=1,
        ask_quantity=1,
        venue_ms=0,
        received_ns=0,
    )


@pytest.fixture
def office() -> PostOffice:
    return PostOffice()


@pytest.fixture
def feed(office: PostOffice) -> SymbolFeed:
    return SymbolFeed(layout=LAYOUT, gateway=GATEWAY, outbox=office)


def changes(office: PostOffice) -> dict[str, WindowChange]:
    return {name: message for name, message in office.posted if isinstance(message, WindowChange)}


def serving(feed: SymbolFeed, office: PostOffice, bid: int = 300_000) -> None:
    feed.on_setup(example_setup(), 0, 0)
    feed.on_quote(quote(bid), 0, 0)
    office.clear()


def test_it_says_nothing_before_it_knows_the_levels(feed: SymbolFeed, office: PostOffice) -> None:
    feed.on_quote(quote(300_000), 0, 0)

    assert feed.phase is FeedPhase.RESTORING
    assert office.posted == []


def test_the_first_quote_announces_the_whole_window_to_its_actors_only(feed: SymbolFeed, office: PostOffice) -> None:
    feed.on_setup(example_setup(), 0, 0)
    feed.on_quote(quote(300_000), 0, 0)

    told = changes(office)
    assert {name: change.entered for name, change in told.items()} == {
        "slot/ETHUSDT/05": (-1,),
        "slot/ETHUSDT/04": (-2,),
        "slot/ETHUSDT/03": (-3,),
    }
    assert office.to(GATEWAY, FeedWord) == [FeedWord(symbol="ETHUSDT", reference=300_000, is_fresh=True)]


def test_a_quote_before_the_setup_reaches_the_gateway_though_no_other_follows(
    feed: SymbolFeed, office: PostOffice
) -> None:
    feed.on_quote(quote(300_000), 0, 0)
    feed.on_setup(example_setup(), 0, 0)
    assert office.to(GATEWAY, FeedWord) == [FeedWord(symbol="ETHUSDT", reference=300_000, is_fresh=True)]

    office.clear()
    feed.on_time(1_000)
    assert len(office.to(GATEWAY, FeedWord)) == 1, "and again each second"


def test_a_quote_before_the_setup_is_not_lost(feed: SymbolFeed, office: PostOffice) -> None:
    feed.on_quote(quote(300_000), 0, 0)
    feed.on_setup(example_setup(), 0, 0)

    assert len(changes(office)) == 3


def test_a_quote_that_crosses_nothing_tells_nobody(feed: SymbolFeed, office: PostOffice) -> None:
    serving(feed, office)

    feed.on_quote(quote(300_010), 10, 10)

    assert office.posted == []


def test_a_crossing_tells_only_the_levels_that_entered_or_left(feed: SymbolFeed, office: PostOffice) -> None:
    serving(feed, office)

    feed.on_quote(quote(300_430), 10, 10)  # top from -1 to 2: 0, 1, 2 enter; -3 and -2 leave, -1 stays by slack

    told = changes(office)
    assert {(name, change.entered, change.left) for name, change in told.items()} >= {
        ("slot/ETHUSDT/00", (0,), ()),
        ("slot/ETHUSDT/01", (1,), ()),
        ("slot/ETHUSDT/02", (2,), ()),
        ("slot/ETHUSDT/03", (), (-3,)),
        ("slot/ETHUSDT/04", (), (-2,)),
    }


def test_a_short_grid_looks_at_the_ask_turned_round(feed: SymbolFeed, office: PostOffice) -> None:
    feed.on_setup(example_setup(side=GridSide.SHORT), 0, 0)
    feed.on_quote(quote(299_990, 300_000), 0, 0)

    assert office.to(GATEWAY, FeedWord)[0].reference == -300_000


def test_versions_rise_over_a_restart_and_a_new_generation(feed: SymbolFeed, office: PostOffice) -> None:
    serving(feed, office)
    before = feed.snapshot(0).view

    feed.on_setup(example_setup(generation=2), 20, 20)

    after = feed.snapshot(20).view
    assert before is not None
    assert after is not None
    assert after.version > before.version
    assert (before.generation, after.generation) == (1, 2)


def test_an_actor_that_asks_is_told_all_its_open_levels(feed: SymbolFeed, office: PostOffice) -> None:
    packed = SymbolFeed(
        layout=SlotLayout(symbol="ETHUSDT", modulus=6, slots_per_actor=3),
        gateway=GATEWAY,
        outbox=office,
    )
    serving(packed, office)

    packed.on_price_wanted(PriceWanted(receiver="slot/ETHUSDT/01", symbol="ETHUSDT"))

    [change] = office.to("slot/ETHUSDT/01", WindowChange)
    assert change.entered == (-3, -2, -1)  # level -4, the slack, is remainder 2: the other actor's
    assert change.view.price == 300_000


def test_an_alarm_rings_once_at_its_level(feed: SymbolFeed, office: PostOffice) -> None:
    serving(feed, office)
    feed.on_alarms(Alarms(symbol="ETHUSDT", alarms=(Alarm(level=-1, high=300_050),)))

    feed.on_quote(quote(300_050), 10, 10)
    feed.on_quote(quote(300_060), 20, 20)

    [change] = office.to("slot/ETHUSDT/05", WindowChange)
    assert (change.rung, change.view.price) == ((-1,), 300_050)


def test_an_alarm_that_rings_already_is_answered_at_once(feed: SymbolFeed, office: PostOffice) -> None:
    serving(feed, office)

    feed.on_alarms(Alarms(symbol="ETHUSDT", alarms=(Alarm(level=-1, low=300_000),)))

    assert office.to("slot/ETHUSDT/05", WindowChange)[0].rung == (-1,)


def test_the_gateway_hears_the_price_once_a_second(feed: SymbolFeed, office: PostOffice) -> None:
    serving(feed, office)

    for now_ms in range(0, 3_001, 200):
        feed.on_time(now_ms)

    assert len(office.to(GATEWAY, FeedWord)) == 3


def test_quiet_is_not_stale(feed: SymbolFeed, office: PostOffice) -> None:
    serving(feed, office)

    probes = 0
    for now_ms in range(0, 60_001, 200):
        if feed.on_time(now_ms):
            probes += 1
            feed.on_probe(quote(300_000), "", now_ms, 0)

    assert probes == 60_000 // AGE_MS
    assert feed.phase is FeedPhase.FRESH
    assert all(word.is_fresh for word in office.to(GATEWAY, FeedWord))


def test_a_probe_that_differs_makes_the_price_stale_unless_a_quote_follows(
    feed: SymbolFeed, office: PostOffice
) -> None:
    serving(feed, office)
    assert feed.on_time(AGE_MS)
    feed.on_probe(quote(309_000), "", AGE_MS, 0)
    feed.on_time(AGE_MS + GRACE_MS - 1)
    assert all(word.is_fresh for word in office.to(GATEWAY, FeedWord))

    feed.on_time(AGE_MS + GRACE_MS)

    assert feed.phase is FeedPhase.STALE
    assert not office.to(GATEWAY, FeedWord)[-1].is_fresh


def test_a_quote_that_follows_the_probe_settles_the_doubt(feed: SymbolFeed, office: PostOffice) -> None:
    serving(feed, office)
    feed.on_time(AGE_MS)
    feed.on_probe(quote(309_000), "", AGE_MS, 0)

    feed.on_quote(quote(309_000), AGE_MS + 100, 0)
    feed.on_time(AGE_MS + GRACE_MS)

    assert feed.phase is FeedPhase.FRESH
    assert all(word.is_fresh for word in office.to(GATEWAY, FeedWord))


def test_a_failed_probe_makes_the_price_stale_and_says_why(feed: SymbolFeed, office: PostOffice) -> None:
    serving(feed, office)
    feed.on_time(AGE_MS)
    feed.on_probe(None, "timed out", AGE_MS, 0)
    feed.on_time(AGE_MS + GRACE_MS)

    word = office.to(GATEWAY, FeedWord)[-1]
    assert (word.is_fresh, word.detail) == (False, "no quote, and the probe failed: timed out")


def test_a_quote_makes_it_fresh_again_at_once_and_a_failed_probe_does_not(feed: SymbolFeed, office: PostOffice) -> None:
    serving(feed, office)
    feed.on_time(AGE_MS)
    feed.on_probe(None, "timed out", AGE_MS, 0)
    feed.on_time(AGE_MS + GRACE_MS)
    office.clear()

    assert feed.on_time(3 * AGE_MS)
    feed.on_probe(None, "timed out", 3 * AGE_MS, 0)
    assert feed.phase is FeedPhase.STALE
    feed.on_price_wanted(PriceWanted(receiver="slot/ETHUSDT/05", symbol="ETHUSDT"))
    assert office.to("slot/ETHUSDT/05", WindowChange) == []
    office.clear()
    feed.on_quote(quote(300_000), 3 * AGE_MS, 0)

    assert office.to(GATEWAY, FeedWord) == [FeedWord(symbol="ETHUSDT", reference=300_000, is_fresh=True)]


def test_a_first_quote_that_never_comes_is_stale_too(feed: SymbolFeed, office: PostOffice) -> None:
    feed.on_setup(example_setup(), 0, 0)
    assert feed.on_time(AGE_MS)
    feed.on_probe(quote(300_000), "", AGE_MS, 0)
    feed.on_time(AGE_MS + GRACE_MS)

    assert feed.phase is FeedPhase.STALE
    assert office.to(GATEWAY, FeedWord)[-1].reference is None


def test_the_same_setup_again_changes_nothing(feed: SymbolFeed, office: PostOffice) -> None:
    serving(feed, office)

    feed.on_setup(example_setup(), 10, 10)

    assert office.posted == []


def test_a_price_fetched_for_a_new_stream_yields_to_a_quote_that_overtook_it(
    feed: SymbolFeed, office: PostOffice
) -> None:
    feed.on_setup(example_setup(), 0, 0)
    before = feed.quotes
    feed.on_quote(quote(300_500), 10, 10)

    feed.on_seed(quote(300_000), before, 20, 20)
    assert feed.snapshot(20).quote == quote(300_500)

    feed.on_seed(quote(300_000), feed.quotes, 30, 30)
    assert feed.snapshot(30).quote == quote(300_000)


def stale(feed: SymbolFeed, office: PostOffice) -> int:
    """Let a probe fail and the price go stale; return when the next probe is due."""
    serving(feed, office)
    assert feed.on_time(AGE_MS)
    feed.on_probe(None, "timed out", AGE_MS, 0)
    feed.on_time(AGE_MS + GRACE_MS)
    assert feed.phase is FeedPhase.STALE
    assert not feed.on_time(2 * AGE_MS - 1)
    assert feed.on_time(2 * AGE_MS)
    return 2 * AGE_MS


def test_a_stale_price_in_a_quiet_market_is_fresh_once_a_probe_finds_it_unchanged(
    feed: SymbolFeed, office: PostOffice
) -> None:
    now_ms = stale(feed, office)

    feed.on_probe(quote(300_000), "", now_ms, 0)

    assert feed.phase is FeedPhase.FRESH
    assert office.to(GATEWAY, FeedWord)[-1].is_fresh


def mute(feed: SymbolFeed, office: PostOffice) -> int:
    """Let a probe find another price than the stream told, and no quote follow it; return the time."""
    serving(feed, office)
    assert feed.on_time(AGE_MS)
    feed.on_probe(quote(301_000), "", AGE_MS, 0)
    assert not feed.takes_restream(AGE_MS), "the probe may only have overtaken the stream"
    feed.on_time(AGE_MS + GRACE_MS)
    return AGE_MS + GRACE_MS


def test_a_mute_stream_is_connected_anew_with_growing_pauses(feed: SymbolFeed, office: PostOffice) -> None:
    begun_ms = mute(feed, office)

    asked = [at_ms - begun_ms for at_ms in range(begun_ms, begun_ms + 200_000, 200) if feed.takes_restream(at_ms)]

    assert asked == [0, 5_000, 15_000, 35_000, 75_000, 135_000, 195_000]


@pytest.mark.parametrize("price", [300_000, 301_000], ids=["the last one streamed", "the one that moved unseen"])
def test_probes_that_agree_prove_nothing_of_a_mute_stream(feed: SymbolFeed, office: PostOffice, price: int) -> None:
    now_ms = mute(feed, office)

    for _ in range(4):
        now_ms += AGE_MS
        assert feed.on_time(now_ms)
        feed.on_probe(quote(price), "", now_ms, 0)
    feed.on_seed(quote(price), feed.quotes, now_ms, 0)

    assert feed.phase is FeedPhase.STALE
    assert not office.to(GATEWAY, FeedWord)[-1].is_fresh


def test_a_mute_stream_is_trusted_once_it_speaks(feed: SymbolFeed, office: PostOffice) -> None:
    now_ms = mute(feed, office)

    feed.on_quote(quote(301_010), now_ms, 0)

    assert feed.phase is FeedPhase.FRESH
    assert office.to(GATEWAY, FeedWord)[-1].reference == 301_010
    assert not feed.takes_restream(now_ms + RESTREAM_LAST_MS)


def test_a_probe_that_failed_first_and_differs_later_proves_the_stream_mute(
    feed: SymbolFeed, office: PostOffice
) -> None:
    now_ms = stale(feed, office)
    feed.on_probe(quote(301_000), "", now_ms, 0)

    assert feed.takes_restream(now_ms)
    assert feed.on_time(now_ms + AGE_MS)
    feed.on_probe(quote(301_000), "", now_ms + AGE_MS, 0)
    assert feed.phase is FeedPhase.STALE


def test_a_crossing_is_dated_by_its_quote_and_an_answer_by_none(feed: SymbolFeed, office: PostOffice) -> None:
    serving(feed, office)
    feed.on_quote(quote(299_000), 10, 77_000)
    crossed = {change.quoted_ms for change in changes(office).values()}
    office.clear()
    feed.on_price_wanted(PriceWanted(receiver=LAYOUT.name(0), symbol="ETHUSDT"))

    assert crossed == {77_000}
    assert [change.quoted_ms for change in changes(office).values()] == [None]


def test_the_gateway_hears_of_the_price_with_each_crossing_and_of_no_other_quote(
    feed: SymbolFeed, office: PostOffice
) -> None:
    serving(feed, office)

    feed.on_quote(quote(299_990), 10, 0)  # inside its level
    feed.on_quote(quote(299_700), 20, 0)
    feed.on_quote(quote(299_699), 30, 0)
    feed.on_quote(quote(299_300), 40, 0)

    assert [word.reference for word in office.to(GATEWAY, FeedWord)] == [299_700, 299_300]
