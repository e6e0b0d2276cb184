"""Split, merge and redeem: outcome tokens made of cash, and cash of outcome tokens, as fills.

A merge sells one YES and one NO for one unit in sum, a split buys them for it. How the one is
divided changes no sum: YES is booked at its mark ``p`` (what it pays, once it is known; one half
where nobody knows), NO at ``1 - p``. So the cash moves by exactly the quantity, and each leg's
profit is what selling it at the market would have made.
"""

from decimal import Decimal

from actors.messages.account import ConversionKind, ConvertTokens
from actors.messages.trading import Fill, SignalRefused, Violation
from actors.model.instrument import Instrument, Outcome
from actors.model.money import ONE, ZERO, plain
from actors.model.order import Liquidity, Side
from actors.portfolio.account import Account
from actors.portfolio.books.exact import multiply, subtract

_HALF = Decimal("0.5")
_POLICY = "Conversion"


class Conversions:
    """Decides on requests to convert tokens."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def decide(self, request: ConvertTokens, now_ns: int) -> tuple[Fill, ...] | SignalRefused:
        """Return the fills that carry out a request, or everything that is against it.

        They are not booked yet.
        """
        instrument = self._account.instruments.get(request.instrument)
        if instrument is None:
            return _refusal(
                request, [Violation("Instrument", "a known instrument", request.instrument)]
            )
        violations = _size_violations(request, instrument)
        if violations:
            return _refusal(request, violations)
        if request.kind is ConversionKind.REDEEM:
            violations = self._redeem_violations(request)
            if violations:
                return _refusal(request, violations)
            payoff = self._account.marks.payoffs[instrument.id]
            return (_leg(request, instrument, payoff, now_ns),)
        other = self._complement(instrument)
        if other is None:
            lone = Violation(_POLICY, "an outcome with a complement", instrument.id)
            return _refusal(request, [lone])
        if request.kind is ConversionKind.SPLIT:
            violations = self._split_violations(request, instrument)
        else:
            violations = self._token_violations(request, instrument, other)
        if violations:
            return _refusal(request, violations)
        yes, no = (instrument, other) if instrument.outcome is Outcome.YES else (other, instrument)
        price = self._price_of_yes(yes, no)
        return (
            _leg(request, yes, price, now_ns),
            _leg(request, no, subtract(ONE, price), now_ns),
        )

    def _complement(self, instrument: Instrument) -> Instrument | None:
        """Return the other outcome, if there are exactly two."""
        if instrument.complement is None or instrument.outcome is None:
            return None
        other = self._account.instruments.get(instrument.complement)
        if other is None or other.outcome is None or other.outcome is instrument.outcome:
            return None
        return other

    def _price_of_yes(self, yes: Instrument, no: Instrument) -> Decimal:
        mark_of = self._account.marks.mark
        price = mark_of(yes.id)
        if price is None:
            opposite = mark_of(no.id)
            price = _HALF if opposite is None else subtract(ONE, opposite)
        return min(max(price, ZERO), ONE)

    # --- what is against it ----------------------------------------------------------------------

    def _redeem_violations(self, request: ConvertTokens) -> list[Violation]:
        account = self._account
        violations: list[Violation] = []
        if request.instrument not in account.marks.payoffs:
            violations.append(Violation("Resolved", "a resolved market", "still traded"))
        held = account.ledger.position((request.strategy, request.instrument)).quantity
        if request.quantity > held:
            violations.append(_too_many(request.instrument, held, request.quantity))
        return violations

    def _split_violations(self, request: ConvertTokens, instrument: Instrument) -> list[Violation]:
        account = self._account
        violations: list[Violation] = []
        if instrument.id in account.marks.payoffs:
            paid = plain(account.marks.payoffs[instrument.id])
            violations.append(Violation("Resolved", "an open market", f"resolved at {paid}"))
        rate = account.capital.rates.rate(instrument.currency, account.marks.mark)
        if rate is None:
            violations.append(Violation("Rate", f"a rate of {instrument.currency}", "none"))
            return violations
        cost, available = multiply(request.quantity, rate), account.available()
        if cost > available:
            violations.append(Violation("CashLimit", plain(available), plain(cost)))
        return violations

    def _token_violations(
        self, request: ConvertTokens, instrument: Instrument, other: Instrument
    ) -> list[Violation]:
        """Return which tokens are too few, beyond what orders are about to sell."""
        account = self._account
        violations: list[Violation] = []
        for each in (instrument, other):
            key = (request.strategy, each.id)
            held = account.ledger.position(key).quantity
            free = subtract(held, account.reservations.strategy(key).selling)
            if request.quantity > free:
                violations.append(_too_many(each.id, max(free, ZERO), request.quantity))
        return violations


def refused(request: ConvertTokens, *violations: Violation) -> SignalRefused:
    """Return the no to a request."""
    return _refusal(request, list(violations))


def _refusal(request: ConvertTokens, violations: list[Violation]) -> SignalRefused:
    return SignalRefused(
        signal_id=request.request_id,
        strategy=request.strategy,
        instrument=request.instrument,
        violations=tuple(violations),
    )


def _size_violations(request: ConvertTokens, instrument: Instrument) -> list[Violation]:
    quantity = request.quantity
    if not quantity.is_finite() or quantity <= ZERO:
        return [Violation("Size", "a quantity above 0", str(quantity))]
    if quantity % instrument.lot:
        wanted = f"a multiple of {plain(instrument.lot)}"
        return [Violation("Size", wanted, plain(quantity))]
    return []


def _too_many(instrument: str, free: Decimal, wanted: Decimal) -> Violation:
    return Violation(_POLICY, f"{plain(free)} {instrument}", plain(wanted))


def _leg(request: ConvertTokens, instrument: Instrument, price: Decimal, now_ns: int) -> Fill:
    """Return the fill of one token; its trade id is made of the request's."""
    is_split = request.kind is ConversionKind.SPLIT
    is_redemption = request.kind is ConversionKind.REDEEM
    return Fill(
        client_order_id=request.request_id,
        strategy=request.strategy,
        instrument=instrument.id,
        venue=instrument.venue,
        trade_id=f"{request.request_id}-{instrument.id}",
        side=Side.BUY if is_split else Side.SELL,
        last_quantity=request.quantity,
        last_price=price,
        commission=ZERO,
        liquidity=Liquidity.SETTLEMENT if is_redemption else Liquidity.CONVERSION,
        leaves_quantity=ZERO,
        venue_time_ns=now_ns,
        reason=request.reason or request.kind.value.lower(),
    )
