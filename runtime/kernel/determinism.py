"""Chance and schedule: everything that could differ between two runs is seeded here.

The only module that draws from ``random`` and that touches trio's private names.
"""

import gc
import hashlib
import random
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import trio._core._run as trio_run

_TRIO_FLAG = "_ALLOW_DETERMINISTIC_SCHEDULING"
_TRIO_RANDOM = "_r"


def derived_seed(seed: int, *names: str | int) -> int:
    """Return a 64-bit seed for one named part of a run.

    Parts are independent: adding one changes no other's draws.
    """
    text = "\0".join([str(seed), *map(str, names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def seeded_random(seed: int, *names: str | int) -> random.Random:
    """Return the generator of one named part of a run."""
    return random.Random(derived_seed(seed, *names))


def seeded_numpy(seed: int, *names: str | int) -> np.random.Generator:
    """Return the numpy generator of one named part of a run."""
    return np.random.Generator(np.random.PCG64(derived_seed(seed, *names)))


def secret_token() -> str:
    """Return words that nobody can guess: for a key that lets people in, never for a run."""
    return secrets.token_hex(32)


def missing_trio_names() -> list[str]:
    """Return which of the private names that seeding needs this trio does not have."""
    return [name for name in (_TRIO_FLAG, _TRIO_RANDOM) if not hasattr(trio_run, name)]


@contextmanager
def seeded_scheduler(seed: int) -> Iterator[None]:
    """Make trio schedule its tasks in an order that the seed decides, while the block runs."""
    missing = missing_trio_names()
    assert not missing, f"this trio has no {', '.join(missing)}: its schedule cannot be seeded"
    flag, generator = getattr(trio_run, _TRIO_FLAG), getattr(trio_run, _TRIO_RANDOM)
    setattr(trio_run, _TRIO_FLAG, True)
    setattr(trio_run, _TRIO_RANDOM, seeded_random(seed, "scheduler"))
    try:
        yield
    finally:
        setattr(trio_run, _TRIO_FLAG, flag)
        setattr(trio_run, _TRIO_RANDOM, generator)


@contextmanager
def steady_collector() -> Iterator[None]:
    """Keep the garbage collector from running at moments of its own choosing.

    Finalizers could otherwise run between any two messages, and a run that keeps many orders
    would spend its time scanning them. :func:`collect_young` is called at fixed steps instead.
    """
    was_enabled = gc.isenabled()
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        if was_enabled:
            gc.enable()


def collect_young() -> None:
    """Collect what was made since the last call and has become garbage."""
    gc.collect(0)
