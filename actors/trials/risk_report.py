"""`gridmesh risk-report TAPE...`: the detector over recorded candles, measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from actors.trials.candle_tape import TapeError, merged, tape_files
from risk.replay import replay
from risk.report import RiskReport, judge, together
from risk.rules import DetectorKind, RiskRules

DEFINITIONS = {
    "index": "geometric mean of the watched coins' closes",
    "fall": "the index loses 5 % or more within 60 minutes; the deepest first, then each an hour or more from those",
    "caught": "a halt began between 30 minutes before the fall's start and the minute where half of it was done",
    "under_a_halt": "a halt was in force at some minute of that span, whenever it began",
    "halt": "halts that began less than 60 minutes after one another are one, judged where the first began",
    "useless": "after it began the index lost no further 1 % within 60 minutes",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TapeReport:
    """One tape's answer, with the rules it was measured by."""

    name: str
    rules: RiskRules
    report: RiskReport


def risk_report(
    tapes: Sequence[Path], rules: RiskRules | None = None, *, detector: DetectorKind = DetectorKind.FALL
) -> list[TapeReport]:
    """Measure each tape: a folder is one tape, and files named one by one are one tape together.

    Rules of None watch every coin of the tape, with the default rules of the detector. Raises `TapeError` where a tape
    cannot be read or a watched coin is not on it.
    """
    reports = [_measure(folder.name, [folder], rules, detector) for folder in tapes if folder.is_dir()]
    files = [path for path in tapes if not path.is_dir()]
    if files:
        reports.append(_measure(", ".join(path.name for path in files), files, rules, detector))
    return reports


def whole_json(reports: Sequence[TapeReport]) -> dict[str, object]:
    """Return every tape's answer, the sums, and what the words mean, as plain values."""
    return {
        "definitions": DEFINITIONS,
        "detectors": {kind.value: sentence(RiskRules(watch=("A",), detector=kind)) for kind in DetectorKind},
        "tapes": [as_json(one) for one in reports],
        "together": dict(together([one.report for one in reports]).table()),
    }


def whole_tables(reports: Sequence[TapeReport]) -> list[RenderableType]:
    """Return the same for a terminal."""
    words = Table("word", "meaning", title="definitions")
    for word, meaning in DEFINITIONS.items():
        words.add_row(word.replace("_", " "), meaning)
    shown: list[RenderableType] = [words, *(as_tables(one) for one in reports)]
    if len(reports) > 1:
        sums = Table(show_header=False, title="together")
        for what, figure in together([one.report for one in reports]).table():
            sums.add_row(what, figure)
        shown.append(sums)
    return shown


def sentence(rules: RiskRules) -> str:
    """Say when a coin is anomalous by these rules."""
    match rules.detector:
        case DetectorKind.VOLUME:
            return (
                f"volume over {rules.volume_multiplier} x the mean of {rules.average_window} candles, price under "
                "their mean"
            )
        case DetectorKind.FALL:
            return (
                f"low under the highest of {rules.fall_window} closes by {rules.fall_multiplier} x the mean move of "
                f"{rules.baseline_window} candles, by {rules.fall_min:.1%} at least and {rules.fall_max:.1%} at most"
            )


def as_json(measured: TapeReport) -> dict[str, object]:
    """Return the whole answer as plain values; times as ISO 8601 in UTC."""
    report, rules = measured.report, measured.rules
    return {
        "tape": measured.name,
        "watch": list(rules.watch),
        "detector": rules.detector.value,
        "anomalous": sentence(rules),
        "trigger_symbols": rules.triggers,
        "recovery_symbols": rules.recovers,
        "from": _time(report.start_ms),
        "to": _time(report.end_ms),
        "summary": dict(report.figures.table()),
        "falls": [
            {
                "start": _time(judged.fall.start_ms),
                "half": _time(judged.fall.half_ms),
                "bottom": _time(judged.fall.bottom_ms),
                "depth": f"{judged.fall.depth:.4f}",
                "caught": judged.is_caught,
                "under_a_halt": judged.is_covered,
            }
            for judged in report.falls
        ],
        "halts": [
            {
                "start": _time(judged.start_ms),
                "end": None if judged.end_ms is None else _time(judged.end_ms),
                "parts": judged.parts,
                "further": f"{judged.further:.4f}",
                "useless": judged.is_useless,
                "undecided": judged.is_undecided,
                "reason": judged.reason,
            }
            for judged in report.halts
        ],
    }


def as_tables(measured: TapeReport) -> RenderableType:
    """Return the answer for a terminal: summary, falls, halts."""
    report, rules = measured.report, measured.rules
    head = (
        f"{measured.name}: {len(rules.watch)} coins ({', '.join(rules.watch)}), {rules.triggers} halt, "
        f"{rules.recovers} resume; detector {rules.detector.value}: {sentence(rules)}"
    )
    summary = Table(show_header=False)
    for what, figure in report.figures.table():
        summary.add_row(what, figure)
    falls = Table("fall from", "half way", "lowest", "depth", "answer", title="falls")
    for fall in report.falls:
        answer = "caught" if fall.is_caught else "already halted" if fall.is_covered else "missed"
        times = (_time(at_ms) for at_ms in (fall.fall.start_ms, fall.fall.half_ms, fall.fall.bottom_ms))
        falls.add_row(*times, f"{fall.fall.depth:.1%}", answer)
    halts = Table("halted", "resumed", "parts", "further fall", "use", title="halts")
    for halt in report.halts:
        use = "useless" if halt.is_useless else "undecided" if halt.is_undecided else "useful"
        end = "end of tape" if halt.end_ms is None else _time(halt.end_ms)
        halts.add_row(_time(halt.start_ms), end, str(halt.parts), f"{halt.further:.1%}", use)
    return Group(Text(head), summary, falls, halts)


def _measure(name: str, paths: Sequence[Path], rules: RiskRules | None, detector: DetectorKind) -> TapeReport:
    files = [file for path in paths for file in tape_files(path)]
    lengths = {file.interval_ms for file in files}
    if len(lengths) > 1:
        raise TapeError(f"{name}: candles of different lengths ({', '.join(f'{ms} ms' for ms in sorted(lengths))})")
    rules = rules or RiskRules(watch=tuple(sorted({file.symbol for file in files})), detector=detector)
    rules = replace(rules, interval_ms=lengths.pop())
    try:
        report = judge(replay(merged(files, rules.watch), rules))
    except ValueError as error:
        raise TapeError(f"{name}: {error}") from error
    return TapeReport(name=name, rules=rules, report=report)


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
