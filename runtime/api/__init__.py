"""Bulkhead as a library: a run in one call.

```python
from runtime.api import simulation

run = simulation(5, 0.1)          # five made-up assets, an event every 100 ms
run.add_default_strategies()
result = run.start()              # or: async with run: async for event in run.events(...)
```

A run in real time is governed by the program it runs in:

```python
run = real_time("scenarios/paper.yaml")
async with run:
    await run.begun()
    run.halt("looks wrong")       # nothing new leaves, everything at the venue is cancelled
    await run.resume("looks wrong")
    run.stop("flatten")           # cancel, close positions, end
```
"""

from runtime.api.constructors import backtest as backtest
from runtime.api.constructors import real_time as real_time
from runtime.api.constructors import replay as replay
from runtime.api.constructors import simulation as simulation
from runtime.api.run import Run as Run
from runtime.system.events import Event as Event
from runtime.system.events import EventKind as EventKind
from runtime.system.events import EventStream as EventStream
