"""Messages of Bitget as its documents show them, for one-way mode."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from grid.instrument import Instrument

Row = dict[str, Any]


def instrument(symbol: str = "ETHUSDT", tick: str = "0.01", step: str = "0.01") -> Instrument:
    return Instrument(
        symbol=symbol,
        base=symbol.removesuffix("USDT"),
        quote="USDT",
        tick=Decimal(tick),
        step=Decimal(step),
        price_min=1,
        price_max=10**12,
        quantity_min=1,
        quantity_max=10**9,
        notional_min=Decimal(5),
        closing_exempt=False,
    )


RULES = {symbol: instrument(symbol) for symbol in ("ETHUSDT", "BTCUSDT")}


def order_event(**changes: Any) -> Row:
    """Return a row of the `orders` channel: an order that was accepted."""
    return {
        "leverage": "12",
        "orderType": "limit",
        "tradeSide": "buy_single",
        "orderId": "13333333333333333333",
        "feeDetail": [{"feeCoin": "USDT", "fee": "0.00000000"}],
        "cTime": "1760461517274",
        "posMode": "one_way_mode",
        "marginMode": "crossed",
        "posSide": "net",
        "price": "3000",
        "enterPointSource": "API",
        "cancelReason": "",
        "accBaseVolume": "0",
        "stpMode": "none",
        "side": "buy",
        "totalProfits": "0",
        "marginCoin": "USDT",
        "notionalUsd": "1200",
        "instId": "ETHUSDT",
        "size": "0.4",
        "reduceOnly": "no",
        "force": "gtc",
        "uTime": "1760461517274",
        "clientOid": "12354678990111",
        "status": "live",
        **changes,
    }


FILL: Row = {
    "baseVolume": "0.1",
    "accBaseVolume": "0.1",
    "fillPrice": "3000",
    "tradeId": "222",
    "fillTime": "1760461517300",
    "fillFee": "-0.06",
    "fillFeeCoin": "USDT",
    "tradeScope": "M",
    "status": "partially_filled",
}


def detail(**changes: Any) -> Row:
    """Return the data of `order/detail`."""
    return {
        "symbol": "ETHUSDT",
        "size": "2",
        "orderId": "123456",
        "clientOid": "77777",
        "baseVolume": "2",
        "priceAvg": "1900",
        "fee": "",
        "price": "1900",
        "state": "filled",
        "side": "buy",
        "force": "gtc",
        "totalProfits": "2112",
        "posSide": "net",
        "marginCoin": "USDT",
        "quoteVolume": "1900",
        "orderType": "limit",
        "leverage": "20",
        "marginMode": "cross",
        "reduceOnly": "YES",
        "enterPointSource": "api",
        "tradeSide": "buy_single",
        "posMode": "one_way_mode",
        "orderSource": "normal",
        "cancelReason": "",
        "cTime": "1627300098776",
        "uTime": "1627300098776",
        **changes,
    }


def fill_row(**changes: Any) -> Row:
    """Return a row of `order/fills`."""
    fee = {"deduction": "no", "feeCoin": "USDT", "totalDeductionFee": "0", "totalFee": "-0.02161596"}
    return {
        "tradeId": "5",
        "symbol": "ETHUSDT",
        "marginCoin": "USDT",
        "orderId": "7",
        "price": "1801.33",
        "baseVolume": "0.02",
        "feeDetail": [fee],
        "side": "sell",
        "quoteVolume": "36.0266",
        "profit": "0.0252",
        "enterPointSource": "ios",
        "tradeSide": "sell_single",
        "posMode": "one_way_mode",
        "tradeScope": "taker",
        "cTime": "1698730804882",
        **changes,
    }


def position(**changes: Any) -> Row:
    """Return a row of `position/all-position`."""
    return {
        "marginCoin": "USDT",
        "symbol": "BTCUSDT",
        "holdSide": "short",
        "openDelegateSize": "0",
        "marginSize": "9.66",
        "available": "0.01",
        "locked": "0",
        "total": "0.01",
        "leverage": "20",
        "achievedProfits": "0",
        "openPriceAvg": "25000",
        "marginMode": "isolated",
        "posMode": "one_way_mode",
        "unrealizedPL": "1",
        "liquidationPrice": "24144.1124161806977798",
        "keepMarginRate": "0.004",
        "markPrice": "25100",
        "breakEvenPrice": "24778.97",
        "totalFee": "1.45",
        "cTime": "1691382137448",
        "uTime": "1691382137999",
        **changes,
    }


def account(**changes: Any) -> Row:
    """Return the data of `account/account`."""
    return {
        "marginCoin": "USDT",
        "locked": "0",
        "available": "13168.86110692",
        "crossedMaxAvailable": "13168.86110692",
        "isolatedMaxAvailable": "13000",
        "maxTransferOut": "13168.86110692",
        "accountEquity": "13178.86110692",
        "crossedMarginLeverage": "20",
        "isolatedLongLever": "7",
        "isolatedShortLever": "7",
        "marginMode": "crossed",
        "posMode": "one_way_mode",
        "unrealizedPL": "",
        "assetMode": "single",
        **changes,
    }


def contract(**changes: Any) -> Row:
    """Return a row of `market/contracts`."""
    return {
        "symbol": "BTCUSDT",
        "baseCoin": "BTC",
        "quoteCoin": "USDT",
        "buyLimitPriceRatio": "0.05",
        "sellLimitPriceRatio": "0.05",
        "makerFeeRate": "0.0004",
        "takerFeeRate": "0.0006",
        "minTradeNum": "0.01",
        "priceEndStep": "5",
        "volumePlace": "2",
        "pricePlace": "1",
        "sizeMultiplier": "0.01",
        "symbolType": "perpetual",
        "minTradeUSDT": "5",
        "maxSymbolOrderNum": "400",
        "symbolStatus": "normal",
        "maxOrderQty": "1200",
        **changes,
    }
