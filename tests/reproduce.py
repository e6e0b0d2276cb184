"""Recomputes an account from the table of its fills alone; knows nothing of Bulkhead.

    python tests/reproduce.py runs/latest/fills.csv --cash 10000 --stats runs/latest/stats.json

Positions are sums of signed quantities, cash changes by price times quantity and by the commission,
and equity is cash plus each position at its mark (taken from ``open_positions`` of stats.json, for
a table of fills holds no marks). All sums are exact: nothing is rounded.
"""

import argparse
import csv
import json
import sys
from collections.abc import Mapping
from decimal import Context, Decimal
from pathlib import Path
from typing import NamedTuple

_EXACT = Context(prec=200)


class Account(NamedTuple):
    """What the fills come to; positions are by strategy and instrument, flat ones left out."""

    cash: Decimal
    fees: Decimal
    positions: dict[tuple[str, str], Decimal]
    equity: Decimal


def reproduce(fills: Path, cash: Decimal, marks: Mapping[str, Decimal] | None = None) -> Account:
    """Return the account after the fills.

    Raises:
        KeyError: If a position is open and its instrument has no mark.
        ValueError: If an execution comes twice.
    """
    fees = Decimal(0)
    held: dict[tuple[str, str], Decimal] = {}
    seen: set[tuple[str, str]] = set()
    with fills.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            execution = (row["venue"], row["trade_id"])
            if execution in seen:
                raise ValueError(f"{execution} comes twice")
            seen.add(execution)
            sign = {"BUY": Decimal(1), "SELL": Decimal(-1)}[row["side"]]
            signed = _EXACT.multiply(sign, Decimal(row["quantity"]))
            commission = Decimal(row["commission"])
            key = (row["strategy"], row["instrument"])
            held[key] = _EXACT.add(held.get(key, Decimal(0)), signed)
            cash = _EXACT.subtract(cash, _EXACT.multiply(signed, Decimal(row["price"])))
            cash = _EXACT.subtract(cash, commission)
            fees = _EXACT.add(fees, commission)
    positions = {key: quantity for key, quantity in sorted(held.items()) if quantity}
    equity = cash
    for (_, instrument), quantity in positions.items():
        equity = _EXACT.add(equity, _EXACT.multiply(quantity, (marks or {})[instrument]))
    return Account(cash, fees, positions, equity)


def marks_of(stats: Path) -> dict[str, Decimal]:
    """Return the marks of the open positions in a stats.json."""
    data = json.loads(stats.read_text(encoding="utf-8"))
    return {each["instrument"]: Decimal(each["mark"]) for each in data["open_positions"]}


def main() -> None:
    """Print the account of a table of fills."""
    parser = argparse.ArgumentParser(description="Recompute an account from its fills.")
    parser.add_argument("fills", type=Path)
    parser.add_argument("--cash", type=Decimal, required=True, help="what the account began with")
    parser.add_argument("--stats", type=Path, help="stats.json with the marks of open positions")
    options = parser.parse_args()
    marks = {} if options.stats is None else marks_of(options.stats)
    account = reproduce(options.fills, options.cash, marks)
    lines = [f"cash {account.cash:f}", f"fees {account.fees:f}", f"equity {account.equity:f}"]
    lines += [f"{strategy} {name} {held:f}" for (strategy, name), held in account.positions.items()]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
