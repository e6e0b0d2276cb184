"""What some risk policies would have refused of a finished run, from what it left behind.

The account is rebuilt from the journal, and every order that was approved is put before the
policies in the state of that moment: positions and cash from the fills, the orders that worked,
losses from the samples of the equity, and marks from the market rows that the journal has. Those
are the rows at which something happened; a price that nobody acted on is not in it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from actors.errors import ConfigError, Problem
from actors.messages.records import MarketRow
from actors.model.instrument import Instrument, Instruments
from actors.model.money import ZERO, plain
from actors.portfolio.approval.review import Review, Verdict
from actors.portfolio.config import PortfolioConfig
from actors.risk.limits import POLICIES
from actors.risk.policy import RiskPolicy
from runtime.config.document import WHOLE, Document
from runtime.config.load import build_config
from runtime.config.model import Component, RunConfig
from runtime.config.problems import UNKNOWN, Problems, nearest, shown
from runtime.config.structure import structure
from runtime.config.yaml_reader import read_yaml
from runtime.kernel.codec import Codec
from runtime.kernel.journal import Entry, read_journal
from runtime.observe.times import iso_time
from runtime.wiring.components import account_config
from runtime.wiring.routes import Role

_MANIFEST = "manifest.json"
_JOURNAL = "journal.db"
_KEY = "policies"
_SHOWN = 30


@attrs.frozen(kw_only=True)
class WhatIf:
    """What policies would have said to a run's orders, oldest first; ``policies`` by name."""

    policies: tuple[str, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def refused(self) -> list[Verdict]:
        """Return the verdicts that are refusals."""
        return [each for each in self.verdicts if each.violations]

    def by_policy(self) -> dict[str, list[Verdict]]:
        """Return the refusals of each policy; also of what stands before them (a halt), if any."""
        found: dict[str, list[Verdict]] = {name: [] for name in self.policies}
        for verdict in self.refused:
            for name in dict.fromkeys(each.policy for each in verdict.violations):
                found.setdefault(name, []).append(verdict)
        return found


def load_policies(path: Path) -> tuple[RiskPolicy, ...]:
    """Return the policies of a YAML file that holds one key, ``policies``, with a list of them.

    Raises:
        ConfigError: With everything that is wrong.
    """
    problems = Problems(Document(file=str(path)))
    try:
        read_yaml(path.read_text(encoding="utf-8"), problems, {})
    except (OSError, UnicodeDecodeError) as error:
        found = "no such file" if isinstance(error, FileNotFoundError) else type(error).__name__
        raise _unreadable(path, "a readable YAML file", found) from error
    data = problems.document.data
    for name in data:
        if name != _KEY:
            problems.add(name, expected=_KEY, found=UNKNOWN, nearest=nearest(name, [_KEY]))
    items = data.get(_KEY)
    if not isinstance(items, list) or not items:
        problems.add(_KEY, expected="a list of policies", found=shown(items))
        items = []
    made = [_policy(item, f"{_KEY}[{number}]", problems) for number, item in enumerate(items)]
    problems.raise_if_any()
    return tuple(policy for policy in made if policy is not None)


def _policy(item: Any, key: str, problems: Problems) -> RiskPolicy | None:
    if not isinstance(item, Mapping):
        problems.add(key, expected="a policy", found=shown(item))
        return None
    component = structure(Component, item, key, problems)
    if component is None:
        return None
    policy = problems.choose(POLICIES, component.type, f"{key}.type")
    return None if policy is None else structure(policy, component.options, key, problems)


def what_if(folder: Path, policies: Sequence[RiskPolicy], codec: Codec) -> WhatIf:
    """Return what policies would have refused of the run in a folder.

    Raises:
        ConfigError: If the run's manifest cannot be read.
        JournalError: If its journal cannot.
    """
    path = folder / _MANIFEST
    manifest = _manifest(path)
    instruments = _instruments(manifest, path)
    review = Review(instruments, _account(manifest, path, tuple(policies)))
    entries = list(read_journal(folder / _JOURNAL, codec))
    for entry in entries:
        if isinstance(entry.message, MarketRow):
            _learn(entry.message, instruments)
    review.replay(_history(entries))
    names = tuple(dict.fromkeys(policy.name for policy in policies))
    return WhatIf(policies=names, verdicts=tuple(review.verdicts))


def _manifest(path: Path) -> Mapping[str, Any]:
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        found = "no such file" if isinstance(error, FileNotFoundError) else type(error).__name__
        raise _unreadable(path, "a run's manifest", found) from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("config"), dict):
        raise _unreadable(path, "a run's manifest", "no configuration in it")
    return manifest


def _account(
    manifest: Mapping[str, Any], path: Path, policies: tuple[RiskPolicy, ...]
) -> PortfolioConfig:
    config: RunConfig = build_config(manifest["config"], str(path))
    try:
        return account_config(config, policies, ZERO)
    except ValueError as error:
        raise _unreadable(path, "an account", str(error)) from error


def _instruments(manifest: Mapping[str, Any], path: Path) -> Instruments:
    """Return the run's instruments, as far as its manifest has them."""
    instruments = Instruments()
    problems = Problems(Document(file=str(path)))
    for number, item in enumerate(manifest.get("instruments", ())):
        instrument = structure(Instrument, item, f"instruments[{number}]", problems)
        if instrument is not None:
            instruments.add(instrument)
    problems.raise_if_any()
    return instruments


def _learn(row: MarketRow, instruments: Instruments) -> None:
    """Add an instrument that only a row tells of."""
    if row.instrument and row.instrument not in instruments:
        data = {"id": row.instrument, "venue": "", "symbol": row.instrument}
        problems = Problems(Document(file=""))
        ticks = {"tick": str(row.tick), "lot": str(row.lot)}
        instrument = structure(Instrument, {**data, **ticks}, "", problems)
        assert instrument is not None, problems.found
        instruments.add(instrument)


def _history(entries: Sequence[Entry]) -> Iterator[tuple[str, Any]]:
    """Yield what the portfolio received and sent, and the market rows between."""
    scheduled: set[int] = set()
    portfolio = str(Role.PORTFOLIO)
    for entry in entries:
        if entry.due_ns is not None:
            scheduled.add(entry.sequence)
        if isinstance(entry.message, MarketRow) or (
            entry.sender == portfolio and entry.cause not in scheduled
        ):
            yield "sent", entry.message
        if portfolio in entry.receivers and entry.due_ns is None:
            yield "received", entry.message


def _unreadable(path: Path, expected: str, found: str) -> ConfigError:
    return ConfigError([Problem(file=str(path), key=WHOLE, expected=expected, found=found)])


# --- what people see ------------------------------------------------------------------------------


def to_json(found: WhatIf) -> dict[str, Any]:
    """Return everything as plain JSON data."""
    return {
        "orders": len(found.verdicts),
        "would_be_refused": len(found.refused),
        "policies": {name: len(each) for name, each in found.by_policy().items()},
        "refused": [
            {
                "time": iso_time(verdict.order.created_ns),
                "order_id": verdict.order.client_order_id,
                "change": verdict.is_change,
                "order": _words(verdict),
                "violations": [
                    {"policy": each.policy, "limit": each.limit, "found": each.found}
                    for each in verdict.violations
                ],
            }
            for verdict in found.refused
        ],
    }


def what_if_table(found: WhatIf) -> RenderableType:
    """Return a line for each policy, and the first refused orders with what they violate."""
    orders, refused = len(found.verdicts), found.refused
    parts: list[RenderableType] = [
        Text(f"{len(refused):,} of {orders:,} orders would have been refused", style="bold"),
        _policies(found),
    ]
    parts += [Text(line, overflow="fold") for each in refused[:_SHOWN] for line in _lines(each)]
    if len(refused) > _SHOWN:
        parts.append(Text(f"and {len(refused) - _SHOWN:,} more; --json has them all"))
    return Group(*parts)


def _policies(found: WhatIf) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("policy", no_wrap=True)
    table.add_column("would refuse", justify="right")
    table.add_column("first at", no_wrap=True)
    for name, verdicts in found.by_policy().items():
        first = iso_time(verdicts[0].order.created_ns) if verdicts else "-"
        table.add_row(name, f"{len(verdicts):,}", first)
    return table


def _lines(verdict: Verdict) -> list[str]:
    order = verdict.order
    head = f"{iso_time(order.created_ns)}  {order.client_order_id}: {_words(verdict)}"
    return [head] + [
        f"    {each.policy}: limit {each.limit}, found {each.found}" for each in verdict.violations
    ]


def _words(verdict: Verdict) -> str:
    order = verdict.order
    prices = "".join(
        f" {word} {plain(price)}"
        for word, price in (("at", order.limit_price), ("stop", order.stop_price))
        if price is not None
    )
    words = f"{order.side} {plain(order.quantity)} {order.instrument} {order.order_type}{prices}"
    return f"change to {words}" if verdict.is_change else words
