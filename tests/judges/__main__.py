"""`python -m tests.judges`: clients that we did not write, unmodified, against the local exchanges and their ledgers.

    ccxt-kraken krakenex ...    which judges; all of them without a name
    --json                      one final object on standard output

Each judge gets a venue of its own, started and asked as users do (`planar venue ca`, `planar venue keys`), and runs in a
process of its own: the Python CCXT in Planar's environment, the others in environments below .judges/
(`scripts/judges.sh`). As many run at a time as there are processors. The exit code is 0 only if everything agrees with
the ledgers, and if a judge finds the lies of an exchange that lies (`liars`).
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
LINES_FOR = ("ccxt-py", "ccxt-py-sync", "ccxt-js")
JUDGE_S = 300
"""After this long a judge is stopped."""
END_S = 10
NPM = "npm"
FAILED = "runs to its end"
"""The check of a part that an exception ended."""
RUN = "the run itself"
KRAKEN = "judges.wires:kraken"
BINANCE_LIAR, KRAKEN_LIAR = "judges.liars:create", "judges.kraken_liars:create"


class SetupError(Exception):
    """A judge cannot begin."""


class Judge(NamedTuple):
    """One foreign client on one exchange."""

    script: str
    exchange: str
    environment: str | None = None
    """Name of its own environment; None: Planar's."""
    wire: str | None = None
    """The wire of its venue, where it is not the exchange's own."""
    liar: str | None = None
    """A wire that lies. The judge must find it out."""
    trusts: tuple[str, ...] = ()
    """Environment variables by which its libraries are told of a certificate."""
    proxied: bool = False
    """Whether it knows proxies only from the environment."""


REQUESTS = ("REQUESTS_CA_BUNDLE",)
JUDGES = {
    "ccxt-binance": Judge("judge_ccxt", "binance", liar=BINANCE_LIAR),
    "ccxt-kraken": Judge("judge_ccxt_kraken", "kraken", wire=KRAKEN, liar=KRAKEN_LIAR),
    "npm-ccxt-binance": Judge("judge_ccxt_npm", "binance", NPM, liar=BINANCE_LIAR),
    "npm-ccxt-kraken": Judge("judge_ccxt_npm", "kraken", NPM, wire=KRAKEN, liar=KRAKEN_LIAR),
    "binance-connector": Judge(
        "judge_binance_connector",
        "binance",
        "binance-connector",
        liar=BINANCE_LIAR,
        trusts=(*REQUESTS, "WEBSOCKET_CLIENT_CA_BUNDLE"),
    ),
    "binance-sdk-spot": Judge("judge_binance_sdk_spot", "binance", "binance-sdk-spot", liar=BINANCE_LIAR),
    "python-binance": Judge(
        "judge_python_binance",
        "binance",
        "python-binance",
        liar=BINANCE_LIAR,
        trusts=(*REQUESTS, "SSL_CERT_FILE"),
        proxied=True,
    ),
    "krakenex": Judge("judge_krakenex", "kraken", "krakenex", wire=KRAKEN, liar=KRAKEN_LIAR),
    "python-kraken-sdk": Judge(
        "judge_python_kraken_sdk", "kraken", "python-kraken-sdk", wire=KRAKEN, liar=KRAKEN_LIAR, trusts=REQUESTS
    ),
}


class Result:
    """What one judge said.

    Attributes:
        wrong: the checks that failed.
        patience_s: for how long what a stream says may lag behind.
        over: whether enough was said.
    """

    patience_s = 6.0
    over = False

    def __init__(self, name: str) -> None:
        self.name = name
        self.checks = 0
        self.values = 0
        self.wrong: list[dict[str, Any]] = []
        self.notes: list[str] = []
        self.parts: dict[str, float] = {}
        self.seconds = 0.0

    def take(self, line: dict[str, Any]) -> None:
        """One line of its output."""
        if "check" in line:
            self.checks += 1
            self.values += line["values"]
            if not line["ok"]:
                self.wrong.append(line)
        elif "note" in line:
            self.notes.append(line["note"])
        elif "seconds" in line:
            self.parts[line["part"]] = line["seconds"]

    def fail(self, what: str, said: str) -> None:
        """Something that the judge could not say itself."""
        self.wrong.append({"part": RUN, "check": what, "said": said, "expected": "none of it"})

    def progress(self, line: dict[str, Any]) -> None:
        """A line when a part is over, and one for each disagreement."""
        if "seconds" in line:
            print(f"{self.name}: {line['part']} ({line['seconds']:.1f} s)", file=sys.stderr, flush=True)
        elif line.get("ok") is False:
            print(f"{self.name}: DISAGREES: {line['check']}", file=sys.stderr, flush=True)

    def json(self) -> dict[str, Any]:
        """For --json."""
        return {**vars(self), "seconds": round(self.seconds, 1), "agree": not self.wrong}


class Trial(Result):
    """A judge before an exchange that lies: over with the first lie that it finds."""

    patience_s = 0.3

    def take(self, line: dict[str, Any]) -> None:
        """One line of its output."""
        super().take(line)
        self.over = any(one["check"] != FAILED for one in self.wrong)

    def progress(self, line: dict[str, Any]) -> None:
        """A judge on trial says nothing."""


def main() -> int:
    """Run the judges; the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(prog="python -m tests.judges", description=__doc__.splitlines()[0])
    parser.add_argument("judge", nargs="*", metavar="JUDGE", help=f"one of {', '.join(JUDGES)}; default: all")
    parser.add_argument("--seed", type=int, default=1, help="decides markets, accounts and their past")
    parser.add_argument("--json", action="store_true", help="one final object on standard output")
    given = parser.parse_args()
    for name in given.judge:
        if name not in JUDGES:
            parser.error(f"no judge '{name}'; there are {', '.join(JUDGES)}")
    names = list(dict.fromkeys(given.judge or JUDGES))
    try:
        homes = {name: environment(JUDGES[name]) for name in names}
    except subprocess.CalledProcessError as error:
        print(f"planar: an environment of the judges cannot be made: {error}", file=sys.stderr)
        return 2
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        results = list(pool.map(lambda name: run(name, homes[name], given.seed), names))
    for result in results:
        show(result)
    if given.json:
        print(json.dumps({"agree": not any(r.wrong for r in results), "judges": [r.json() for r in results]}))
    else:
        table(results)
    return 1 if any(result.wrong for result in results) else 0


def run(name: str, home: Path, seed: int) -> Result:
    """One judge on a venue of its own, and then on one that lies."""
    judge, result = JUDGES[name], Result(name)
    began = time.monotonic()
    try:
        once(judge, home, seed, judge.wire or judge.exchange, result)
        if judge.liar is not None and not result.wrong:
            result.take({"part": "a venue that lies", "check": "is found out", **found_out(judge, home, seed)})
    except (SetupError, subprocess.SubprocessError) as error:
        result.fail("what the judge needs could be set up", str(error))
    result.seconds = time.monotonic() - began
    return result


def once(judge: Judge, home: Path, seed: int, wire: str, result: Result) -> None:
    """Let a judge judge a venue."""
    with tempfile.TemporaryDirectory(prefix="plj") as directory:
        environ = clean_environ(Path(directory))
        with venue(environ, judge, wire, seed) as task:
            listen(judge, environ, {**task, "home": str(home)}, result)


def found_out(judge: Judge, home: Path, seed: int) -> dict[str, Any]:
    """Whether a judge finds out an exchange that lies: the check of this."""
    assert judge.liar is not None
    trial = Trial(judge.script)
    once(judge, home, seed, judge.liar, trial)
    lies = [line for line in trial.wrong if line["check"] != FAILED and line["part"] != RUN]
    return {"ok": bool(lies), "values": 1, "said": "nothing is wrong", "expected": "something is wrong"}


def clean_environ(directory: Path) -> dict[str, str]:
    """An environment in which nothing leads a client elsewhere: no proxies, no certificates, no configuration."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "SYSTEMROOT") if name in os.environ}
    return {**kept, "HOME": str(directory), "PLANAR_STATE": str(directory), "PYTHONUNBUFFERED": "1"}


def environment(judge: Judge) -> Path:
    """The directory of a client's own environment, which is made if it is not there; Planar's for a judge of its own."""
    if judge.environment is None:
        return Path(sys.prefix)
    script = ["sh", str(ROOT / "scripts" / "judges.sh"), judge.environment, sys.executable]
    program = subprocess.run(script, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout.strip()
    return Path(program).parent if judge.environment == NPM else Path(program).parent.parent


@contextmanager
def venue(environ: dict[str, str], judge: Judge, wire: str, seed: int) -> Iterator[dict[str, Any]]:
    """Run a local exchange, known on this machine as `planar venue up` makes it known; what a judge is told of it."""
    command = [sys.executable, "-m", "planar.venue", "--venues", wire, "--seed", str(seed), "--die-with-parent"]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**environ, "PYTHONPATH": str(HERE.parent)},
        cwd=environ["HOME"],
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        ready = process.stdout.readline()
        if not ready:
            raise SetupError("the local venue did not start; it says why above")
        record = json.loads(ready)
        yield {
            "port": record["port"],
            "token": record["token"],
            "ca": cli(environ, "ca", "--path").strip(),
            "exchange": judge.exchange,
            "accounts": json.loads(cli(environ, "keys", "--json"))[judge.exchange]["accounts"],
            "lines": {client: cli(environ, "ca", "--for", client) for client in LINES_FOR},
        }
    finally:
        process.stdin.close()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def cli(environ: dict[str, str], *words: str) -> str:
    """What `planar venue ...` prints."""
    command = [sys.executable, "-m", "planar", "venue", *words]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environ, cwd=environ["HOME"], text=True)
    return done.stdout


def listen(judge: Judge, environ: dict[str, str], task: dict[str, Any], result: Result) -> None:
    """Run the judge's script and take down what it says."""
    python = sys.executable if judge.environment in (None, NPM) else str(Path(task["home"]) / "bin" / "python")
    told = dict.fromkeys(judge.trusts, task["ca"])
    if judge.proxied:
        told["HTTPS_PROXY"] = f"http://127.0.0.1:{task['port']}"
    errors = Path(environ["HOME"]) / "stderr"
    with errors.open("w") as sink:
        process = subprocess.Popen(
            [python, "-m", f"judges.{judge.script}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=sink,
            env={**environ, **told, "PYTHONPATH": str(HERE.parent)},
            text=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps({**task, "patience_s": result.patience_s}))
        process.stdin.close()
        watch = threading.Timer(JUDGE_S, process.kill)
        watch.start()
        try:
            take_lines(process, result)
            if result.over:
                return
            code = process.wait(END_S)
        finally:
            watch.cancel()
            process.kill()
            process.wait()
    if code or not result.checks:
        result.fail(f"the script ends well (exit code {code})", errors.read_text()[-4000:])
    elif result.wrong and not isinstance(result, Trial):
        print(errors.read_text()[-4000:], file=sys.stderr)


def take_lines(process: subprocess.Popen[str], result: Result) -> None:
    """Read until the script ends."""
    assert process.stdout is not None
    for text in process.stdout:
        if result.over:
            return
        try:
            line = json.loads(text)
        except ValueError:
            line = None
        if not isinstance(line, dict):
            line = {"note": text.rstrip()}  # a client that prints
        result.take(line)
        result.progress(line)


def show(result: Result) -> None:
    """The disagreements in full."""
    for line in result.wrong:
        print(f"\n{result.name}: {line['part']}: {line['check']}", file=sys.stderr)
        print(f"  said      {line['said']}\n  expected  {line['expected']}", file=sys.stderr)


def table(results: list[Result]) -> None:
    """The verdict."""
    width = max(len(result.name) for result in results)
    print(f"\n{'judge':{width}}  {'checks':>7}  {'values':>7}  {'disagree':>8}  {'seconds':>7}")
    for r in results:
        print(f"{r.name:{width}}  {r.checks:7}  {r.values:7}  {len(r.wrong):8}  {r.seconds:7.1f}")
        for note in r.notes:
            print(f"{'':{width}}  {note}")
    print("\n" + ("They agree with the ledgers." if not any(r.wrong for r in results) else "There are disagreements."))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
