"""Messages in words: the values that decided, and no others."""

from collections.abc import Callable, Mapping
from typing import Any

from runtime.research.wording_of_accounts import ACCOUNTS
from runtime.research.wording_of_systems import SYSTEMS
from runtime.research.wording_of_trading import TRADING
from runtime.research.wording_of_venues import VENUES

WORDINGS: Mapping[type, Callable[[Any], str]] = {**TRADING, **VENUES, **ACCOUNTS, **SYSTEMS}
"""How each message type that a journal may hold is said."""


def in_words(message: Any) -> str:
    """Return what a message says, in one line; empty for a type that has no wording."""
    wording = WORDINGS.get(type(message))
    return wording(message) if wording is not None else ""
