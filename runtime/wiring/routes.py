"""THE routing table: which message goes to which role, and what happens when a mailbox is full.

Cores know no addresses; this is the only place that does. Every cycle in the table has an edge
whose rule is not to wait, so no ring of full mailboxes can stop the system; a test says so.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from actors.messages.account import (
    CashAdjusted,
    CloseOut,
    ConvertTokens,
    EquityMarked,
    MarkEquity,
    PositionChanged,
    SetTradingState,
    TradingStateChanged,
)
from actors.messages.alerts import Alert, Logged
from actors.messages.reconciliation import (
    Difference,
    Reconcile,
    Reconciled,
    ResolveDifference,
    VenueHoldings,
    VenueOrders,
)
from actors.messages.records import MarketRow
from actors.messages.safety import Heartbeat, KillSwitchChanged
from actors.messages.slices import MarketData
from actors.messages.system import (
    ActorFailed,
    ActorGaveUp,
    ActorRestarted,
    Alarm,
    Archived,
    CancelAll,
    CancelAllAtVenue,
    CancelStrategy,
    Halt,
    HaltLifted,
    MessageQuarantined,
    Overtaken,
    Resume,
    Resumed,
    TimerFired,
    Trip,
)
from actors.messages.trading import (
    CancelArrived,
    CancelOrder,
    CancelOrders,
    CancelPlacedOrder,
    ExecutionReport,
    Fill,
    FillSettled,
    ModifyOrder,
    OrderArrived,
    OrderUpdate,
    PlaceOrder,
    ReplaceArrived,
    ReplaceOrder,
    ReplacePlacedOrder,
    ReplaceResult,
    Signal,
    SignalBatch,
    SignalRefused,
    SubmitOrder,
)
from actors.messages.venue import QueryOrder, VenueAnswer, VenueCall, VenueNews
from actors.model.order import TERMINAL, OrderStatus
from runtime.kernel.mailbox import CRASH, WAIT, Overflow, Rule
from runtime.kernel.post import Receiver, Route


class Role(StrEnum):
    """Who may receive a message; VENUE and SAFETY are not in every run."""

    VENUE = "venue"
    """The link to the venue, or a fake of both."""
    SAFETY = "safety"
    """The kill switch."""
    BROKER = "broker"
    ORDERS = "orders"
    PORTFOLIO = "portfolio"
    STRATEGIES = "strategies"
    """Every strategy."""
    OWNER = "owner"
    """The strategy that the message names."""
    SELF = "self"
    """The actor that the message names: its own timer."""


ROUTES: Mapping[type[msgspec.Struct], tuple[Role, ...]] = {
    # market data: live only; in simulated time the sequencer offers rows to the cores
    MarketData: (Role.SAFETY, Role.BROKER, Role.PORTFOLIO, Role.STRATEGIES),
    # forward: a wish becomes an order at the venue
    Signal: (Role.PORTFOLIO,),
    SignalBatch: (Role.PORTFOLIO,),
    ModifyOrder: (Role.PORTFOLIO,),
    ConvertTokens: (Role.PORTFOLIO,),
    SubmitOrder: (Role.ORDERS,),
    ReplaceOrder: (Role.ORDERS,),
    CancelOrder: (Role.ORDERS,),
    CancelOrders: (Role.ORDERS,),
    PlaceOrder: (Role.BROKER,),
    ReplacePlacedOrder: (Role.BROKER,),
    CancelPlacedOrder: (Role.BROKER,),
    OrderArrived: (Role.BROKER,),
    ReplaceArrived: (Role.BROKER,),
    CancelArrived: (Role.BROKER,),
    QueryOrder: (Role.BROKER,),
    VenueCall: (Role.VENUE,),
    # back: what became of it
    VenueAnswer: (Role.SAFETY, Role.BROKER),
    VenueNews: (Role.BROKER,),
    SignalRefused: (Role.OWNER,),
    ExecutionReport: (Role.ORDERS,),
    OrderUpdate: (Role.SAFETY, Role.PORTFOLIO, Role.OWNER),
    Fill: (Role.PORTFOLIO, Role.OWNER),
    ReplaceResult: (Role.PORTFOLIO,),
    FillSettled: (Role.PORTFOLIO,),
    CashAdjusted: (Role.PORTFOLIO,),
    PositionChanged: (Role.OWNER,),
    # what the venue says it holds, against what we believe
    Reconcile: (Role.BROKER,),
    VenueOrders: (Role.ORDERS,),
    VenueHoldings: (Role.PORTFOLIO,),
    Reconciled: (Role.PORTFOLIO, Role.SAFETY),
    Difference: (Role.SAFETY,),
    ResolveDifference: (Role.ORDERS, Role.PORTFOLIO),
    # timers
    TimerFired: (Role.SELF,),
    MarkEquity: (Role.PORTFOLIO,),
    # the system's word
    CloseOut: (Role.BROKER, Role.PORTFOLIO),
    SetTradingState: (Role.PORTFOLIO,),
    Resumed: (Role.VENUE, Role.SAFETY, Role.BROKER, Role.ORDERS, Role.PORTFOLIO),
    Trip: (Role.SAFETY,),
    Resume: (Role.SAFETY,),
    Heartbeat: (Role.SAFETY,),
    Halt: (Role.VENUE, Role.SAFETY, Role.ORDERS, Role.PORTFOLIO),
    HaltLifted: (Role.VENUE, Role.BROKER, Role.ORDERS, Role.PORTFOLIO),
    CancelAll: (Role.ORDERS,),
    CancelAllAtVenue: (Role.VENUE, Role.BROKER),
    CancelStrategy: (Role.ORDERS, Role.PORTFOLIO),
    # for the record and for people; the kill switch looks on
    MarketRow: (),
    EquityMarked: (Role.SAFETY,),
    TradingStateChanged: (Role.SAFETY,),
    KillSwitchChanged: (),
    Alert: (),
    Alarm: (),
    Archived: (),
    Logged: (),
    ActorFailed: (Role.SAFETY,),
    ActorRestarted: (),
    ActorGaveUp: (),
    MessageQuarantined: (),
    Overtaken: (),
}


def _has_ended_unfilled(update: OrderUpdate) -> bool:
    return update.status in _ENDED_UNFILLED


_ENDED_UNFILLED = TERMINAL - {OrderStatus.FILLED}


def _is_final(halt: Halt) -> bool:
    return halt.final


def _is_answer_to_safety(answer: VenueAnswer) -> bool:
    return answer.number < 0


def _is_answer_to_broker(answer: VenueAnswer) -> bool:
    return answer.number >= 0


CONDITIONS: Mapping[tuple[type, Role], Callable[[Any], bool]] = {
    # what works holds its reservation, what is filled has given it up with its fill
    (OrderUpdate, Role.PORTFOLIO): _has_ended_unfilled,
    # whoever has asked gets the answer: the kill switch numbers its calls below 0
    # the kill switch tells the others itself; the system's it latches for the next process
    (Halt, Role.SAFETY): _is_final,
    (VenueAnswer, Role.SAFETY): _is_answer_to_safety,
    (VenueAnswer, Role.BROKER): _is_answer_to_broker,
}
"""Which messages of a type a role is spared: those for which the condition does not hold."""


SHOWN = frozenset({EquityMarked, TradingStateChanged, ActorFailed, Difference})
"""What people are shown even where the kill switch receives it."""


def _joined(old: MarketData, new: MarketData) -> MarketData:
    return MarketData(old.rows.conflated(new.rows))


RULES: Mapping[type, Rule] = {
    MarketData: Rule(overflow=Overflow.KEEP_LATEST, join=_joined),
    Signal: WAIT,
    SignalBatch: WAIT,
    ModifyOrder: WAIT,
    ConvertTokens: WAIT,
    SubmitOrder: WAIT,
    ReplaceOrder: WAIT,
    CancelOrder: WAIT,
    CancelOrders: WAIT,
    PlaceOrder: WAIT,
    ReplacePlacedOrder: WAIT,
    CancelPlacedOrder: WAIT,
}
"""What has no rule of its own comes back, and never waits: overflow crashes its sender."""


def rule_of(message_type: type) -> Rule:
    """Return a message type's overflow rule."""
    return RULES.get(message_type, CRASH)


_CORES = (Role.VENUE, Role.SAFETY, Role.BROKER, Role.ORDERS, Role.PORTFOLIO)


def compile_routes(
    cells: Mapping[str, Receiver], wants: Mapping[str, frozenset[type]]
) -> dict[type, Route]:
    """Return the table for the cells of one run.

    Args:
        cells: The cells by name; the cores are named as their roles, the rest are strategies.
        wants: For each strategy the messages it handles; it is not sent others.
    """
    return {kind: _route(kind, roles, cells, wants) for kind, roles in ROUTES.items()}


def _route(
    kind: type,
    roles: Sequence[Role],
    cells: Mapping[str, Receiver],
    wants: Mapping[str, frozenset[type]],
) -> Route:
    """Return the receivers of a message type, with everything looked up that can be."""
    cores = tuple(cells[role] for role in roles if role in _CORES and role in cells)
    if Role.SELF in roles:
        actors: Mapping[str, tuple[Receiver, ...]] = {name: (c,) for name, c in cells.items()}
        return lambda message: actors.get(message.actor, ())
    if Role.OWNER in roles:
        owners = [name for name in wants if kind in wants[name]]
        return _to_owner(kind, cores, {name: cells[name] for name in owners})
    everyone = (*cores, *(cells[name] for name in wants if Role.STRATEGIES in roles))
    if any((kind, core.name) in CONDITIONS for core in cores):
        return _to_some(kind, everyone)
    return lambda _message: everyone


def _to_some(kind: type, receivers: Sequence[Receiver]) -> Route:
    """Return a route to those whose condition holds, if they have one."""
    conditions = [(each, CONDITIONS.get((kind, Role(each.name)), _always)) for each in receivers]
    return lambda message: [each for each, holds in conditions if holds(message)]


def _always(_message: Any) -> bool:
    return True


def _to_owner(kind: type, cores: tuple[Receiver, ...], owners: Mapping[str, Receiver]) -> Route:
    """Return a route to some cores and to the strategy that the message names."""
    all_of = {name: (*cores, owner) for name, owner in owners.items()}
    condition = CONDITIONS.get((kind, Role.PORTFOLIO))
    if condition is None:
        return lambda message: all_of.get(message.strategy, cores)
    spared = tuple(core for core in cores if core.name != Role.PORTFOLIO)
    some_of = {name: (*spared, owner) for name, owner in owners.items()}

    def route(message: Any) -> Sequence[Receiver]:
        if condition(message):
            return all_of.get(message.strategy, cores)
        return some_of.get(message.strategy, spared)

    return route


def journaled_types() -> list[type[Any]]:
    """Return every message type that a journal may hold, by name."""
    return sorted((kind for kind in ROUTES if kind is not MarketData), key=lambda k: k.__name__)
