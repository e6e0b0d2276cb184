"""The YES/NO strategy: shows the rules what they need to see, and orders what they say."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import attrs
import msgspec

from actors.actor import Context
from actors.messages.account import PositionChanged
from actors.messages.alerts import Logged
from actors.messages.market import (
    KIND_BITS,
    KIND_MASK,
    Bar,
    Connection,
    EventKind,
    Quote,
    Resolution,
    Trade,
)
from actors.messages.trading import OrderUpdate, Signal, SignalBatch, SignalRefused
from actors.model.instrument import Instruments
from actors.model.money import ZERO, plain
from actors.model.order import Side, TimeInForce
from actors.strategies.strategy import Strategy, StrategyConfig
from actors.strategies.yes_no.arbitrage import resolve_leg
from actors.strategies.yes_no.markets import Markets, Pair
from actors.strategies.yes_no.memory import Memory
from actors.strategies.yes_no.oracle_price import OraclePrice
from actors.strategies.yes_no.parameters import YesNoParameters
from actors.strategies.yes_no.rules import Decision, decide
from actors.strategies.yes_no.sizing import sized
from actors.strategies.yes_no.state import (
    NO,
    YES,
    MarketSnapshot,
    OpenLeg,
    PairPosition,
    Rank,
    TradeSignal,
)

_PRINTS = (EventKind.TRADE, EventKind.BAR)
_LEG_TIMER, _ORDER_TIMER = "leg ", "order "
_INVENTORY = (Rank.BOOTSTRAP, Rank.HEDGE, Rank.AVERAGE_DOWN)


class YesNo(Strategy):
    """Trades both outcomes of each market by the rules of :func:`decide`.

    The rules are asked at each quote of a market whose two books are in sync, and at each price of
    the oracle. A side on which an order is under way is left alone until that order is over, in
    whatever way, and its fills are in the position. An offer is used once.

    Orders take what is there (immediate-or-cancel at the best price), unless ``rest`` is set. What
    an arbitrage has left over of one side alone is completed or sold before anything else is done
    in that market; so it is after a restart, from then on with a new ``leg_timeout`` if the time
    that was left was not saved. A warm-up teaches it the oracle's prices, and which markets are
    over.

    Attributes:
        dropped: How often the oracle did not let a rule's order through.
    """

    @attrs.frozen(kw_only=True)
    class Parameters(YesNoParameters):
        """See there."""

    parameters: Parameters

    def __init__(
        self, context: Context, instruments: Instruments, config: StrategyConfig | None = None
    ) -> None:
        super().__init__(context, instruments, config)
        self._memory = Memory()
        self._markets = Markets()
        oracle = self.parameters.oracle
        self._oracle = None if oracle is None else OraclePrice(oracle)
        self._oracle_id = None if oracle is None else oracle.instrument
        self.dropped: Counter[str] = Counter()

    def recover(self, history: Iterable[tuple[str, Any]]) -> None:
        """Rebuild positions, open orders, and what arbitrages have left over."""
        history = list(history)
        super().recover(history)
        for direction, message in history:
            match message:
                case Signal() if direction == "sent":
                    self._memory.sent(message)
                case SignalBatch() if direction == "sent":
                    for signal in message.signals:
                        self._memory.sent(signal)
                case OrderUpdate():
                    self._memory.updated(message, 0)
                case PositionChanged():
                    self._memory.position_changed(message)
                case SignalRefused():
                    self._memory.refused(message)
                case _:
                    pass

    def save(self) -> Any:
        """Return what it knows of its orders and positions, of the markets and of the oracle."""
        return {
            "memory": self._memory.saved(),
            "markets": self._markets.saved(),
            "oracle": None if self._oracle is None else self._oracle.saved(),
            "dropped": dict(self.dropped),
        }

    def restore(self, state: Any) -> None:
        """Go on with that."""
        self._memory.restore(state["memory"])
        self._markets.restore(state["markets"], self.instruments)
        if self._oracle is not None and state["oracle"] is not None:
            self._oracle.restore(state["oracle"], self.instruments)
        self.dropped = Counter(state["dropped"])

    def on_start(self) -> None:
        """Set the timers again that were under way when the state was saved."""
        for pair in self._markets.pairs():
            left_ns = pair.leg_due_ns - self.now_ns
            if left_ns > 0:
                self.set_timer(_LEG_TIMER + pair.yes.instrument.id, left_ns)
        if self.is_restored and self.parameters.rest:
            for order in self.open_orders():
                timer = _ORDER_TIMER + order.client_order_id
                self.set_timer(timer, self.parameters.order_timeout_ns)

    def on_warmed(self) -> None:
        """Use no offer of the past."""
        self._markets.begin_anew()

    # --- what it hears ---------------------------------------------------------------------------

    def trades(self, index: int) -> bool:
        """Return whether it wants to hear of an instrument: its own, and the oracle's."""
        return self.instruments[index].id == self._oracle_id or super().trades(index)

    def callback(self, code: int) -> Callable[[Any], None] | None:
        """Hear public trades and bars of the oracle only."""
        if code & KIND_MASK in _PRINTS and not self._is_oracle(code >> KIND_BITS):
            return None
        return super().callback(code)

    def _is_oracle(self, index: int) -> bool:
        return self.instruments[index].id == self._oracle_id

    def on_quote(self, quote: Quote) -> None:
        """Take a quote, and look at what it is about."""
        if self._oracle is not None and quote.instrument.id == self._oracle_id:
            self._oracle.on_quote(quote)
            self._consider_all(quote.time_ns)
            return
        pair = self._markets.take(quote)
        if pair is not None:
            self._consider(pair, quote.time_ns)

    def on_trade(self, trade: Trade) -> None:
        """Take a public trade of the oracle."""
        assert self._oracle is not None
        self._oracle.on_trade(trade)
        self._consider_all(trade.time_ns)

    def on_bar(self, bar: Bar) -> None:
        """Take a bar of the oracle."""
        assert self._oracle is not None
        self._oracle.on_bar(bar)
        self._consider_all(bar.time_ns)

    def on_connection(self, connection: Connection) -> None:
        """Use nothing from before a change of the connection; nor a book that is out of sync."""
        self._markets.hear(connection)
        about = connection.instrument
        if self._oracle is not None and (about is None or about.id == self._oracle_id):
            self._oracle.forget()

    def on_resolution(self, resolution: Resolution) -> None:
        """Leave alone a market that has been decided."""
        self._markets.decide(resolution.instrument)

    def on_order(self, update: OrderUpdate) -> None:
        """Take notice of an order's progress."""
        self._memory.updated(update, self.now_ns)

    def on_position(self, change: PositionChanged) -> None:
        """Take notice of a position."""
        pair = self._markets.pair(change.instrument)
        if pair is not None and change.quantity < self._memory.quantity(change.instrument):
            pair.merging.discard(change.instrument)
        self._memory.position_changed(change)

    def on_refused(self, refusal: SignalRefused) -> None:
        """Take notice of a refusal; the next quote is another occasion."""
        self._memory.refused(refusal)
        for pair in self._markets.pairs():
            if pair.merge_id == refusal.signal_id:
                pair.merging.clear()

    def on_timer(self, name: str) -> None:
        """Cancel an order that has rested long enough; look at a leg that is late."""
        if name.startswith(_ORDER_TIMER):
            order_id = name.removeprefix(_ORDER_TIMER)
            if any(order.client_order_id == order_id for order in self.open_orders()):
                self.cancel(order_id, reason="rested long enough")
        else:
            pair = self._markets.pair(name.removeprefix(_LEG_TIMER))
            assert pair is not None
            self._consider(pair, self.now_ns)

    def on_stop(self) -> None:
        """Log what the oracle did not let through."""
        if self.dropped:
            dropped = ", ".join(f"{rule} {count}" for rule, count in sorted(self.dropped.items()))
            self._log(f"not supported by the oracle: {dropped}", self.now_ns)

    # --- what it knows ---------------------------------------------------------------------------

    def _snapshot(self, pair: Pair, now_ns: int) -> MarketSnapshot:
        parameters, oracle = self.parameters, None
        if self._oracle is not None:
            if pair.first_price is None:
                pair.first_price = self._oracle.price
            oracle = self._oracle.view(now_ns, pair.first_price)
        since_ns, rate = 0, parameters.curve_fee_rate
        if parameters.max_quote_age_ns is not None:
            since_ns = now_ns - parameters.max_quote_age_ns
        return MarketSnapshot(
            yes=pair.yes.top(since_ns, rate), no=pair.no.top(since_ns, rate), oracle=oracle
        )

    def _position(self, pair: Pair, now_ns: int) -> PairPosition:
        yes = self._memory.position(pair.yes.instrument.id)
        no = self._memory.position(pair.no.instrument.id)
        known = [each for each in (yes, no) if each is not None]
        return PairPosition(
            Qy=ZERO if yes is None else yes.quantity,
            Qn=ZERO if no is None else no.quantity,
            Cy=ZERO if yes is None else yes.cost,
            Cn=ZERO if no is None else no.cost,
            fees=sum((each.commission for each in known), ZERO),
            realized=sum((each.realized_pnl for each in known), ZERO),
            pending_yes=self._is_pending(pair.yes.instrument.id, now_ns),
            pending_no=self._is_pending(pair.no.instrument.id, now_ns),
        )

    def _is_pending(self, instrument: str, now_ns: int) -> bool:
        timeout_ns = self.parameters.order_timeout_ns
        return self.has_open_order(instrument) or self._memory.lags(instrument, now_ns, timeout_ns)

    def _open_leg(
        self, pair: Pair, snapshot: MarketSnapshot, position: PairPosition, now_ns: int
    ) -> OpenLeg | None:
        """Return half of an arbitrage that is worth an order; what hedges inventory is none."""
        half = self._memory.half_pair(pair.yes.instrument.id, pair.no.instrument.id)
        if half is None:
            return None
        excess = position.Qy - position.Qn if half.side is YES else position.Qn - position.Qy
        size = sized((snapshot.top(YES), snapshot.top(NO)), half.size, excess)
        if not size:
            return None
        is_late = now_ns >= pair.leg_due_ns
        return OpenLeg(side=half.side, size=size, paid=half.paid, is_late=is_late)

    # --- what it does ----------------------------------------------------------------------------

    def _consider_all(self, now_ns: int) -> None:
        for pair in self._markets.pairs():
            self._consider(pair, now_ns)

    def _consider(self, pair: Pair, now_ns: int) -> None:
        if pair.is_over or pair.merging:
            return
        snapshot = self._snapshot(pair, now_ns)
        if self.is_warming or not snapshot.sync_status:
            return
        position = self._position(pair, now_ns)
        leg = self._open_leg(pair, snapshot, position, now_ns)
        if leg is not None:
            if not pair.leg_due_ns:  # it is from before a restart
                self._expect_leg(pair, now_ns)
                leg = msgspec.structs.replace(leg, is_late=False)
            for signal in resolve_leg(leg, snapshot, position, self.parameters):
                self._order(pair, signal)
            return
        decision = decide(snapshot, position, self.parameters)
        stop = decision.rank if decision.reason else None
        if stop is not pair.stop:
            pair.stop = stop
            if stop is not None:
                self._log(f"{pair.yes.instrument.market}: {decision.reason}", now_ns)
        if decision.rank is not None:
            self._obey(pair, decision, now_ns)
        if not decision.signals and self.parameters.merge:
            self._merge(pair, position)

    def _obey(self, pair: Pair, decision: Decision, now_ns: int) -> None:
        for dropped in decision.dropped:
            self.dropped[dropped.signal.rank.rule] += 1
        if decision.rank is Rank.SYNTHETIC_ARBITRAGE:
            self._expect_leg(pair, now_ns)
            with self.batch(all_or_none=True):
                for signal in decision.signals:
                    self._order(pair, signal)
            return
        for signal in decision.signals:
            self._order(pair, signal)

    def _expect_leg(self, pair: Pair, now_ns: int) -> None:
        """Give the legs of an arbitrage their time."""
        pair.leg_due_ns = now_ns + self.parameters.leg_timeout_ns
        self.set_timer(_LEG_TIMER + pair.yes.instrument.id, self.parameters.leg_timeout_ns)

    def _order(self, pair: Pair, signal: TradeSignal) -> None:
        half = pair.half(signal.side)
        rests = self.parameters.rest and signal.rank in _INVENTORY
        verb = self.buy if signal.action is Side.BUY else self.sell
        order_id = verb(
            half.instrument,
            signal.size,
            limit=signal.price,
            time_in_force=TimeInForce.GTC if rests else TimeInForce.IOC,
            reason=signal.reason,
            priority=signal.priority,
        )
        self._memory.sent(
            Signal(
                signal_id=order_id,
                strategy=self.name,
                instrument=half.instrument.id,
                side=signal.action,
                limit_price=signal.price,
                reason=signal.reason,
            )
        )
        half.quote = None  # an offer is used once
        if rests:
            self.set_timer(_ORDER_TIMER + order_id, self.parameters.order_timeout_ns)

    def _merge(self, pair: Pair, position: PairPosition) -> None:
        """Turn complete pairs into cash, if there are enough."""
        if position.pending_yes or position.pending_no:
            return
        lot = max(pair.yes.instrument.lot, pair.no.instrument.lot)
        pairs = position.locked_pairs // lot * lot
        if pairs < self.parameters.merge_size:
            return
        pair.merging = {pair.yes.instrument.id, pair.no.instrument.id}
        reason = f"merge: {plain(pairs)} pairs"
        pair.merge_id = self.merge(pair.yes.instrument, pairs, reason=reason)

    def _log(self, text: str, time_ns: int) -> None:
        self.outbox.append(Logged(strategy=self.name, text=text, time_ns=time_ns))
