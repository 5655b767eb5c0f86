"""The table of account endpoints: path, cost, and what answers."""

from __future__ import annotations

from exchanges.sim.binance import account_calls as calls
from exchanges.sim.binance.endpoint import Effect, Endpoint, Handler, Security


def _read(action: str, path: str, handler: Handler, *, weight: int = 5) -> Endpoint:
    return Endpoint(action=action, method="GET", path=path, handler=handler, weight=weight)


def _set(action: str, path: str, handler: Handler) -> Endpoint:
    return Endpoint(action=action, method="POST", path=path, handler=handler, effect=Effect.SETTING)


def _key(action: str, method: str, handler: Handler) -> Endpoint:
    return Endpoint(
        action=action,
        method=method,
        path="/fapi/v1/listenKey",
        handler=handler,
        security=Security.KEY,
        effect=Effect.SETTING,
    )


ENDPOINTS = (
    _read("account.v2", "/fapi/v2/account", calls.account_v2),
    _read("account.v3", "/fapi/v3/account", calls.account_v3),
    _read("balance.v2", "/fapi/v2/balance", calls.balance),
    _read("balance.v3", "/fapi/v3/balance", calls.balance),
    _read("positions.v2", "/fapi/v2/positionRisk", calls.positions_v2),
    _read("positions.v3", "/fapi/v3/positionRisk", calls.positions_v3),
    _read("account.config", "/fapi/v1/accountConfig", calls.account_config),
    _read("symbol.config", "/fapi/v1/symbolConfig", calls.symbol_config),
    _read("income", "/fapi/v1/income", calls.income, weight=30),
    _read("position_mode", "/fapi/v1/positionSide/dual", calls.position_mode, weight=30),
    _read("asset_mode", "/fapi/v1/multiAssetsMargin", calls.asset_mode, weight=30),
    _read("brackets", "/fapi/v1/leverageBracket", calls.brackets, weight=1),
    _read("commission_rate", "/fapi/v1/commissionRate", calls.commission_rate, weight=20),
    _read("order_limits", "/fapi/v1/rateLimit/order", calls.order_limits, weight=1),
    _read("trading_status", "/fapi/v1/apiTradingStatus", calls.trading_status, weight=1),
    _read("fee_burn", "/fapi/v1/feeBurn", calls.fee_burn, weight=30),
    _set("leverage.set", "/fapi/v1/leverage", calls.set_leverage),
    _set("margin_type.set", "/fapi/v1/marginType", calls.set_margin_type),
    _set("position_mode.set", "/fapi/v1/positionSide/dual", calls.set_position_mode),
    _set("asset_mode.set", "/fapi/v1/multiAssetsMargin", calls.set_asset_mode),
    _key("listen_key.start", "POST", calls.start_listen_key),
    _key("listen_key.renew", "PUT", calls.renew_listen_key),
    _key("listen_key.close", "DELETE", calls.close_listen_key),
)
