"""The `planar` command: a face of `planar.exchange`, `planar.config` and `planar.venue` for people and scripts.

`main` is the entry point. It loads nothing before it must, so that Ctrl-C at any moment ends quietly.
"""

from __future__ import annotations

import signal
import sys


def main() -> None:
    """Run the command line of this process and exit with its code."""
    try:
        from planar.cli.app import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = 130
    # all is done and closed: a Ctrl-C now would only spoil the exit code
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(code)
