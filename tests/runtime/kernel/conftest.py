"""What the kernel's tests share."""

import pytest

from tests.runtime.kernel.workers import World


@pytest.fixture
def world() -> World:
    return World()
