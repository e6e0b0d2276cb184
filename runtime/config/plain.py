"""A configuration as plain data, in the shape of its file: for manifests and messages."""

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import attrs

from runtime.config.conversion import (
    REST,
    is_nanoseconds,
    is_time,
    written_fields,
    written_name,
)
from runtime.config.units import format_duration
from runtime.observe.masking import masked
from runtime.observe.times import iso_time


def to_plain(config: Any) -> dict[str, Any]:
    """Return a configuration as it could stand in a file, with secrets masked.

    Decimals become texts and times become durations, so that the result is exact JSON. Read back
    (as YAML) it gives an equal configuration, secrets excepted.
    """
    plain = masked(_plain(config))
    assert isinstance(plain, dict)
    return plain


def _plain(value: Any) -> Any:
    if attrs.has(type(value)):
        return _plain_fields(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, Decimal | Path) else value


def _plain_fields(owner: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for field in written_fields(type(owner)):
        value = getattr(owner, field.name)
        if REST in field.metadata:
            plain.update(_plain(value))
        elif value is not None and is_nanoseconds(field):
            plain[written_name(field)] = (
                iso_time(value) if is_time(field) else format_duration(value)
            )
        else:
            plain[written_name(field)] = _plain(value)
    return plain
