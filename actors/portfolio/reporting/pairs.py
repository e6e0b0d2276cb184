"""Outcome tokens by market: what a YES/NO pair locks in, and what a set of markets can come to."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import attrs

from actors.model.instrument import Instrument, Instruments, Outcome
from actors.model.money import ONE, ZERO
from actors.portfolio.books.exact import add, share, subtract
from actors.portfolio.books.ledger import Ledger
from actors.portfolio.books.positions import Position
from actors.portfolio.claims.reservations import Reservations


@attrs.frozen(kw_only=True)
class Held:
    """What is held of one outcome, in units and in the instrument's currency.

    Attributes:
        quantity: Tokens held; ``Qy`` or ``Qn``.
        cost: What they were bought for, without commissions; ``Cy`` or ``Cn``.
        fees: Commissions paid since the start, for closed ones too.
        buying: Tokens that orders are about to buy.
        selling: Tokens that orders are about to sell.
    """

    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    fees: Decimal = ZERO
    buying: Decimal = ZERO
    selling: Decimal = ZERO

    @property
    def average_cost(self) -> Decimal:
        """Return the cost of one token, half-even to 28 digits; 0 if there is none."""
        return share(self.cost, ONE, self.quantity) if self.quantity > ZERO else ZERO

    @property
    def is_pending(self) -> bool:
        """Return whether an order for it works or is on its way."""
        return bool(self.buying or self.selling)

    def cost_of(self, quantity: Decimal) -> Decimal:
        """Return the cost of some of the tokens, at the average."""
        if quantity == self.quantity:
            return self.cost
        return share(self.cost, quantity, self.quantity) if quantity else ZERO


@attrs.frozen(kw_only=True)
class Pair:
    """A two-outcome market: one YES and one NO together pay exactly one unit.

    Attributes:
        market: The market's id.
        yes: What is held of YES.
        no: What is held of NO.
    """

    market: str
    yes: Held
    no: Held

    @property
    def locked(self) -> Decimal:
        """Return the pairs that are complete: ``min(Qy, Qn)``, not negative."""
        return max(min(self.yes.quantity, self.no.quantity), ZERO)

    @property
    def locked_cost(self) -> Decimal:
        """Return what the complete pairs were bought for, at the average costs."""
        return add(self.yes.cost_of(self.locked), self.no.cost_of(self.locked))

    @property
    def fees(self) -> Decimal:
        """Return the commissions paid on both outcomes since the start."""
        return add(self.yes.fees, self.no.fees)

    @property
    def guaranteed_profit(self) -> Decimal:
        """Return what the complete pairs earn whatever happens: payoff, less cost, less fees."""
        return subtract(subtract(self.locked, self.locked_cost), self.fees)

    @property
    def exposure(self) -> Decimal:
        """Return the tokens without a partner: above 0 of YES, below 0 of NO."""
        return subtract(self.yes.quantity, self.no.quantity)

    @property
    def profit_if_yes(self) -> Decimal:
        """Return what is earned if YES pays, in respect of what is held: with all fees."""
        return self._profit(self.yes.quantity)

    @property
    def profit_if_no(self) -> Decimal:
        """Return what is earned if NO pays, in respect of what is held: with all fees."""
        return self._profit(self.no.quantity)

    def _profit(self, paid: Decimal) -> Decimal:
        return subtract(subtract(paid, add(self.yes.cost, self.no.cost)), self.fees)

    def as_state(self) -> dict[str, Any]:
        """Return the pair under the names of a position state."""
        return {
            "Qy": self.yes.quantity,
            "Qn": self.no.quantity,
            "Cy": self.yes.cost,
            "Cn": self.no.cost,
            "pending_yes": self.yes.is_pending,
            "pending_no": self.no.is_pending,
        }


@attrs.frozen(kw_only=True)
class Event:
    """Markets of which exactly one pays YES (a negative-risk set).

    Attributes:
        event: The set's id.
        values: What all tokens held pay if a market is the one, by market.
        cost: What they were bought for, without commissions.
        fees: Commissions paid since the start.
    """

    event: str
    values: Mapping[str, Decimal]
    cost: Decimal
    fees: Decimal

    @property
    def worst_value(self) -> Decimal:
        """Return the least that they pay, over the known outcomes."""
        return min(self.values.values(), default=ZERO)

    @property
    def best_value(self) -> Decimal:
        """Return the most that they pay, over the known outcomes."""
        return max(self.values.values(), default=ZERO)

    @property
    def guaranteed_profit(self) -> Decimal:
        """Return the least that they earn, after costs and fees; negative is the worst loss."""
        return subtract(subtract(self.worst_value, self.cost), self.fees)


class PairBook:
    """Looks at the ledger by market; the account's, or one strategy's part of it."""

    def __init__(
        self, instruments: Instruments, ledger: Ledger, reservations: Reservations
    ) -> None:
        self._instruments = instruments
        self._ledger = ledger
        self._reservations = reservations

    def pair(self, instrument_id: str, strategy: str | None = None) -> Pair | None:
        """Return the market that an outcome token belongs to; None if it is no such token."""
        instrument = self._instruments.get(instrument_id)
        if instrument is None or instrument.complement is None:
            return None
        other = self._instruments.get(instrument.complement)
        if other is None or instrument.outcome is None:
            return None
        is_yes = instrument.outcome is Outcome.YES
        yes, no = (instrument, other) if is_yes else (other, instrument)
        return Pair(market=_market(yes), yes=self._held(yes, strategy), no=self._held(no, strategy))

    def pairs(self, strategy: str | None = None) -> list[Pair]:
        """Return every two-outcome market that there ever was a position in, by its id."""
        touched = {position.instrument for position in self._positions(strategy)}
        found = [self.pair(each, strategy) for each in touched]
        by_market = {pair.market: pair for pair in found if pair is not None}
        return [by_market[market] for market in sorted(by_market)]

    def events(self, strategy: str | None = None) -> list[Event]:
        """Return every set of markets that there ever was a position in, by its id."""
        names = set()
        for position in self._positions(strategy):
            instrument = self._instruments.get(position.instrument)
            if instrument is not None and instrument.event is not None:
                names.add(instrument.event)
        return [self._event(name, strategy) for name in sorted(names)]

    def _event(self, name: str, strategy: str | None) -> Event:
        tokens = [each for each in self._instruments if each.event == name and each.outcome]
        held = [(token, self._held(token, strategy)) for token in tokens]
        values = {
            market: _sum(
                side.quantity
                for token, side in held
                if (_market(token) == market) is (token.outcome is Outcome.YES)
            )
            for market in sorted({_market(token) for token in tokens})
        }
        return Event(
            event=name,
            values=values,
            cost=_sum(side.cost for _, side in held),
            fees=_sum(side.fees for _, side in held),
        )

    def _positions(self, strategy: str | None) -> list[Position]:
        opened = self._ledger.opened()
        return opened if strategy is None else [p for p in opened if p.strategy == strategy]

    def _held(self, instrument: Instrument, strategy: str | None) -> Held:
        name = instrument.id
        held = [each for each in self._positions(strategy) if each.instrument == name]
        if strategy is None:
            working = self._reservations.account(name)
        else:
            working = self._reservations.strategy((strategy, name))
        return Held(
            quantity=_sum(each.quantity for each in held),
            cost=_sum(each.signed_cost for each in held),
            fees=_sum(each.commission for each in held),
            buying=working.buying,
            selling=working.selling,
        )


def _market(instrument: Instrument) -> str:
    """Return the market's id; of a token that has none, the ids of both."""
    if instrument.market is not None:
        return instrument.market
    return "/".join(sorted((instrument.id, instrument.complement or instrument.id)))


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    total = ZERO
    for amount in amounts:
        total = add(total, amount)
    return total
