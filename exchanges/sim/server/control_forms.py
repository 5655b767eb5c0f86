"""What the control endpoints take; unknown keys are refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from exchanges.sim.orders import OrderType, TimeInForce
from grid.order import Side


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AccountForm(Form):
    account: str = "main"


class ManualOrder(AccountForm):
    """An order by another hand on the same account. Without a price it is a market order."""

    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False

    @property
    def type(self) -> OrderType:
        return OrderType.MARKET if self.price is None else OrderType.LIMIT


class ManualCancel(AccountForm):
    """A cancel by another hand."""

    symbol: str
    client_id: str


class ManualStop(AccountForm):
    """A stop at market by another hand, by the mark."""

    symbol: str
    side: Side
    quantity: Decimal
    trigger: Decimal
    client_id: str = ""


class MovePosition(AccountForm):
    """Signed quantity in the coin; price None: the touch."""

    symbol: str
    quantity: Decimal
    price: Decimal | None = None


class Deleverage(AccountForm):
    symbol: str
    quantity: Annotated[Decimal, Field(gt=0)]


class OfSymbol(AccountForm):
    symbol: str


class ChangeSettings(AccountForm):
    """What a person changes at the venue's own page: a symbol's leverage, or the account's position mode."""

    symbol: str = ""
    leverage: int | None = None
    hedge_mode: bool | None = None


class Transfer(AccountForm):
    amount: Decimal
    asset: str = "USDT"


class InjectTrade(Form):
    kind: Literal["trade"]
    symbol: str
    price: Decimal
    quantity: Annotated[Decimal, Field(gt=0)]
    aggressor: Side


class InjectBook(Form):
    kind: Literal["book"]
    symbol: str
    bid: Decimal
    bid_quantity: Decimal = Decimal(1)
    ask: Decimal
    ask_quantity: Decimal = Decimal(1)


class InjectMark(Form):
    kind: Literal["mark"]
    symbol: str
    price: Decimal


class InjectFunding(Form):
    kind: Literal["funding"]
    symbol: str
    rate: Decimal


class Injection(Form):
    events: list[Annotated[InjectTrade | InjectBook | InjectMark | InjectFunding, Field(discriminator="kind")]]


class TapeVerb(Form):
    """`ahead_ms` for seek; `symbol` and `percent` for jump."""

    action: Literal["pause", "resume", "seek", "jump"]
    ahead_ms: Annotated[int, Field(ge=0)] = 0
    symbol: str = ""
    percent: Decimal = Decimal(0)


class SocketVerb(Form):
    """What becomes of the sockets whose path starts so: dropped, or dead without a sign."""

    action: Literal["cut", "half_open"]
    path: str = ""


class ChangeFilters(Form):
    """New values by filter type, merged into the symbol's own: {"MIN_NOTIONAL": {"notional": "50"}}."""

    symbol: str
    status: str | None = None
    filters: dict[str, dict[str, str]] = {}


class LimitVerb(Form):
    """Ban an address for some time, or forget its ban."""

    action: Literal["ban", "lift"]
    address: str = "127.0.0.1"
    length_ms: Annotated[int, Field(ge=0)] = 60_000
