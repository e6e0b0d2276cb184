"""Validators: pure rules that find everything wrong with an order or a fill at once."""

from actors.orders.validation.codes import CODES as CODES
from actors.orders.validation.codes import help_of as help_of
from actors.orders.validation.fields import VENUE_SYMBOLS as VENUE_SYMBOLS
from actors.orders.validation.fills import FillValidator as FillValidator
from actors.orders.validation.orders import RULES as RULES
from actors.orders.validation.orders import OrderValidator as OrderValidator
from actors.orders.validation.orders import validate as validate
from actors.orders.validation.results import Finding as Finding
from actors.orders.validation.results import ValidationResult as ValidationResult
from actors.orders.validation.results import reason_of as reason_of
from actors.orders.validation.terms import Capabilities as Capabilities
