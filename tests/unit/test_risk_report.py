"""The yardstick itself on made-up tapes, and the detector on the recorded crashes."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from io import StringIO
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pa_parquet
import pytest
from rich.console import Console

from actors.trials.candle_tape import TapeError, merged, read_candles, tape_files
from actors.trials.risk_report import TapeReport, as_json, risk_report, whole_json, whole_tables
from risk.candle import Candle
from risk.falls import MINUTE_MS, Point, find_falls, index_level
from risk.replay import Halt, Recording, replay
from risk.report import judge
from risk.rules import DetectorKind, RiskRules
from tests.unit.risk_candles import candle

HOUR = 60


def points(*levels: float | str) -> list[Point]:
    return [Point(place * MINUTE_MS, Decimal(str(level))) for place, level in enumerate(levels)]


def line(*turns: tuple[int, str]) -> list[Point]:
    """An index of straight lines through (minute, level)."""
    found = []
    for (start, low), (end, high) in pairwise(turns):
        step = (Decimal(high) - Decimal(low)) / (end - start)
        found += [Point(at * MINUTE_MS, Decimal(low) + step * (at - start)) for at in range(start, end)]
    return [*found, Point(turns[-1][0] * MINUTE_MS, Decimal(turns[-1][1]))]


def halt(start: int, end: int | None = None) -> Halt:
    return Halt(start_ms=start * MINUTE_MS, end_ms=None if end is None else end * MINUTE_MS, reason="made up")


def test_the_index_is_the_geometric_mean_of_relative_closes() -> None:
    firsts = {"A": Decimal(100), "B": Decimal(1)}

    assert index_level({"A": Decimal(200), "B": Decimal("0.5")}, firsts) == 1
    assert index_level({"A": Decimal(81), "B": Decimal(1)}, firsts) == Decimal("0.9")


def test_a_fall_of_exactly_five_percent_within_sixty_minutes_is_one() -> None:
    falls = find_falls(line((0, "100"), (60, "95"), (200, "95")))

    assert [(f.start_ms, f.half_ms, f.bottom_ms) for f in falls] == [(0, 30 * MINUTE_MS, 60 * MINUTE_MS)]
    assert falls[0].depth == Decimal("0.05")


@pytest.mark.parametrize("end", [(60, "95.01"), (61, "95")])
def test_a_lesser_or_slower_fall_is_none(end: tuple[int, str]) -> None:
    assert find_falls(line((0, "100"), end, (200, end[1]))) == []


def test_falls_less_than_an_hour_apart_are_one_and_later_ones_their_own() -> None:
    deeper_first = line((0, "100"), (10, "85"), (50, "100"), (60, "90"), (300, "90"))
    deeper_last = line((0, "100"), (10, "90"), (50, "100"), (60, "85"), (300, "85"))
    twice = line((0, "100"), (10, "90"), (200, "100"), (210, "90"), (400, "90"))

    assert [fall.start_ms for fall in find_falls(deeper_first)] == [0]
    assert [fall.start_ms for fall in find_falls(deeper_last)] == [50 * MINUTE_MS]
    assert len(find_falls(twice)) == 2


def test_a_crash_is_not_hidden_in_a_lesser_fall_that_ran_into_it() -> None:
    index = line((0, "100"), (60, "94.9"), (100, "94"), (130, "60"), (400, "60"))

    falls = find_falls(index)

    assert len(falls) == 1
    assert falls[0].bottom_ms == 130 * MINUTE_MS
    assert falls[0].depth > Decimal("0.35")


@pytest.mark.parametrize(("start", "caught"), [(69, False), (70, True), (100, True), (105, True), (106, False)])
def test_caught_is_from_half_an_hour_before_the_start_to_half_way_down(start: int, caught: bool) -> None:
    index = line((0, "100"), (100, "100"), (110, "90"), (400, "90"))

    report = judge(Recording(index=index, halts=[halt(start, start + 1)]))

    assert len(report.falls) == 1
    assert report.falls[0].fall.start_ms == 100 * MINUTE_MS
    assert report.falls[0].fall.bottom_ms == 110 * MINUTE_MS
    assert report.figures.caught == caught


def test_a_halt_already_in_force_covers_a_fall_without_catching_it() -> None:
    index = line((0, "100"), (100, "100"), (110, "90"), (400, "90"))

    report = judge(Recording(index=index, halts=[halt(5, None)]))

    assert (report.figures.caught, report.figures.covered) == (0, 1)


@pytest.mark.parametrize(("lowest", "useless"), [("99", False), ("99.01", True)])
def test_a_halt_is_useless_without_a_further_fall_of_one_percent(lowest: str, useless: bool) -> None:
    index = line((0, "100"), (10, "100"), (70, lowest), (200, "90"))

    report = judge(Recording(index=index, halts=[halt(10, 11)]))

    assert report.halts[0].is_useless is useless


def test_a_fall_after_the_hour_does_not_save_a_halt() -> None:
    index = line((0, "100"), (70, "100"), (71, "90"), (300, "90"))

    assert judge(Recording(index=index, halts=[halt(10, 11)])).figures.useless == 1


def test_halts_less_than_an_hour_apart_are_one_judged_where_the_first_began() -> None:
    index = line((0, "100"), (1000, "100"))

    report = judge(Recording(index=index, halts=[halt(10, 11), halt(69, 70), halt(128, 129), halt(188, 189)]))

    assert [(h.start_ms // MINUTE_MS, h.parts) for h in report.halts] == [(10, 3), (188, 1)]


def test_a_halt_at_the_end_of_the_tape_is_undecided() -> None:
    report = judge(Recording(index=line((0, "100"), (100, "100")), halts=[halt(90, None)]))

    assert report.halts[0].is_undecided
    assert report.figures.useless == 0


def tape(*shocks: int, minutes: int = 100) -> Iterator[tuple[int, Candle]]:
    for place in range(minutes):
        for symbol in ("BTCUSDT", "ETHUSDT"):
            volume, close = ("100", "96") if place in shocks else ("10", "101" if place - 1 in shocks else "100")
            yield (place + 1) * MINUTE_MS, candle(place, symbol=symbol, close=close, volume=volume)


def test_a_replay_halts_at_the_shock_and_resumes_at_the_recovery() -> None:
    rules = RiskRules(watch=("BTCUSDT", "ETHUSDT"), fall_window=5)

    recorded = replay(tape(50), rules)

    assert [(h.start_ms, h.end_ms) for h in recorded.halts] == [(51 * MINUTE_MS, 52 * MINUTE_MS)]
    assert len(recorded.index) == 100


def test_a_coin_that_stops_on_the_tape_counts_as_danger() -> None:
    rules = RiskRules(watch=("BTCUSDT", "ETHUSDT"), fall_window=5, trigger_symbols=1)
    pairs = [pair for pair in tape() if pair[1].symbol == "BTCUSDT" or pair[0] <= 60 * MINUTE_MS]

    recorded = replay(pairs, rules)

    assert [(h.start_ms, h.end_ms) for h in recorded.halts] == [(61 * MINUTE_MS, None)]
    assert "stale: ETHUSDT" in recorded.halts[0].reason


ROWS = [(60_000, "1.5", "2", "1", "1.7", "10"), (120_000, "1.7", "2", "1", "1.8", "11")]
HEADER = "open_time,open,high,low,close,volume,close_time\n"


def csv_rows(*, scale: int = 1) -> str:
    return "".join(f"{row[0] * scale},{','.join(row[1:])},{row[0] + 59_999}\n" for row in ROWS)


@pytest.mark.parametrize("text", [csv_rows(), HEADER + csv_rows()])
def test_archive_csv_is_read_with_and_without_its_header(tmp_path: Path, text: str) -> None:
    path = tmp_path / "ETHUSDT-1m-2025-05.csv"
    path.write_text(text, encoding="utf-8")

    candles = list(read_candles(tape_files(path)[0]))

    assert [(c.open_ms, c.close_ms, c.close, c.volume) for c in candles] == [
        (60_000, 119_999, Decimal("1.7"), Decimal(10)),
        (120_000, 179_999, Decimal("1.8"), Decimal(11)),
    ]
    assert all(c.is_closed and c.symbol == "ETHUSDT" for c in candles)


def test_times_in_microseconds_are_recognised(tmp_path: Path) -> None:
    path = tmp_path / "ETHUSDT-1m.csv"
    opened = 1_748_736_000_000
    path.write_text(f"{opened * 1000},1,1,1,1,1\n", encoding="utf-8")

    assert next(read_candles(tape_files(path)[0])).open_ms == opened


def test_parquet_floats_become_the_decimals_that_were_written(tmp_path: Path) -> None:
    path = tmp_path / "ETHUSDT-1m.parquet"
    columns = {name: [0.1] for name in ("open", "high", "low", "close", "volume")}
    pa_parquet.write_table(pa.table({"open_time_ms": [60_000], **columns}), path)

    assert next(read_candles(tape_files(path)[0])).close == Decimal("0.1")


def test_a_bad_cell_is_named_by_file_row_and_column(tmp_path: Path) -> None:
    path = tmp_path / "ETHUSDT-1m.csv"
    path.write_text("60000,1,1,1,1,1\n120000,1,1,1,one,1\n", encoding="utf-8")

    with pytest.raises(TapeError, match=r"ETHUSDT-1m\.csv: row 2, column close: 'one' is no number"):
        list(read_candles(tape_files(path)[0]))


def test_a_tape_out_of_order_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ETHUSDT-1m.csv"
    path.write_text("120000,1,1,1,1,1\n60000,1,1,1,1,1\n", encoding="utf-8")

    with pytest.raises(TapeError, match="comes after a later"):
        list(merged(tape_files(path), ["ETHUSDT"]))


def test_a_folder_without_candles_and_a_coin_without_a_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(TapeError, match="no candle file"):
        tape_files(tmp_path)
    (tmp_path / "ETHUSDT-1m.csv").write_text("60000,1,1,1,1,1\n", encoding="utf-8")
    with pytest.raises(TapeError, match="BTCUSDT is watched"):
        risk_report([tmp_path], RiskRules(watch=("BTCUSDT",)))


def test_only_the_span_that_all_coins_cover_is_played(tmp_path: Path) -> None:
    (tmp_path / "AUSDT-1m.csv").write_text("".join(f"{m * 60000},1,1,1,1,1\n" for m in range(9)), encoding="utf-8")
    (tmp_path / "BUSDT-1m.csv").write_text("".join(f"{m * 60000},1,1,1,1,1\n" for m in range(3, 6)), encoding="utf-8")

    played = list(merged(tape_files(tmp_path), ["AUSDT", "BUSDT"]))

    assert [(at_ms // 60_000, c.symbol) for at_ms, c in played] == [
        (minute, symbol) for minute in (4, 5, 6) for symbol in ("AUSDT", "BUSDT")
    ]


def measured(
    shared_data: Path, folder: str, coins: str, detector: DetectorKind, trigger: int | None = None
) -> TapeReport:
    watch = tuple(f"{coin}USDT" for coin in coins.split())
    tapes = [shared_data / "klines" / folder]
    return risk_report(tapes, RiskRules(watch=watch, trigger_symbols=trigger, detector=detector))[0]


@pytest.mark.long
def test_the_crash_of_may_2021_is_measured(shared_data: Path) -> None:
    found = measured(shared_data, "crash_2021-05-19_binance_spot", "BTC ETH XRP DOGE ADA", DetectorKind.VOLUME)

    figures = found.report.figures
    assert (figures.falls, figures.caught, figures.covered) == (18, 8, 9)
    assert (figures.halts, figures.useless) == (29, 10)
    crash = max(found.report.falls, key=lambda judged: judged.fall.depth)
    assert crash.fall.depth > Decimal("0.3")
    assert "'start': '2021-05-19 12:0" in str(as_json(found)["falls"])


@pytest.mark.long
def test_the_crash_of_february_2026_is_measured(shared_data: Path) -> None:
    found = measured(shared_data, "crash_2026-02-05_binance_usdm", "AVAX DOT FIL LINK LTC", DetectorKind.VOLUME)

    figures = found.report.figures
    assert (figures.falls, figures.caught) == (3, 3)
    assert (figures.halts, figures.useless) == (74, 50)


@pytest.mark.long
def test_asking_for_every_coin_as_the_trigger_misses_falls_that_a_majority_catches(shared_data: Path) -> None:
    everyone = measured(
        shared_data, "crash_2026-02-05_binance_usdm", "AVAX DOT FIL LINK LTC", DetectorKind.VOLUME, trigger=5
    )

    assert everyone.report.figures.caught == 2


def test_the_default_catches_more_of_a_crash_than_the_volume_rule_with_a_fifth_of_its_useless_halts(
    shared_data: Path,
) -> None:
    found = measured(
        shared_data, "crash_2026-02-05_binance_usdm", "AVAX DOT FIL LINK LTC", RiskRules(watch=("A",)).detector
    )

    figures = found.report.figures
    assert (figures.falls, figures.caught) == (3, 3)
    assert (figures.halts, figures.useless) == (17, 9)


@pytest.mark.long
def test_the_default_catches_most_falls_of_may_2021(shared_data: Path) -> None:
    found = measured(shared_data, "crash_2021-05-19_binance_spot", "BTC ETH XRP DOGE ADA", DetectorKind.FALL)

    figures = found.report.figures
    assert (figures.falls, figures.caught) == (18, 14)
    assert figures.useless == 8


def test_the_report_of_several_tapes_adds_them_up_and_says_what_its_words_mean(tmp_path: Path) -> None:
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        rows = "".join(f"{m * 60000},100,100,{low},{low},1\n" for m, low in enumerate([100] * 90 + [90] * 90))
        (tmp_path / folder / "AUSDT-1m.csv").write_text(rows, encoding="utf-8")

    reports = risk_report([tmp_path / "first", tmp_path / "second"], detector=DetectorKind.FALL)

    document = whole_json(reports)
    sums = document["together"]
    assert isinstance(sums, dict)
    assert (sums["falls of 5 % within 60 min"], sums["caught early"], sums["halts"]) == ("2", "2", "2")
    assert [one["detector"] for one in document["tapes"]] == ["fall", "fall"]  # type: ignore[attr-defined]
    assert "highest of 10 closes by 11 x the mean move of 1440" in str(document["detectors"])
    assert "loses 5 % or more within 60 minutes" in str(document["definitions"])
    text = StringIO()
    Console(file=text, width=150).print(*whole_tables(reports))
    assert "together" in text.getvalue()
    assert "geometric mean" in text.getvalue()
