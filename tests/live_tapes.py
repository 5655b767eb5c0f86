"""Recorded markets of ../shared/data played at a venue: cut to the minutes that matter, at speed."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import orjson
import pyarrow.compute as pc
import pyarrow.parquet as pq

from actors.trials.sim_process import SimProcess
from exchanges.sim.instrument import SimInstrument
from exchanges.sim.server.options import demo_account
from exchanges.sim.server.sources import RecordedMarket
from tests.live_control import VenueControl, still_venue
from tests.venue.running_venue import still_options

SPEED = 60
"""A minute of the tape is a second: candles of 1m are played, and watched, as candles of 1s."""


def cut_minutes(source: Path, folder: Path, begin: str, end: str) -> Path:
    """Return a copy of a candle file with only the minutes from `begin` to before `end` (ISO, UTC)."""
    table = pq.read_table(source)
    opened = table["open_time_ms"]
    inside = pc.and_(pc.greater_equal(opened, _ms(begin)), pc.less(opened, _ms(end)))
    folder.mkdir(exist_ok=True)
    copy = folder / source.name
    pq.write_table(table.filter(inside), copy)
    return copy


def listed(shared_data: Path, *symbols: str) -> tuple[SimInstrument, ...]:
    """Return the venue's own entries of these symbols, from the recorded exchangeInfo."""
    path = shared_data / "exchange_info" / "binance_usdm_exchangeInfo_2025-11-26.json.gz"
    rows = orjson.loads(gzip.decompress(path.read_bytes()))["symbols"]
    return tuple(SimInstrument.from_exchange_info(row) for row in rows if row["symbol"] in symbols)


@contextmanager
def playing(tapes: Sequence[Path], known: Sequence[SimInstrument], *, warm_up_min: int) -> Iterator[VenueControl]:
    """A venue in a thread that plays candles; the first minutes are there at once."""
    market = RecordedMarket(paths=tuple(tapes), speed=SPEED, warm_up_ms=warm_up_min * 60_000, known=tuple(known))
    account = demo_account(deposit=Decimal(100_000))
    with still_venue(replace(still_options(accounts=(account,)), market=market, speed=SPEED)) as venue:
        yield venue


@contextmanager
def playing_process(
    tapes: Sequence[Path], folder: Path, *, speed: float, warm_up_s: float = 0
) -> Iterator[VenueControl]:
    """A venue as a process of its own that plays these files."""
    token = "a token of this test"
    files = [argument for tape in tapes for argument in ("--tape", str(tape))]
    pace = ["--speed", str(speed), "--warm-up", str(warm_up_s), "--deposit", "100000", "--control-token", token]
    process = SimProcess([*files, *pace], folder / "venue.log")
    try:
        yield VenueControl(process.rest_url, process.ws_url, token)
    finally:
        process.stop()


def _ms(moment: str) -> int:
    return round(datetime.fromisoformat(f"{moment}+00:00").timestamp() * 1000)
