"""What a journal tells by the order of its records: an entry that was meant under a hold is found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from actors.journal.writer import Journal
from actors.settings.account import Settings, load_settings
from actors.trials.journal_order import entries_under_a_hold, journalled
from grid.client_id import ClientId
from grid.holds import Hold, HoldCause
from grid.order import Purpose, Side
from grid.records import HoldLifted, HoldPut, OrderIntended, OwnerRaised, Record, to_body
from grid.slot import SlotKey
from tests.grid_world import SYMBOL

CONFIG = Path(__file__).resolve().parents[2] / "configs" / "paper.yaml"


def put(symbol: str = "") -> HoldPut:
    return HoldPut(hold=Hold(cause=HoldCause.RISK, symbol=symbol, reason="a fall", since_ms=1))


def lifted(symbol: str = "") -> HoldLifted:
    return HoldLifted(cause=HoldCause.RISK, symbol=symbol, reason="calm")


def order(purpose: Purpose = Purpose.ENTRY, *, owner_epoch: int = 7) -> OrderIntended:
    identity = ClientId(
        journal="aB3z", symbol=SYMBOL, generation=0, level=-1, purpose=purpose, owner_epoch=owner_epoch, sequence=1
    )
    return OrderIntended(
        client_id=identity.encode(),
        symbol=SYMBOL,
        key=SlotKey(symbol=SYMBOL, generation=0, level=-1),
        purpose=purpose,
        side=Side.BUY,
        price=299_800,
        quantity=10,
        target=300_000,
        at_ms=2,
    )


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(CONFIG, {"GRIDMESH__JOURNAL__PATH": str(tmp_path / "j.sqlite")})


@pytest.mark.parametrize(
    ("records", "found"),
    [
        ([put(), order()], 1),
        ([put(SYMBOL), order()], 1),
        ([put("BTCUSDT"), order()], 0),
        ([put(), lifted(), order()], 0),
        ([order(), put()], 0),
        ([put(), order(Purpose.EXIT)], 0),
        ([put(), order(owner_epoch=6)], 0),
    ],
)
def test_an_entry_under_a_hold_is_found(settings: Settings, records: Sequence[Record], found: int) -> None:
    journal = Journal.open(settings.journal_path)
    try:
        journal.append([(1, *to_body(record)) for record in (OwnerRaised(owner_epoch=7), *records)])

        assert len(list(entries_under_a_hold(journalled(settings)))) == found
    finally:
        journal.close()
