"""`python -m tests`: the tests beside each other; the few that failed then once more, alone.

Many tests judge real sockets and processes by the clock, and a machine that stands still for half a second can make one
of thousands miss its moment. What is broken fails alone too. Arguments are pytest's.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import pytest

MOST: Final = 5
"""So many failures may be the machine's; more are not looked at again."""


def run(*arguments: str) -> int:
    """Exit code of pytest."""
    try:
        return subprocess.run([sys.executable, "-m", "pytest", *arguments], check=False).returncode
    except KeyboardInterrupt:  # pytest has had it too, and has said so
        return pytest.ExitCode.INTERRUPTED


def main(arguments: list[str]) -> int:
    """Exit code of the run that decides."""
    if "no:cacheprovider" in arguments:  # nothing then notes what failed
        return run(*arguments)
    with tempfile.TemporaryDirectory() as cache:
        kept = ("-o", f"cache_dir={cache}")
        code = run(*kept, *arguments)
        noted = Path(cache, "v", "cache", "lastfailed")
        if code != pytest.ExitCode.TESTS_FAILED or not noted.exists():
            return code
        failed: list[str] = list(json.loads(noted.read_text()))
        if len(failed) > MOST:
            return code
        print(f"\n{len(failed)} failed beside the others; alone:\n" + "\n".join(failed), flush=True)
        return run(*kept, *failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
