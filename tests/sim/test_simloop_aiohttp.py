"""A real aiohttp client and server in one process on the seeded loop: twice from one seed, the same bytes.

What differs between two runs is what aiohttp itself draws from the system: WebSocket masks, the handshake's key and the
`Date` header, each of constant length. Nothing an application sees or writes depends on them.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web

import planar.runtime as runtime
from planar.runtime import simulate

PATH = "/sim/venue.sock"
URL = "http://api.venue.example:8080"
Program = Callable[["Log"], Awaitable[None]]


class Log:
    """Lines with the virtual time to the nanosecond."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, *words: object) -> None:
        self.lines.append(" ".join(map(str, (runtime.monotonic_ns(), runtime.wall_ms(), *words))))


def application(log: Log) -> web.Application:
    """An order endpoint that thinks for a seeded while, and a socket that echoes."""

    async def order(request: web.Request) -> web.Response:
        text = await request.text()
        await runtime.sleep(runtime.current().random.random())
        log("venue", request.path, text)
        return web.json_response({"id": str(runtime.uuid4()), "got": len(text), "pad": "x" * 100_000})

    async def stream(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=20)
        await socket.prepare(request)
        async for message in socket:
            log("venue stream", message.data)
            await socket.send_str(message.data * 2)
        log("venue stream closed", socket.close_code)
        return socket

    app = web.Application()
    app.router.add_post("/order", order)
    app.router.add_get("/stream", stream)
    return app


async def trade(log: Log, session: aiohttp.ClientSession) -> None:
    """Twenty simultaneous orders beside a stream."""

    async def place(number: int) -> None:
        async with session.post(f"{URL}/order", data="o" * number) as response:
            answer = await response.json()
            log("client", number, response.status, answer["id"], answer["got"])

    async def listen() -> None:
        async with session.ws_connect(f"{URL}/stream") as socket:
            for number in range(10):
                await socket.send_str(f"m{number}")
                log("client stream", await socket.receive_str())
                await runtime.sleep(runtime.current().random.expovariate(10))
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(600):  # heartbeats go on meanwhile
                    await socket.receive()
            await socket.send_str("still here")
            log("client stream", await socket.receive_str())

    await asyncio.gather(listen(), *(place(number) for number in range(20)))


async def over_unix(log: Log) -> None:
    """Client and venue through `UnixSite` and `UnixConnector`."""
    runner = web.AppRunner(application(log))
    await runner.setup()
    await web.UnixSite(runner, PATH).start()
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(PATH)) as session:
        await trade(log, session)
    await runner.cleanup()
    log("open:", runtime.sim_loop().network.connections())


async def over_tcp(log: Log) -> None:
    """Client and venue through `TCPSite` and `TCPConnector`, which resolves the name and makes sockets."""
    runner = web.AppRunner(application(log))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 8080).start()
    log("listening:", runner.addresses)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=5)) as session:
        await trade(log, session)
    await runner.cleanup()
    log("open:", runtime.sim_loop().network.connections())


def record(program: Program, seed: int) -> str:
    """The log of one run."""
    log = Log()

    async def main() -> None:
        await program(log)

    simulate(main, seed)
    return "\n".join(log.lines)


PROGRAMS = {"unix": over_unix, "tcp": over_tcp}


@pytest.mark.parametrize("name", PROGRAMS)
def test_two_runs_from_one_seed_write_the_same_bytes(name: str) -> None:
    first = record(PROGRAMS[name], seed=11)
    assert first == record(PROGRAMS[name], seed=11)
    assert first != record(PROGRAMS[name], seed=12)
    assert first.count("client") == 31
    assert first.endswith("open: []")


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_hash_seed_of_the_process_does_not_show(name: str) -> None:
    logs = [
        subprocess.run(
            [sys.executable, "-W", "error", __file__, name],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for hash_seed in ("1", "2")
    ]
    assert logs[0] == logs[1] == record(PROGRAMS[name], seed=11) + "\n"


def test_a_swallowed_answer_is_a_timeout_to_the_client_and_a_fact_at_the_venue() -> None:
    async def program(log: Log) -> None:
        runner = web.AppRunner(application(log))
        await runner.setup()
        await web.UnixSite(runner, PATH).start()
        network = runtime.sim_loop().network
        timeout = aiohttp.ClientTimeout(total=5)
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(PATH), timeout=timeout) as session:
            async with session.post(f"{URL}/order", data="first") as response:
                log("client", response.status)
            network.partition(PATH, "to_client")
            with pytest.raises(TimeoutError):
                await session.post(f"{URL}/order", data="second")
            log("client timed out")
            network.drop_connection(PATH)
            network.heal()
            async with session.post(f"{URL}/order", data="third") as response:
                log("client", response.status)
        await runner.cleanup()

    text = record(program, seed=1)
    assert [line.split(" ", 2)[2] for line in text.splitlines()] == [
        "venue /order first",
        "client 200",
        "venue /order second",
        "client timed out",
        "venue /order third",
        "client 200",
    ]


if __name__ == "__main__":
    print(record(PROGRAMS[sys.argv[1]], seed=11))
