"""A newer message replaces what it makes needless, and only that."""

from __future__ import annotations

from dataclasses import replace

from actors.mail.conflation import conflation_key, merged
from actors.mail.messages import FeedWord, HoldWord, Intents, SlotsWanted, Tellings
from grid.holds import HoldCause
from grid.intent import CancelIntent, Standing, Told
from grid.reasons import Reason
from grid.slot import SlotKey, SlotState
from grid.window import MarketView, WindowChange

STANDING = Standing(symbol="ETHUSDT", halt_epoch=3, holds=())
VIEW = MarketView(symbol="ETHUSDT", generation=1, price=3000, top=9, floor=9, version=5, at_ms=0)


def key(level: int) -> SlotKey:
    return SlotKey(symbol="ETHUSDT", generation=1, level=level)


def told(level: int, version: int) -> Told:
    return Told(state=SlotState(key=key(level), version=version), standing=STANDING)


def test_a_window_keeps_the_newest_view_and_names_every_level_that_any_part_named() -> None:
    older = WindowChange(view=VIEW, entered=(8, 9), left=(3,), rung=(1,))
    newer = WindowChange(view=replace(VIEW, version=6), entered=(3,), left=(9,), due=(12,))

    one = merged(older, newer)

    assert one == WindowChange(view=newer.view, entered=(3, 8), left=(9,), due=(12,), rung=(1,))
    assert set(one.levels) == {*older.levels, *newer.levels}


def test_a_view_of_a_new_generation_drops_the_old_levels() -> None:
    newer = WindowChange(view=replace(VIEW, generation=2), entered=(1,))

    assert merged(WindowChange(view=VIEW, entered=(900,)), newer) == newer


def test_each_slot_keeps_its_newest_word_even_when_an_older_one_comes_later() -> None:
    one = merged(Tellings(told=(told(1, 7), told(2, 4))), Tellings(told=(told(1, 6), told(3, 1))))

    assert one == Tellings(told=(told(1, 7), told(2, 4), told(3, 1)))


def test_intents_of_different_slots_are_all_kept() -> None:
    def cancel(level: int, client_id: str) -> CancelIntent:
        return CancelIntent(key=key(level), client_id=client_id, reason=Reason.CUT)

    one = merged(Intents(intents=(cancel(1, "a"), cancel(2, "b"))), Intents(intents=(cancel(2, "c"),)))

    assert one == Intents(intents=(cancel(1, "a"), cancel(2, "c")))


def test_an_older_standing_never_wins() -> None:
    old = replace(STANDING, halt_epoch=2, holds=("risk",))

    assert merged(STANDING, old) == STANDING
    assert merged(old, STANDING) == STANDING


def test_wanted_levels_are_joined() -> None:
    one = merged(SlotsWanted(receiver="s", keys=(key(1), key(2))), SlotsWanted(receiver="s", keys=(key(2), key(3))))

    assert one == SlotsWanted(receiver="s", keys=(key(1), key(2), key(3)))


def test_words_of_other_symbols_and_holds_of_other_causes_are_not_merged() -> None:
    def hold(cause: HoldCause) -> HoldWord:
        return HoldWord(cause=cause, symbol="", is_put=True, reason="")

    def word(symbol: str) -> FeedWord:
        return FeedWord(symbol=symbol, reference=1, is_fresh=True)

    assert conflation_key(hold(HoldCause.RISK)) != conflation_key(hold(HoldCause.OPERATOR))
    assert conflation_key(word("ETHUSDT")) != conflation_key(word("BTCUSDT"))
    assert conflation_key(word("ETHUSDT")) == conflation_key(word("ETHUSDT"))


def test_what_is_merged_is_timed_from_the_quote_that_waits_longest() -> None:
    one = merged(Intents(intents=(), quoted_ms=5), Intents(intents=(), quoted_ms=9))
    other = merged(Intents(intents=()), Intents(intents=(), quoted_ms=9))
    change = merged(WindowChange(view=VIEW, quoted_ms=None), WindowChange(view=VIEW, quoted_ms=3))

    assert (one, other) == (Intents(intents=(), quoted_ms=5), Intents(intents=(), quoted_ms=9))
    assert change == WindowChange(view=VIEW, quoted_ms=3)


def test_window_differences_of_two_symbols_are_never_one() -> None:
    change = WindowChange(view=VIEW, entered=(9,))

    assert conflation_key(change) == conflation_key(WindowChange(view=replace(VIEW, version=6)))
    assert conflation_key(change) != conflation_key(WindowChange(view=replace(VIEW, symbol="BTCUSDT")))
