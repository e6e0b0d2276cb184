"""What a running system shows of itself, as plain data: amounts are text, times nanoseconds."""

from collections.abc import Callable
from typing import Any

import attrs
import msgspec

from actors.orders.manager import OrderManager
from actors.portfolio.portfolio import Portfolio
from actors.safety.kill_switch import KillSwitch
from runtime.wiring.plant import Plant
from runtime.wiring.routes import Role
from runtime.wiring.tree import actor_rows

_MOST = 1000
"""How many orders or positions are shown at once."""


def plain(value: Any) -> Any:
    """Return a value as JSON could hold it; an amount as text."""
    return msgspec.to_builtins(value, str_keys=True, enc_hook=str)


def tree(plant: Plant) -> list[dict[str, Any]]:
    """Return every actor as it is now."""
    return [attrs.asdict(row) for row in actor_rows(plant)]


def orders(plant: Plant) -> list[dict[str, Any]] | None:
    """Return the open orders; None while nobody is there to know them."""
    core = _core(plant, Role.ORDERS)
    if not isinstance(core, OrderManager):
        return None
    return [
        {
            **plain(each.order),
            "status": str(each.status),
            "filled_quantity": str(each.filled_quantity),
            "since_ns": each.history[-1][1] if each.history else each.order.created_ns,
        }
        for each in core.open_orders()[:_MOST]
    ]


def positions(plant: Plant) -> list[dict[str, Any]] | None:
    """Return the positions that are held; None while nobody is there to know them."""
    core = _core(plant, Role.PORTFOLIO)
    if not isinstance(core, Portfolio):
        return None
    return [plain(each) for each in core.positions() if each.quantity][:_MOST]


def differences(plant: Plant) -> list[dict[str, Any]] | None:
    """Return the open differences with the venue; None while nobody is there to know them."""
    core = _core(plant, Role.SAFETY)
    return None if not isinstance(core, KillSwitch) else [plain(e) for e in core.differences()]


def halt(plant: Plant) -> dict[str, Any] | None:
    """Return how the kill switch stands; None where there is none, or it is down."""
    core = _core(plant, Role.SAFETY)
    if not isinstance(core, KillSwitch):
        return None
    return {"is_halted": core.is_halted, **plain(core.status())}


def account(plant: Plant) -> dict[str, Any] | None:
    """Return cash and value of the account; None while nobody is there to know them."""
    core = _core(plant, Role.PORTFOLIO)
    if not isinstance(core, Portfolio):
        return None
    return {
        "cash": str(core.cash),
        "equity": plain(core.equity()),
        "trading_state": str(core.trading_state),
        "trading_state_cause": core.trading_state_cause,
        "unreconciled": core.unreconciled,
    }


def status(plant: Plant) -> dict[str, Any]:
    """Return the state of a run in short; what cannot be told is None, with the reason."""
    found: dict[str, Any] = {"time_ns": plant.clock.now_ns(), "sequence": plant.post.sequence}
    parts: dict[str, Callable[[Plant], Any]] = {
        "halt": halt,
        "account": account,
        "open_orders": lambda plant: _count(orders(plant)),
        "positions": lambda plant: _count(positions(plant)),
        "differences": lambda plant: _count(differences(plant)),
        "actors": _actors,
    }
    problems = {}
    for name, look in parts.items():
        try:
            found[name] = look(plant)
        except Exception as error:  # noqa: BLE001 - a part that fails is told; the rest is shown
            found[name], problems[name] = None, repr(error)
    return {**found, "problems": problems}


def _actors(plant: Plant) -> dict[str, Any]:
    """Return how many actors run, and which do not."""
    rows = actor_rows(plant)
    amiss = {row.name: row.state for row in rows if row.state not in ("running", "stopped")}
    return {
        "count": len(rows),
        "restarts": sum(row.restarts for row in rows),
        "not_running": amiss,
    }


def _count(found: list[Any] | None) -> int | None:
    return None if found is None else len(found)


def _core(plant: Plant, role: Role) -> Any:
    cell = plant.cells.get(role)
    return None if cell is None else cell.core
