"""The account as risk policies see it: everything is found when it is asked for, and not before."""

from collections import deque
from collections.abc import Iterable, Iterator
from decimal import Decimal

from actors.model.instrument import Instrument
from actors.model.money import ONE, ZERO
from actors.model.order import Order
from actors.portfolio.account import Account
from actors.portfolio.approval.samples import Landmarks
from actors.portfolio.books.exact import add, subtract
from actors.risk.policy import RiskPolicy
from actors.risk.view import Approved, Exposure, WorkingOrder


class ApprovalLog:
    """What was approved lately: as far back as the policies look, and nothing if none does."""

    def __init__(self, policies: Iterable[RiskPolicy]) -> None:
        self._span_ns = max((getattr(each, "remembers_ns", 0) for each in policies), default=0)
        self._approved: deque[Approved] = deque()
        self.is_kept = self._span_ns > 0

    def add(self, time_ns: int, order: Order) -> None:
        """Note an approval; they come in order of time, but for changes after a restart."""
        approved = self._approved
        if approved and approved[-1].time_ns > time_ns:
            later = [approved.pop()]
            while approved and approved[-1].time_ns > time_ns:
                later.append(approved.pop())
            approved.append(Approved(time_ns, order))
            approved.extend(reversed(later))
            return
        approved.append(Approved(time_ns, order))
        while approved[0].time_ns <= time_ns - self._span_ns:
            approved.popleft()

    def take_back(self, client_order_id: str) -> None:
        """Forget the newest approval of an order that was not sent after all."""
        kept = [each for each in self._approved if each.order.client_order_id != client_order_id]
        self._approved = deque(kept)

    def after(self, time_ns: int) -> Iterator[Approved]:
        """Yield what was approved later than a time, the newest first."""
        for each in reversed(self._approved):
            if each.time_ns <= time_ns:
                return
            yield each


class RiskView:
    """One account's :class:`~actors.risk.view.AccountView`."""

    def __init__(
        self,
        account: Account,
        landmarks: Landmarks,
        log: ApprovalLog,
    ) -> None:
        self._account = account
        self._landmarks = landmarks
        self._log = log
        self._groups: dict[tuple[str, bool], tuple[Instrument, ...]] = {}
        self._grouped = 0

    def equity(self) -> Decimal:
        """Return the account's value now; the last known where a currency has no rate now."""
        found = self._account.equity()
        if found is None:
            found = self._landmarks.latest
        return self._account.ledger.cash if found is None else found

    def day_start_equity(self, now_ns: int) -> Decimal:
        """Return the account's value when the day (UTC) of ``now_ns`` began."""
        found = self._landmarks.day_start(now_ns)
        return self.equity() if found is None else found

    def peak_equity(self) -> Decimal:
        """Return the highest value that was ever sampled."""
        found = self._landmarks.peak
        return self.equity() if found is None else found

    def mark(self, instrument_id: str) -> Decimal | None:
        """Return what one unit is worth, or None if there never was a price."""
        return self._account.marks.mark(instrument_id)

    def rate(self, instrument: Instrument) -> Decimal:
        """Return the account's currency per unit of the instrument's; 1 if nobody knows."""
        account = self._account
        found = account.capital.rates.rate(instrument.currency, account.marks.mark)
        return ONE if found is None else found

    def price_time_ns(self, instrument_id: str) -> int | None:
        """Return when the price that marks an instrument was seen; None if there is none."""
        return self._account.marks.time_ns(self._account.instruments.index(instrument_id))

    def group(self, instrument: Instrument, *, by_event: bool) -> tuple[Instrument, ...]:
        """Return the instruments of the same market, or event; of neither, the one alone."""
        instruments = self._account.instruments
        if len(instruments) != self._grouped:
            self._groups.clear()
            self._grouped = len(instruments)
        key = (instrument.id, by_event)
        found = self._groups.get(key)
        if found is None:
            found = tuple(each for each in instruments if _is_with(each, instrument, by_event))
            self._groups[key] = found
        return found

    def exposures(
        self, strategy: str | None, instruments: Iterable[Instrument] | None = None
    ) -> list[Exposure]:
        """Return what one strategy, or the account, holds and has working."""
        account = self._account
        held: dict[str, tuple[Decimal, Decimal]] = {}
        for position in account.ledger.open_positions():
            if strategy is None or position.key[0] == strategy:
                quantity, cost = held.get(position.key[1], (ZERO, ZERO))
                signed = position.cost if position.quantity > ZERO else -position.cost
                held[position.key[1]] = (add(quantity, position.quantity), add(cost, signed))
        if instruments is None:
            names = {*held, *(claim.order.instrument for claim in account.reservations.claims())}
            known = (account.instruments.get(name) for name in sorted(names))
            instruments = [each for each in known if each is not None]
        return [self._exposure(each, strategy, held.get(each.id)) for each in instruments]

    def _exposure(
        self, instrument: Instrument, strategy: str | None, held: tuple[Decimal, Decimal] | None
    ) -> Exposure:
        quantity, cost = held or (ZERO, ZERO)
        working = self._account.reservations.known(strategy, instrument.id)
        return Exposure(
            instrument=instrument,
            quantity=quantity,
            cost=cost,
            buying=ZERO if working is None else working.buying,
            selling=ZERO if working is None else working.selling,
        )

    def orders(self, instrument_id: str) -> list[WorkingOrder]:
        """Return the account's orders in one instrument that are not over."""
        return [
            WorkingOrder(order=claim.order, leaves=claim.counted())
            for claim in self._account.reservations.claims_on(instrument_id)
        ]

    def open_orders(self) -> Iterator[Order]:
        """Yield every order of the account that is not over."""
        return (claim.order for claim in self._account.reservations.claims())

    def approvals(self, after_ns: int) -> Iterator[Approved]:
        """Return what was approved later than ``after_ns``, the newest first."""
        return self._log.after(after_ns)

    def worst_value(self) -> Decimal:
        """Return the gross value if every order fills that makes a position greater."""
        value = ZERO
        for each in self.exposures(None):
            mark = self._account.marks.mark(each.instrument.id) or ZERO
            worst = max(add(each.quantity, each.buying), subtract(each.selling, each.quantity))
            worth = worst * mark * each.instrument.multiplier * self.rate(each.instrument)
            value = add(value, worth)
        return value


def _is_with(other: Instrument, instrument: Instrument, by_event: bool) -> bool:
    """Return whether two instruments are of one event, if asked so, or of one market."""
    if by_event and instrument.event is not None:
        return other.event == instrument.event
    if instrument.market is not None:
        return other.market == instrument.market
    return other.id in (instrument.id, instrument.complement)
