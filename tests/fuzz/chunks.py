"""Which chunk is of answers, and which of frames."""

from __future__ import annotations

import logging

from tests.fuzz.frames import play_frames
from tests.fuzz.run import Played, play

FRAMES_EVERY = 100
"""One chunk in so many is of stream frames, which take twenty times as long."""


def played(job: tuple[int, int, int]) -> Played:
    """One chunk: of frames or of answers, as its number says."""
    logging.getLogger("planar").setLevel(logging.CRITICAL)
    seed, chunk, count = job
    number, rest = divmod(chunk, FRAMES_EVERY)
    return play_frames(seed, number, count) if rest == FRAMES_EVERY - 1 else play(seed, chunk - number, count)
