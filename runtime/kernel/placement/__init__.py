"""Where a core runs: in the event loop, in a thread beside it, or in an interpreter of its own.

A core that computes for seconds holds up whoever shares its event loop, and one that never returns
holds them up for ever. In a thread it shares the interpreter only; in a process it shares nothing,
and is killed when it does not answer.
"""
