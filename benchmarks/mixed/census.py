"""What a process holds: tasks, open files, memory. After a run it must be what it was before."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import msgspec

SELF = Path("/proc/self")
PAGE = os.sysconf("SC_PAGE_SIZE")


class Census(msgspec.Struct, frozen=True):
    """Names of the tasks that are not done, and what the open file descriptors lead to."""

    tasks: tuple[str, ...]
    files: tuple[str, ...]


def take() -> Census:
    """What there is now."""
    tasks = sorted(task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task())
    files: list[str] = []
    for entry in (SELF / "fd").iterdir():
        try:
            files.append(os.readlink(entry).partition(":[")[0])
        except FileNotFoundError:  # of the listing itself
            continue
    return Census(tuple(tasks), tuple(sorted(files)))


def more(before: Census, after: Census) -> list[str]:
    """What there is now and was not before, one line each."""
    found: list[str] = []
    for kind in ("tasks", "files"):
        had = list(getattr(before, kind))
        for name in getattr(after, kind):
            if name in had:
                had.remove(name)
            else:
                found.append(f"{kind.removesuffix('s')} left over: {name}")
    return found


def rss_mib() -> float:
    """Resident memory of this process."""
    return int((SELF / "statm").read_text().split()[1]) * PAGE / 2**20


def slope(points: list[tuple[int, float]]) -> float:
    """Growth of the second half of (calls, MiB), in MiB for 10,000 calls, by least squares."""
    half = points[len(points) // 2 :]
    if len(half) < 3:
        return 0.0
    mean_x, mean_y = sum(x for x, _ in half) / len(half), sum(y for _, y in half) / len(half)
    spread = sum((x - mean_x) ** 2 for x, _ in half)
    return 10_000 * sum((x - mean_x) * (y - mean_y) for x, y in half) / spread
