"""Compares what the account holds with what the venue says, and cures by rule."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal

from msgspec.structs import replace

from actors.messages.reconciliation import (
    Cure,
    Difference,
    DifferenceKind,
    Part,
    Reconciled,
    ResolveDifference,
    VenueHoldings,
)
from actors.model.money import ZERO, plain
from actors.portfolio.account import Account
from actors.portfolio.books.exact import subtract
from actors.portfolio.books.positions import Purse
from actors.portfolio.config import HoldingsRule, PortfolioConfig
from actors.portfolio.reconciling.adoption import PREFIX, START, Booked, adopted_key
from actors.portfolio.reconciling.agreement import Agreement
from actors.portfolio.reconciling.suspects import Subject, Suspect, suspected
from actors.portfolio.reconciling.under_way import UnderWay

Adopt = Callable[[str, Sequence[Subject]], list[Booked]]
"""Books some differences for a cause; returns the bookings."""
HoldingsOutput = Booked | Difference | Reconciled

_POSITION, _BALANCE = DifferenceKind.POSITION, DifferenceKind.BALANCE


class Holdings:
    """Compares positions (the sum over strategies) and balances, round by round.

    A round must have been asked for after the one before was answered. When a difference counts is
    said in :mod:`actors.portfolio.reconciling.suspects`; as long as the gate is closed, what is
    only suspected keeps it closed. Instruments and currencies that the account does not know are
    not compared, and no balance is where the venue tells none.
    """

    def __init__(
        self, account: Account, config: PortfolioConfig, agreement: Agreement, under_way: UnderWay
    ) -> None:
        self.venue = ""
        """Whose word the latest round was."""
        self._account = account
        self._config = config
        self._agreement = agreement
        self._under_way = under_way
        self._round = 0
        self._asked_ns = 0
        self._suspects: dict[str, Suspect] = {}
        self._ignored: dict[str, Decimal] = {}
        """What somebody has decided to ignore, by key: theirs less ours."""
        self._adoptions = 0
        self._takes_cash = config.starting_cash_from_venue

    # --- what comes in ---------------------------------------------------------------------------

    def begin(self, last_ns: int) -> None:
        """Begin anew after a restart of the process: what was asked for before it is too old."""
        self._agreement.begin("not compared since the restart")
        self._asked_ns = max(self._asked_ns, last_ns)
        self._suspects = {key: each for key, each in self._suspects.items() if each.is_told}

    def take(self, message: VenueHoldings, now_ns: int, adopt: Adopt) -> list[HoldingsOutput]:
        """Compare with what the venue holds; tell what is new, and that the round is over."""
        if message.asked_ns < self._asked_ns:
            return []
        self._asked_ns, self._round = message.asked_ns, message.round
        self.venue = message.venue
        told: list[HoldingsOutput] = []
        if self._takes_cash:
            told += self._start(message, adopt)
        before, self._suspects = self._suspects, self._compared(message)
        self._under_way.next_round()
        if self._config.holdings is HoldingsRule.ADOPT:
            told += self._cure(now_ns, adopt)
        told += self._news(now_ns)
        told += [
            _difference(each, Cure.REFUSE, now_ns, is_open=False)
            for key, each in before.items()
            if each.is_told and key not in self._suspects and not _is_among(key, told)
        ]
        return [*told, self._over()]

    def resolve(
        self, message: ResolveDifference, now_ns: int, adopt: Adopt
    ) -> list[HoldingsOutput]:
        """Let somebody decide on an open difference; do nothing about one that is not ours."""
        suspect = self._suspects.get(message.key)
        if suspect is None or not suspect.is_told:
            return []
        told: list[HoldingsOutput] = []
        if message.cure is Cure.IGNORE:
            subject = suspect.subject
            self._ignored[message.key] = subtract(subject.theirs, subject.ours)
        elif message.cure is Cure.ADOPT or message.cure is Cure.BOOK:
            told += self._adopted("resolved", [suspect.subject], adopt)
            if not told:
                return []
        else:
            return []
        del self._suspects[message.key]
        told.append(_difference(suspect, message.cure, now_ns, is_open=False))
        return [*told, self._over()]

    @property
    def suspects(self) -> tuple[str, ...]:
        """Return the keys of what differed in the latest round, told or not."""
        return tuple(self._suspects)

    # --- comparing -------------------------------------------------------------------------------

    def _compared(self, message: VenueHoldings) -> dict[str, Suspect]:
        found: dict[str, Suspect] = {}
        way = self._under_way
        for subject in self._subjects(message):
            key, name = subject.key, subject.name
            if subject.agrees:
                continue
            if subject.kind is _POSITION:
                is_quiet = way.is_quiet(name)
                is_explained = way.explains(name, subject.difference)
            else:
                is_quiet = way.is_cash_quiet(name)
                is_explained = way.explains_cash(subject.difference)
            found[key] = suspected(
                subject, self._suspects.get(key), is_quiet=is_quiet, is_explained=is_explained
            )
        return found

    def _subjects(self, message: VenueHoldings) -> Iterator[Subject]:
        account, tolerance = self._account, self._config.position_tolerance
        names = {each.instrument for each in account.ledger.held()}
        names.update(name for name in message.positions if name in account.instruments)
        for name in sorted(names):
            ours = account.ledger.total(name).quantity
            theirs = message.positions.get(name, ZERO)
            yield self._subject(_POSITION, name, ours, theirs, tolerance)
        if message.balances:
            for currency, purse in account.ledger.books.purses.items():
                theirs = self._balance(message.balances, currency, purse)
                yield self._subject(
                    _BALANCE, currency, purse.cash, theirs, self._config.cash_tolerance
                )

    def _subject(
        self, kind: DifferenceKind, name: str, ours: Decimal, theirs: Decimal, tolerance: Decimal
    ) -> Subject:
        difference = subtract(theirs, ours)
        subject = Subject(
            kind=kind,
            name=name,
            ours=ours,
            theirs=theirs,
            difference=difference,
            tolerance=tolerance,
        )
        ignored = self._ignored.get(subject.key)
        if ignored is None:
            return subject
        if subject.agrees:
            del self._ignored[subject.key]
            return subject
        return replace(subject, difference=subtract(difference, ignored))

    def _balance(self, balances: Mapping[str, Decimal], currency: str, purse: Purse) -> Decimal:
        """Return the venue's balance; of those taken at par with ours, if ours is not told."""
        books = self._account.ledger.books
        if currency in balances or purse is not books.own:
            return balances.get(currency, ZERO)
        at_par = (amount for name, amount in balances.items() if books.settings.is_par(name))
        return sum(at_par, ZERO)

    # --- curing, telling -------------------------------------------------------------------------

    def _start(self, message: VenueHoldings, adopt: Adopt) -> list[Booked]:
        """Take the venue's balances to begin with, if nothing was booked before."""
        self._takes_cash = False
        if self._account.ledger.version:
            return []
        subjects = [
            each for each in self._subjects(message) if each.kind is _BALANCE and each.difference
        ]
        return self._adopted(START, subjects, adopt) if subjects else []

    def _cure(self, now_ns: int, adopt: Adopt) -> list[HoldingsOutput]:
        """Adopt what counts; what cannot be adopted is left as it is."""
        real = [each.subject for each in self._suspects.values() if each.counts]
        if not real:
            return []
        told: list[HoldingsOutput] = [*self._adopted(str(self._round), real, adopt)]
        keys = {adopted_key(each) for each in told if not isinstance(each, Difference | Reconciled)}
        for key in [each.key for each in real if each.key in keys]:
            suspect = self._suspects.pop(key)
            told.append(_difference(suspect, Cure.ADOPT, now_ns, is_open=False))
        return told

    def _adopted(self, why: str, subjects: Sequence[Subject], adopt: Adopt) -> list[Booked]:
        booked = adopt(f"{PREFIX}{self._adoptions}-{why}", subjects)
        self._adoptions += bool(booked)
        return booked

    def _news(self, now_ns: int) -> list[HoldingsOutput]:
        told: list[HoldingsOutput] = []
        for key, suspect in self._suspects.items():
            if suspect.counts and not suspect.is_told:
                self._suspects[key] = replace(suspect, is_told=True)
                told.append(_difference(suspect, Cure.REFUSE, now_ns, is_open=True))
        return told

    def _over(self) -> Reconciled:
        """Return the word on the round, and take it for ours."""
        is_closed = self._agreement.problem is not None
        keys = [key for key, each in self._suspects.items() if each.is_told or is_closed]
        word = Reconciled(part=Part.HOLDINGS, round=self._round, open=tuple(keys))
        self._agreement.take(word)
        return word


def _is_among(key: str, told: Sequence[HoldingsOutput]) -> bool:
    return any(isinstance(each, Difference) and each.key == key for each in told)


def _difference(suspect: Suspect, cure: Cure, now_ns: int, *, is_open: bool) -> Difference:
    subject = suspect.subject
    return Difference(
        kind=subject.kind,
        key=subject.key,
        ours=plain(subject.ours),
        theirs=plain(subject.theirs),
        cure=cure,
        is_open=is_open,
        time_ns=now_ns,
    )
