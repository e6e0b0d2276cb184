"""Makes what the venue holds ours: books the difference, so that the books explain themselves."""

from collections.abc import Sequence
from decimal import Decimal

from actors.messages.account import CashAdjusted, PositionChanged
from actors.messages.reconciliation import DifferenceKind
from actors.messages.trading import Fill
from actors.model.money import ZERO
from actors.model.order import Liquidity, Side
from actors.portfolio.account import Account
from actors.portfolio.books.exact import subtract
from actors.portfolio.reconciling.suspects import Subject

EXTERNAL = "external"
"""Whose the positions are that no strategy of ours has made."""
PREFIX = "holdings-"
"""How the causes of adoptions begin."""
START = "start"
"""How the cause ends of the adoption that takes the venue's balances to begin with."""

Booked = Fill | PositionChanged | CashAdjusted


class Adoption:
    """Books differences into one account."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def book(
        self, venue: str, now_ns: int, cause: str, subjects: Sequence[Subject]
    ) -> list[Booked]:
        """Book what can be booked of some differences; tell how.

        A position comes at its mark or, where nobody knows one, at the average cost of what is
        held; without either it cannot be booked. It comes without cash: what the fill pays is given
        back by an entry of its own, as balances are compared for themselves.

        Args:
            venue: Whose word it is.
            now_ns: When.
            cause: What made it happen, once and for all; the ids are made of it.
            subjects: What differs.
        """
        told: list[Booked] = []
        for subject in subjects:
            if subject.kind is DifferenceKind.POSITION:
                told += self._position(venue, now_ns, cause, subject)
            else:
                told.append(
                    self._adjust(f"{cause}/{subject.key}", now_ns, subject.name, subject.difference)
                )
        return told

    def _position(self, venue: str, now_ns: int, cause: str, subject: Subject) -> list[Booked]:
        price = self._price(subject.name)
        if price is None:
            return []
        fill = Fill(
            client_order_id=cause,
            strategy=EXTERNAL,
            instrument=subject.name,
            venue=venue,
            trade_id=f"{cause}/{subject.key}",
            side=Side.BUY if subject.difference > ZERO else Side.SELL,
            last_quantity=subject.difference.copy_abs(),
            last_price=price,
            commission=ZERO,
            liquidity=Liquidity.SETTLEMENT,
            leaves_quantity=ZERO,
            venue_time_ns=now_ns,
            reason="adopted from the venue",
        )
        purse = self._account.ledger.position((EXTERNAL, subject.name)).purse
        before = purse.cash
        told: list[Booked] = [*self._account.book_own([fill])]
        paid = subtract(before, purse.cash)
        if paid:
            entry_id = f"{cause}/offset/{subject.key}"
            told.append(self._adjust(entry_id, now_ns, purse.currency, paid, EXTERNAL))
        return told

    def _adjust(
        self, entry_id: str, now_ns: int, currency: str, amount: Decimal, strategy: str = ""
    ) -> CashAdjusted:
        entry = CashAdjusted(
            entry_id=entry_id,
            time_ns=now_ns,
            currency=currency,
            amount=amount,
            reason="adopted from the venue",
            strategy=strategy,
        )
        self._account.ledger.adjust(entry)
        return entry

    def _price(self, instrument: str) -> Decimal | None:
        """Return what one unit is worth; what the account paid for it where there is no mark."""
        mark = self._account.marks.mark(instrument)
        if mark is not None:
            return mark
        for position in self._account.ledger.open_positions():
            if position.instrument == instrument:
                return position.cost / position.quantity.copy_abs() / position.multiplier
        return None


def adopted_key(booked: Booked) -> str:
    """Return the key of the difference that a booking has adopted; empty for what goes with it."""
    if isinstance(booked, Fill):
        return booked.trade_id.partition("/")[2]
    if isinstance(booked, CashAdjusted):
        return booked.entry_id.partition("/")[2]
    return ""


def cause_of(entry: CashAdjusted) -> str:
    """Return what an adoption's entry was made for; empty if it is no adoption's."""
    return entry.entry_id.partition("/")[0] if entry.entry_id.startswith(PREFIX) else ""


def is_start(entry: CashAdjusted) -> bool:
    """Return whether an entry takes the venue's balance to begin with."""
    return cause_of(entry).endswith(START)
