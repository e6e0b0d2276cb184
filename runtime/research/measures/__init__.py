"""Measures of performance: pure functions over returns, equity curves and round trips.

Returns are simple, per period, as fractions (0.01 is 1 %). A measure that is not defined is None;
one that is infinite is ``math.inf`` here and null in JSON.
"""
