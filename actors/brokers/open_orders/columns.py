"""Columns with one entry per instrument, which grow with the table of instruments."""

import numpy as np

from actors.messages.slices import Column


def extended(column: Column, count: int, value: int) -> Column:
    """Return a column with ``count`` more entries, all of one value."""
    return np.concatenate((column, np.full(count, value, dtype=np.int64)))
