"""From the actors' snapshots to what `status`, `explain` and the terminal show."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from actors.commands.numbers import lots, money, plain, verb
from actors.deployment.account_sections import Section, prefixed, sections
from actors.run_file import RunFile
from grid.slot_machine import Explanation

_COLUMNS = (
    "at_ms",
    "price_at_ms",
    "price",
    "lots",
    "position",
    "foreign",
    "entries",
    "exits",
    "grid_profit",
    "total_profit",
    "round_trips",
)


def status_view(seen: Mapping[str, Any], run: RunFile, now_ms: int) -> dict[str, Any]:
    """Return the answer of `status`; of several accounts, each has its own part, and the holds say whose they are.

    `age_ms` of an account: how long ago the oldest of its symbols' rows was true, each of one moment in itself.
    """
    parts = sections(seen)
    common = {
        "deployment": seen["deployment"],
        "state": seen["state"],
        "started_ms": seen["started_ms"],
        "waiting_for": seen["waiting_for"],
        "refusals": seen["refusals"],
        "actors": actor_rows(seen),
        "troubles": seen.get("troubles", []),
        "addresses": {
            "ray": run.address,
            "ray_dashboard": run.dashboard_url,
            "ray_dashboard_token": run.token_path,
        },
    }
    if "accounts" not in seen:
        return {**common, **_account_view(parts[""], now_ms)}
    views = [{"name": name, **_account_view(part, now_ms)} for name, part in parts.items()]
    holds = [{"account": view["name"], **hold} for view in views for hold in view["holds"]]
    return {**common, "holds": holds, "accounts": views}


def _account_view(part: Section, now_ms: int) -> dict[str, Any]:
    gateway = part["gateway"]
    moments = [row["at_ms"] for row in gateway.get("symbols", {}).values() if "at_ms" in row]
    return {
        "age_ms": max(0, now_ms - min(moments)) if moments else None,
        "state": part["state"],
        "waiting_for": part["waiting_for"],
        "refusals": part["refusals"],
        "trading": gateway.get("trading"),
        "halt_epoch": gateway.get("halt_epoch"),
        "owner_epoch": gateway.get("owner_epoch"),
        "ownership": gateway.get("ownership", {}),
        "holds": gateway.get("holds", []),
        "symbols": [
            {
                "symbol": name,
                "state": "held" if holds_of(gateway, name) else "trading",
                "max_lots": part["max_lots"].get(name),
                "stop": picture.get("stop"),
                "trigger": picture.get("trigger"),
                "opening": picture.get("opening"),
                "turning": picture.get("turning"),
                **{column: picture.get(column) for column in _COLUMNS},
                "churn": picture.get("churn", {}).get("ratio"),
            }
            for name, picture in gateway.get("symbols", {}).items()
        ],
        "account": gateway.get("account", {}),
        "counts": gateway.get("counts", {}),
        "notices": gateway.get("notices", [])[-10:],
    }


def actor_rows(seen: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one row for each actor that says something of itself."""
    risk, rows = seen["risk"], [_gateway_row(part["gateway"]) for part in sections(seen).values()]
    if risk:
        rows.append({"name": risk.get("name", "risk"), "state": risk.get("phase"), "waiting_for": ""})
    own = {row["name"]: row for row in rows}
    for life in seen.get("actors", []):
        row = own.setdefault(life["name"], {"name": life["name"], "state": life["health"], "waiting_for": ""})
        if life["health"] != "up":
            row["state"] = life["health"]
        row.update(restarts=life["restarts"], last_error=life["last_error"])
    return list(own.values())


def _gateway_row(gateway: Mapping[str, Any]) -> dict[str, Any]:
    waits = ", ".join(gateway.get("waiting_for", []))
    return {"name": gateway.get("name", "gateway"), "state": gateway.get("state", "starting"), "waiting_for": waits}


def holds_of(gateway: Mapping[str, Any], symbol: str) -> list[dict[str, Any]]:
    """Return the holds against a symbol."""
    return [hold for hold in gateway.get("holds", []) if hold["symbol"] in ("", symbol)]


def explanation(
    symbol: str, seen: Mapping[str, Any], answers: Mapping[str, list[Explanation] | None], now_ms: int
) -> dict[str, Any]:
    """Return the answer of `explain`: price, orders and lots of one moment of the book, reasons by the slots.

    Where a slot speaks of another order or lot than the book has, it has not heard of it yet, or the book is younger:
    the level `is_changing`.
    """
    gateway = seen["gateway"]
    picture = gateway.get("symbols", {}).get(symbol, {})
    tick, step = Decimal(picture.get("tick", "1")), Decimal(picture.get("step", "1"))
    plans = {(level["generation"], level["level"]): level for level in picture.get("levels", [])}
    rows = [
        {**_row(one, plans.get((one.generation, one.level), {}), tick, step)}
        for found in answers.values()
        for one in found or []
    ]
    silent = sorted(name for name, found in answers.items() if found is None)
    return {
        "symbol": symbol,
        "trading": gateway.get("trading"),
        "price": picture.get("price"),
        "at_ms": picture.get("at_ms"),
        "price_at_ms": picture.get("price_at_ms"),
        "age_ms": max(0, now_ms - picture["at_ms"]) if "at_ms" in picture else None,
        "holds": holds_of(gateway, symbol),
        "stop": _stop(picture.get("stop")),
        "trigger": picture.get("trigger"),
        "opening": picture.get("opening"),
        "turning": picture.get("turning"),
        "levels": sorted(rows, key=lambda row: (-row["generation"], -row["level"])),
        "silent": silent,
    }


def _clock(at_ms: int | None) -> str | None:
    """Return a time of day in UTC, for people."""
    if at_ms is None:
        return None
    seconds = at_ms // 1000 % 86_400
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _stop(stop: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the exchange-side stop with the time of its next step for people."""
    return {**stop, "retry": _clock(stop["retry_ms"])} if stop else None


def _plan(level: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the order desk will do about the level, and by when."""
    deadline_ms = level.get("deadline_ms")
    return {"next_step": level.get("next_step"), "deadline_ms": deadline_ms, "deadline": _clock(deadline_ms)}


def _row(one: Explanation, held: Mapping[str, Any], tick: Decimal, step: Decimal) -> dict[str, Any]:
    order, lot = held.get("order"), held.get("lot")
    slots = (one.order.client_id if one.order else None, step * one.lot.quantity if one.lot else None)
    books = (order["client_id"] if order else None, Decimal(lot["quantity"]) if lot else None)
    return {
        "level": one.level,
        "generation": one.generation,
        "price": str(tick * one.price),
        "state": held.get("phase", "free" if slots != books else one.phase),
        "is_changing": slots != books,
        "order": f"{order['side']} {order['quantity']} @ {order['price']}" if order else None,
        "lot": lot["quantity"] if lot else None,
        "target": lot["target"] if lot else None,
        "reason": one.reason.value,
        "detail": one.detail,
        "retry_ms": one.next_try_ms,
        "retry": _clock(one.next_try_ms),
        **_plan(held),
    }


_LEFT_AT_VENUE = {
    "keep": "no own order is left: verified at the venue",
    "leave_exits": "no entry is left, exits rest: verified at the venue",
    "flatten": "no own order is left: verified at the venue",
}


def stop_report(seen: Mapping[str, Any], account: str = "") -> dict[str, Any]:
    """Return what a stop left behind, one line for each symbol, size and cost named; of several accounts, of each.

    It is done only if its end was verified at the venue and, after a flatten, no lot is left.
    """
    if "accounts" in seen:
        reports = {name: stop_report(part, name) for name, part in sections(seen).items()}
        return {
            "done": all(report["done"] for report in reports.values()),
            "said": [line for report in reports.values() for line in report["said"]],
            "accounts": [{"name": name, "final": report["final"]} for name, report in reports.items()],
        }
    if seen.get("state") == "refused" and not seen.get("final"):
        return {"done": True, "said": prefixed(account, [f"never traded: {'; '.join(seen['refusals'])}"]), "final": {}}
    final = seen.get("final", {})
    left = sum(picture["lots"] for picture in final.get("symbols", {}).values())
    verified, mode = bool(final.get("verified")), str(final.get("mode", ""))
    said = [_LEFT_AT_VENUE.get(mode, "") if verified else "NOT verified: look at the venue, or run gridmesh panic"]
    if mode == "flatten" and left:
        said.append(
            f"NOT flat: {lots(left)} {verb(left, 'is', 'are')} left; the venue took no more inside the slippage bound"
        )
    for symbol, picture in final.get("symbols", {}).items():
        count = picture["lots"]
        said.append(
            f"{symbol}: {lots(count)} of {plain(picture['lot_quantity'])} {verb(count, 'stays', 'stay')}, "
            f"cost {money(picture['lot_cost'])}; grid profit {money(picture['grid_profit'])}, "
            f"total {money(picture['total_profit'])}"
        )
    return {"done": verified and not (mode == "flatten" and left), "said": prefixed(account, said), "final": final}
