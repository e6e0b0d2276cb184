"""Where the recorded data and conformance cases are, when they are there."""

import json
from pathlib import Path
from typing import Any

import pytest

_SHARED = Path(__file__).resolve().parents[2] / "shared"


def shared_file(path: str) -> Path:
    """Return a file of the shared folder; skip the test where it is absent."""
    found = _SHARED / path
    if not found.exists():
        pytest.skip(f"recorded data not found: ../shared/{path}")
    return found


def conformance(case: str) -> dict[str, Any]:
    """Return a conformance case by its id."""
    loaded: dict[str, Any] = json.loads(shared_file(f"conformance/{case}.json").read_text())
    return loaded


def cases(pattern: str) -> list[Any]:
    """Return the ids of the conformance cases of a kind, as parameters of a test.

    Cases that were added to the folder are found as well; where it is absent, one is skipped.
    """
    found = sorted(path.stem for path in (_SHARED / "conformance").glob(f"{pattern}.json"))
    reason = f"conformance cases not found: ../shared/conformance/{pattern}.json"
    return found or [pytest.param(pattern, marks=pytest.mark.skip(reason=reason))]
