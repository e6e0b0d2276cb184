"""The supervisor on trio against the model of OTP."""

import attrs
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.errors import IntensityExceeded
from runtime.kernel.incarnation import Child
from runtime.kernel.restarts import (
    AutoShutdown,
    Restart,
    Scope,
)
from runtime.kernel.supervisor import (
    Supervisor,
)
from tests.runtime.kernel.otp_model import Ending, OtpModel, Spec
from tests.runtime.kernel.workers import (
    PERIOD_NS,
    Worker,
    World,
    crash,
    finish,
    spec,
)

# Against the model


@st.composite
def supervisors(draw: st.DrawFn, depth: int = 2, name: str = "s") -> Spec:
    auto_shutdown = draw(st.sampled_from(["never", "any_significant", "all_significant"]))
    children = []
    for index in range(draw(st.integers(1, 4 if depth == 2 else 3))):
        restart = draw(st.sampled_from(["permanent", "transient", "temporary"]))
        can_be_significant = restart != "permanent" and auto_shutdown != "never"
        is_significant = can_be_significant and draw(st.booleans())
        below = f"{name}.{index}"
        inner = draw(st.integers(0, 2)) == 0 and depth > 0
        base = draw(supervisors(depth - 1, below)) if inner else Spec(below)
        children.append(attrs.evolve(base, restart=restart, significant=is_significant))
    return Spec(
        name,
        children=tuple(children),
        scope=draw(st.sampled_from(["one_for_one", "one_for_all", "rest_for_one"])),
        intensity=draw(st.integers(0, 3)),
        period=PERIOD_NS,
        auto_shutdown=auto_shutdown,
    )


def build(world: World, workers: dict[str, Worker], wanted: Spec) -> Child:
    """Return the worker or the tree that a model's specification describes."""
    if not wanted.children:
        worker = workers[wanted.name] = Worker(wanted.name, world.log)
        return worker
    children = [
        spec(build(world, workers, each), Restart(each.restart), significant=each.significant)
        for each in wanted.children
    ]
    return world.supervisor(
        wanted.name,
        children,
        scope=Scope(wanted.scope),
        intensity=wanted.intensity,
        period_ns=wanted.period,
        auto_shutdown=AutoShutdown(wanted.auto_shutdown),
    )


Story = list[tuple[int, int, Ending]]


async def compare(tree: Spec, story: Story) -> None:
    """Let real tree and model live through one story; after each exit they have done the same."""
    world, workers = World(), dict[str, Worker]()
    top = build(world, workers, tree)
    assert isinstance(top, Supervisor)
    model = OtpModel(tree, [])
    ending: Ending | None = None
    try:
        async with trio.open_nursery() as nursery:
            await nursery.start(top.run)
            assert world.log == model.log
            for after, index, how in story:
                alive = model.workers()
                if ending is not None or not alive:
                    break
                await world.advance(world.clock.now_ns() + after)
                path = alive[index % len(alive)]
                ending = model.exit(path, how, world.clock.now_ns())
                worker = workers[path[-1]]
                await (crash(worker) if how == "failed" else finish(worker))
                assert world.log == model.log
            if ending is None:
                model.stop()
            top.request_stop()
    except* IntensityExceeded:
        assert ending == "failed"
    else:
        assert ending != "failed"
    assert world.log == model.log


@settings(deadline=None, max_examples=150)
@given(
    tree=supervisors(),
    story=st.lists(
        st.tuples(
            st.sampled_from([0, 1, PERIOD_NS, PERIOD_NS + 1, 10**6]),
            st.integers(0, 30),
            st.sampled_from(["failed", "normal"]),
        ),
        max_size=10,
    ),
)
def test_a_tree_of_supervisors_does_what_otp_does(tree: Spec, story: Story) -> None:
    trio.run(compare, tree, story)
    assert tree.children
