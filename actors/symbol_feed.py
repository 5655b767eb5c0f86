"""One symbol's price, decided synchronously: what is announced to whom, and when a silent price is a stale one.

Quiet is not stale: after `price_age` without a quote one REST probe asks the venue; the price is stale where the probe
fails, or differs and no quote follows (trading rule 19). A stale price is probed again, once each `price_age`.

A probe that differs proves more: the stream is mute, whatever its socket says. It is connected anew, and from then on
only a quote of the stream's own ends the staleness: REST cannot tell whether the stream will speak of the next move.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from actors.actor_names import SlotLayout
from actors.mail.messages import Alarms, FeedWord, PriceWanted, SymbolSetup
from actors.mail.outbox import Outbox
from grid.ladder import GridSide
from grid.order import Quote
from grid.window import MarketView, Window, WindowChange

WORD_EVERY_MS = 1_000
GRACE_MS = 500
"""A probe that differs may merely have overtaken the stream: so long a quote may still follow it."""
RESTREAM_FIRST_MS = 5_000
RESTREAM_LAST_MS = 60_000
"""Pause before a mute stream is connected anew once more; it doubles up to this."""


class FeedPhase(Enum):
    """Where one symbol's price stands."""

    RESTORING = "restoring"
    """Waits for the gateway's word on levels and rules."""
    WAITING = "waiting"
    """Waits for the first quote."""
    FRESH = "fresh"
    STALE = "stale"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSnapshot:
    """One symbol as observers see it, at most `push_interval_ms` old. Ages in ms; None where there was none."""

    symbol: str
    phase: FeedPhase
    waits_for: str
    quote: Quote | None
    view: MarketView | None
    quote_age_ms: int | None
    quotes: int
    crossings: int
    probes: int
    stale_times: int


class SymbolFeed:
    """The decisions of one symbol's feed. Times are milliseconds: `mono_ms` for ages, `wall_ms` for what is told."""

    def __init__(self, *, layout: SlotLayout, gateway: str, outbox: Outbox) -> None:
        self._layout = layout
        self._gateway = gateway
        self._outbox = outbox
        self._setup: SymbolSetup | None = None
        self._window: Window | None = None
        self._view: MarketView | None = None
        self._side = GridSide.LONG
        self._quote: Quote | None = None
        self._heard_ms: int | None = None
        self._probe_ms: int | None = None
        self._doubt: str = ""
        self._doubt_ms = 0
        self._differs = False
        self._is_stale = False
        self._is_mute = False
        self._restream_ms: int | None = None
        self._restream_pause_ms = RESTREAM_FIRST_MS
        self._word_ms: int | None = None
        self._quotes = self._crossings = self._probes = self._stale_times = 0

    @property
    def symbol(self) -> str:
        """Return the symbol."""
        return self._layout.symbol

    @property
    def phase(self) -> FeedPhase:
        """Return where the price stands."""
        if self._setup is None:
            return FeedPhase.RESTORING
        if self._is_stale:
            return FeedPhase.STALE
        return FeedPhase.WAITING if self._view is None else FeedPhase.FRESH

    def on_setup(self, setup: SymbolSetup, mono_ms: int, wall_ms: int) -> None:
        """Take levels and rules; unchanged ones change nothing, others begin a new window that announces itself."""
        if setup == self._setup or (self._setup is not None and setup.turn < self._setup.turn):
            return
        self._setup = setup
        self._side = setup.generation.side
        self._window = Window(setup.generation.ladder(), setup.policy)
        self._view = None
        if self._heard_ms is None:
            self._heard_ms = mono_ms  # the age of a first quote that never comes counts from here
        if self._quote is not None and not self._is_stale:
            self._move(self._quote, wall_ms)
            # A quiet market may bring no further quote: the gateway would not hear of this one else.
            self._say(mono_ms)

    def on_quote(self, quote: Quote, mono_ms: int, wall_ms: int) -> None:
        """Take a quote: of a live stream, or of REST where that is as good (`on_seed`, `on_probe`)."""
        self._quote, self._heard_ms = quote, mono_ms
        self._quotes += 1
        self._doubt, self._probe_ms, self._differs = "", None, False
        self._is_mute, self._restream_ms, self._restream_pause_ms = False, None, RESTREAM_FIRST_MS
        was_stale, self._is_stale = self._is_stale, False
        has_crossed = self._move(quote, wall_ms)
        if self._window is not None and (has_crossed or was_stale or self._word_ms is None):
            # With each crossing: what the gateway shows, and prices exits by, is no older than what its slots act on.
            self._say(mono_ms)

    @property
    def quotes(self) -> int:
        """Return how many quotes came so far: whoever fetches one by REST says whether one has overtaken it."""
        return self._quotes

    def on_seed(self, quote: Quote, quotes_before: int, mono_ms: int, wall_ms: int) -> None:
        """Take the venue's answer after the stream came up; a stream tells nothing until the price next moves.

        `quotes_before` is `quotes` at the request: if the stream has spoken since, its word is the newer. A stream that
        was mute has to speak itself.
        """
        if self._quotes == quotes_before and not self._is_mute:
            self.on_quote(quote, mono_ms, wall_ms)

    def takes_restream(self, mono_ms: int) -> bool:
        """Return whether the stream has to be connected anew now; asked after each `on_time`."""
        if self._restream_ms is None or mono_ms < self._restream_ms:
            return False
        self._restream_ms = mono_ms + self._restream_pause_ms
        self._restream_pause_ms = min(2 * self._restream_pause_ms, RESTREAM_LAST_MS)
        return True

    def on_time(self, mono_ms: int) -> bool:
        """Look at the ages, at least every 250 ms; returns whether a probe is due and has to be reported back."""
        if self._setup is None:
            return False
        if self._doubt and not self._is_stale and mono_ms - self._doubt_ms >= GRACE_MS:
            self._is_stale = True
            self._stale_times += 1
            self._note_mute(mono_ms)
            self._say(mono_ms)
        if self._word_ms is not None and mono_ms - self._word_ms >= WORD_EVERY_MS:
            self._say(mono_ms)
        if self._probe_ms is not None or self._heard_ms is None or (self._doubt and not self._is_stale):
            return False
        if mono_ms - max(self._heard_ms, self._doubt_ms) < self._setup.policy.price_age_ms:
            return False
        self._probe_ms = mono_ms
        self._probes += 1
        return True

    def on_probe(self, probed: Quote | None, failure: str, mono_ms: int, wall_ms: int) -> None:
        """Take the venue's answer to a probe, None with the reason where it failed.

        A stale price is probed on: unless the stream is known to be mute, it is fresh again where the probe is the last
        quote. A quiet market tells nothing by itself.
        """
        if self._probe_ms is None:
            return  # a quote came meanwhile and settled it
        self._probe_ms, last = None, self._quote
        if probed is not None and _is_same(probed, last) and not self._is_mute:
            if self._is_stale:
                self.on_quote(probed, mono_ms, wall_ms)
            else:
                self._move(probed, wall_ms)  # the same price, and that of now
            self._heard_ms = mono_ms
            return
        self._doubt_ms = mono_ms
        if probed is None:
            self._doubt = f"no quote, and the probe failed: {failure}"
            return
        self._differs = True
        self._doubt = "no quote, and the venue's price has moved" if last else "no quote came yet"
        if self._is_stale:
            self._note_mute(mono_ms)

    def on_alarms(self, alarms: Alarms) -> None:
        """Keep alarms; one that rings already is answered at once."""
        if self._window is None:
            return
        rung = [alarm.level for alarm in alarms.alarms if self._window.set_alarm(alarm)]
        if self._view is not None:
            self._tell(WindowChange(view=self._view, rung=tuple(rung)))

    def on_price_wanted(self, wanted: PriceWanted) -> None:
        """Answer with the present view and all open levels of that actor; a price that is not fresh is not told."""
        if self._window is None or self._view is None or self._is_stale:
            return
        levels = tuple(
            level for level in self._window.levels_in_reach() if self._layout.name_of(level) == wanted.receiver
        )
        self._outbox.post(wanted.receiver, WindowChange(view=self._view, entered=levels))

    def snapshot(self, mono_ms: int) -> FeedSnapshot:
        """Return what observers see."""
        waits = {
            FeedPhase.RESTORING: f"setup of {self.symbol} from {self._gateway}",
            FeedPhase.WAITING: "first quote",
            FeedPhase.STALE: self._doubt,
        }
        return FeedSnapshot(
            symbol=self.symbol,
            phase=self.phase,
            waits_for=waits.get(self.phase, ""),
            quote=self._quote,
            view=self._view,
            quote_age_ms=mono_ms - self._heard_ms if self._quote is not None and self._heard_ms is not None else None,
            quotes=self._quotes,
            crossings=self._crossings,
            probes=self._probes,
            stale_times=self._stale_times,
        )

    def _move(self, quote: Quote, wall_ms: int) -> bool:
        """Take the price to the window; returns whether it has crossed a level."""
        if self._window is None:
            return False
        price = quote.bid if self._side is GridSide.LONG else -quote.ask
        change = self._window.on_price(price, wall_ms)
        self._view = change.view
        if change.levels:
            self._crossings += 1
            self._tell(change, wall_ms)
        return bool(change.levels)

    def _tell(self, change: WindowChange, quoted_ms: int | None = None) -> None:
        """Tell each slot actor its own part of the difference, and the others nothing."""
        name_of = self._layout.name_of
        for receiver in sorted({name_of(level) for level in change.levels}):
            self._outbox.post(
                receiver,
                WindowChange(
                    view=change.view,
                    entered=_of(receiver, change.entered, name_of),
                    left=_of(receiver, change.left, name_of),
                    due=_of(receiver, change.due, name_of),
                    rung=_of(receiver, change.rung, name_of),
                    quoted_ms=quoted_ms,
                ),
            )

    def _note_mute(self, mono_ms: int) -> None:
        if self._differs and not self._is_mute:
            self._is_mute, self._restream_ms = True, mono_ms

    def _say(self, mono_ms: int) -> None:
        self._word_ms = mono_ms
        reference = self._view.price if self._view is not None else None
        word = FeedWord(symbol=self.symbol, reference=reference, is_fresh=not self._is_stale, detail=self._doubt)
        self._outbox.post(self._gateway, word)


def _is_same(probed: Quote, other: Quote | None) -> bool:
    return other is not None and (probed.bid, probed.ask) == (other.bid, other.ask)


def _of(receiver: str, levels: tuple[int, ...], name_of: Callable[[int], str]) -> tuple[int, ...]:
    return tuple(level for level in levels if name_of(level) == receiver)
