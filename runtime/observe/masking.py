"""Keeps keys and passwords out of logs, manifests and error messages."""

import re
from typing import Any

MASK = "***"

_SECRET = re.compile(r"key|secret|passphrase|token|password", re.IGNORECASE)
_ASSIGNED = re.compile(
    r"""((?<![\w-])(?:[\w-]*(?:key|secret|passphrase|token|password)[\w-]*)["']?\s*[=:]\s*["']?)([^\s"',;}&]+)""",
    re.IGNORECASE,
)


def is_secret(name: str) -> bool:
    """Return whether the value of that name must not be shown."""
    return _SECRET.search(name) is not None


def masked_text(text: str) -> str:
    """Return a text in which ``name=value`` and ``name: value`` of secret names are masked."""
    return _ASSIGNED.sub(rf"\1{MASK}", text)


def masked(value: Any, name: str = "") -> Any:
    """Return plain data with the values of secret names masked, at any depth."""
    if isinstance(value, dict):
        return {key: masked(each, str(key)) for key, each in value.items()}
    if name and is_secret(name):
        return MASK
    if isinstance(value, list | tuple):
        return [masked(each) for each in value]
    return masked_text(value) if isinstance(value, str) else value
