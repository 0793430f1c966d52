"""`make chaos` and `make chaos-full`: every proof of the order path, one after the other, with the time that is left.

    python -m benchmarks.safety.chaos            ten minutes
    python -m benchmarks.safety.chaos --full     the whole counts: below four hours

| step | what it proves |
|---|---|
| safety | kill -9 and swallowed answers, judged by the exchange's ledger |
| histories | events told in any order, twice, late: the merge ends as the ledger says |
| unknown | lost answers, a silent exchange, reads that lag |
| missed fills | fill frames that a healthy stream never brought |
| leaving | callers who are cancelled at each step of a call |
| signals | SIGTERM and SIGINT in the middle of orders |
| seeds | whole lives under faults, each twice, byte for byte the same |

The exit code is 0 only if every step's is.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

import msgspec


class Step(msgspec.Struct, frozen=True):
    """One program.

    Attributes:
        short, full: its arguments.
        minutes: how long each takes on two cores.
    """

    name: str
    module: str
    short: str
    full: str
    minutes: tuple[float, float]


STEPS = (
    Step("histories", "histories", "--cases 20000 --races 2000", "--cases 100000 --races 10000", (0.1, 0.3)),
    Step("unknown", "unknown", "--lost 300 --silent 5 --lagging 5", "--lost 5000 --silent 50 --lagging 50", (0.5, 8)),
    Step("missed fills", "missed_fills", "--exchange binance --drops 100", "--exchange binance --drops 1000", (0.2, 2)),
    Step("missed fills", "missed_fills", "--exchange kraken --drops 100", "--exchange kraken --drops 1000", (0.2, 2)),
    Step("leaving, simulated", "leaving", "--stride 4", "", (0.2, 1)),
    Step("leaving, real", "leaving", "--real --stride 2", "--real", (0.3, 0.7)),
    Step("signals", "signals", "--lives 30", "--lives 500", (1, 15)),
    Step("seeds", "seeds", "--seeds 60", "--seeds 1000", (1, 15)),
    Step("safety", "__main__", "--kills 400 --swallowed 300", "--kills 10000 --swallowed 10000", (6.5, 180)),
)


def main() -> int:
    """Run all steps; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="the whole counts")
    parser.add_argument("--bare", action="store_true", help="bare CCXT beside the kills and swallowed answers")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    failed: list[str] = []
    began_s = time.monotonic()
    for number, step in enumerate(STEPS):
        left = sum(one.minutes[given.full] for one in STEPS[number:])
        print(f"\n{step.name} ({number + 1} of {len(STEPS)}; about {left:.0f} min left for all)", flush=True)
        module = "benchmarks.safety" if step.module == "__main__" else f"benchmarks.safety.{step.module}"
        words = (step.full if given.full else step.short).split()
        words += ["--first" if step.module == "seeds" else "--seed", str(given.seed)]
        words += ["--bare"] if given.bare and step.module == "__main__" else []
        if subprocess.run([sys.executable, "-m", module, *words], check=False).returncode:
            failed.append(" ".join(("python -m", module, *words)))
    print(f"\n{len(STEPS) - len(failed)} of {len(STEPS)} steps passed; {(time.monotonic() - began_s) / 60:.0f} min")
    for command in failed:
        print(f"failed: {command}")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
