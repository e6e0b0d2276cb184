"""What the tests of the whole ring share."""

from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from runtime.system import system


@pytest.fixture(scope="module")
def many_runs() -> Iterator[None]:
    """Spare each of many short runs a full collection of the whole process's garbage."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(system, "steady_collector", nullcontext)
        yield
