"""The only door to time and chance: clocks, randomness, identifiers, sleep, tasks, and a seeded world for tests.

    import planar.runtime as runtime

    runtime.wall_ms(); runtime.uuid4(); await runtime.sleep(0.5); runtime.spawn(coro(), name="pump")

The functions act on `current()`: the seeded loop's runtime inside a simulation, the operating system's elsewhere.
"""

from planar.runtime.api import (
    current,
    monotonic,
    monotonic_ns,
    sleep,
    spawn,
    token,
    token_bytes,
    uuid4,
    wall_ms,
    wall_ns,
)
from planar.runtime.network import Latency, SimNetwork
from planar.runtime.simloop import SimLoop, SimRuntime, SimulationDeadlock, SimulationStuck
from planar.runtime.simulate import SimulationUnclean, sim_loop, simulate
from planar.runtime.system import BASE32_LOWER, SYSTEM, Runtime, SystemRuntime

__all__ = [
    "BASE32_LOWER",
    "Latency",
    "Runtime",
    "SYSTEM",
    "SimLoop",
    "SimNetwork",
    "SimRuntime",
    "SimulationDeadlock",
    "SimulationStuck",
    "SimulationUnclean",
    "SystemRuntime",
    "current",
    "monotonic",
    "monotonic_ns",
    "sim_loop",
    "simulate",
    "sleep",
    "spawn",
    "token",
    "token_bytes",
    "uuid4",
    "wall_ms",
    "wall_ns",
]
