"""Connections in memory: what protocols see of them, servers, refusals and faults."""

from __future__ import annotations

import asyncio
import contextvars
import errno
import socket
from collections.abc import Callable
from typing import Any

import pytest

import planar.runtime as runtime
from planar.runtime import Latency, SimulationDeadlock, SimulationUnclean, sim_loop, simulate

PATH = "/sim/venue.sock"


class Peer(asyncio.Protocol):
    """Writes down everything that happens to it."""

    def __init__(self, keep_open: bool = False) -> None:
        self.events: list[Any] = []
        self.received = bytearray()
        self.keep_open = keep_open
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self.got = asyncio.Event()
        self.context = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.events.append("made")
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.context = where.get()

    def data_received(self, data: bytes) -> None:
        self.received += data
        self.events.append(len(data))
        self.context += " " + where.get()
        self.got.set()

    def eof_received(self) -> bool:
        self.events.append("eof")
        return self.keep_open

    def pause_writing(self) -> None:
        self.events.append("pause")

    def resume_writing(self) -> None:
        self.events.append("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        self.events.append(type(exc).__name__ if exc else "lost")
        self.lost.set_result(exc)


where: contextvars.ContextVar[str] = contextvars.ContextVar("where", default="nowhere")


async def pair(
    client: Callable[[], Peer] = Peer, server: Callable[[], Peer] = Peer, path: str = PATH
) -> tuple[Peer, Peer]:
    """A connected client and server, and the server listening."""
    accepted: asyncio.Queue[Peer] = asyncio.Queue()

    def factory() -> Peer:
        accepted.put_nowait(server())
        return accepted._queue[-1]  # type: ignore[attr-defined]

    loop = asyncio.get_running_loop()
    await loop.create_unix_server(factory, path)
    _, near = await loop.create_unix_connection(client, path)
    return near, await accepted.get()


def run(main: Callable[[], Any], **options: Any) -> Any:
    """The result of `main`, which must be the same twice."""
    first = simulate(main, **options)
    assert simulate(main, **options) == first
    return first


def test_bytes_arrive_in_order_after_a_delay() -> None:
    async def main() -> Any:
        near, far = await pair()
        start = runtime.monotonic_ns()
        near.transport.write(b"one ")
        near.transport.writelines([b"two ", bytearray(b"three "), memoryview(b"four")])
        assert not far.received
        while len(far.received) < 18:
            far.got.clear()
            await far.got.wait()
        return bytes(far.received), runtime.monotonic_ns() - start

    received, took_ns = run(main)
    assert received == b"one two three four"
    assert 200_000 <= took_ns <= 1_000_001


def test_the_delay_follows_from_the_seed_and_the_model() -> None:
    async def main() -> list[int]:
        sim_loop().network.latency = Latency(5, 20)
        sim_loop().network.latency_to[PATH] = Latency(30, 40)
        near, far = await pair()
        arrivals: list[int] = []
        for _ in range(10):
            sent = runtime.monotonic_ns()
            near.transport.write(b"x")
            far.got.clear()
            await far.got.wait()
            arrivals.append(runtime.monotonic_ns() - sent)
        return arrivals

    delays = run(main, seed=1)
    assert all(30_000_000 <= delay <= 40_000_000 for delay in delays)
    assert len(set(delays)) == 10
    assert run(main, seed=2) != delays


def test_one_connections_traffic_does_not_change_anothers_timing() -> None:
    def program(noisy: bool) -> Callable[[], Any]:
        async def main() -> list[int]:
            noise, _ = await pair(path="/sim/noise")
            near, far = await pair()
            arrivals: list[int] = []
            for _ in range(5):
                if noisy:
                    noise.transport.write(b"noise")
                near.transport.write(b"x")
                far.got.clear()
                await far.got.wait()
                arrivals.append(runtime.monotonic_ns())
            return arrivals

        return main

    assert run(program(True)) == run(program(False))


@pytest.mark.parametrize(("low", "high"), [(-1, 3), (4, 3)])
def test_a_latency_that_cannot_be_is_refused(low: float, high: float) -> None:
    with pytest.raises(ValueError, match=f"not {low} and {high}"):
        Latency(low, high)


def test_close_sends_what_was_written_and_ends_both_sides_in_order() -> None:
    async def main() -> Any:
        near, far = await pair()
        near.transport.write(b"bye")
        near.transport.close()
        near.transport.close()
        assert near.transport.is_closing()
        near.transport.write(b"too late")
        await asyncio.gather(near.lost, far.lost)
        return near.events, far.events, sim_loop().network.connections()

    assert run(main) == (["made", "lost"], ["made", 3, "eof", "lost"], [])


def test_half_close_lets_the_answer_through() -> None:
    async def main() -> Any:
        near, far = await pair(server=lambda: Peer(keep_open=True))
        assert near.transport.can_write_eof()
        near.transport.write(b"question")
        near.transport.write_eof()
        near.transport.write_eof()
        with pytest.raises(RuntimeError, match="after write_eof"):
            near.transport.write(b"more")
        await far.got.wait()
        await runtime.sleep(1)
        far.transport.write(b"answer")
        far.transport.close()
        await asyncio.gather(near.lost, far.lost)
        return near.events, far.events

    assert run(main) == (["made", 6, "eof", "lost"], ["made", 8, "eof", "lost"])


def test_abort_resets_the_other_side() -> None:
    async def main() -> Any:
        near, far = await pair()
        far.transport.write(b"under way")
        near.transport.abort()
        error = await far.lost
        assert await near.lost is None
        assert isinstance(error, ConnectionResetError)
        return near.events, far.events, error.errno

    assert run(main) == (["made", "lost"], ["made", "ConnectionResetError"], errno.ECONNRESET)


def test_writing_to_one_who_has_left_resets() -> None:
    async def main() -> Any:
        near, far = await pair(client=lambda: Peer(keep_open=True))
        far.transport.close()
        await runtime.sleep(1)
        near.transport.write(b"anybody there?")
        await near.lost
        return near.events

    assert run(main) == ["made", "eof", "ConnectionResetError"]


def test_a_reader_that_stops_stops_the_writer() -> None:
    async def main() -> Any:
        network = sim_loop().network
        near, far = await pair()
        far.transport.pause_reading()
        far.transport.pause_reading()
        assert not far.transport.is_reading()
        near.transport.write(b"x" * network.window_bytes)
        assert near.transport.get_write_buffer_size() == 0  # on its way, as in a kernel's buffers
        near.transport.write(b"y" * 65_536)
        assert near.events == ["made"]
        near.transport.write(b"z")
        await runtime.sleep(60)
        blocked = list(near.events), near.transport.get_write_buffer_size(), len(far.received)
        far.transport.resume_reading()
        far.transport.resume_reading()
        await runtime.sleep(60)
        return (
            *blocked,
            near.events,
            near.transport.get_write_buffer_size(),
            bytes(far.received[-2:]),
            len(far.received),
        )

    assert run(main) == (["made", "pause"], 65_537, 0, ["made", "pause", "resume"], 0, b"yz", 256 * 1024 + 65_537)


def test_a_reader_can_stop_between_two_pieces() -> None:
    class OneByOne(Peer):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self.transport.pause_reading()

    async def main() -> Any:
        near, far = await pair(server=OneByOne)
        near.transport.write(b"first")
        near.transport.write(b"second")
        near.transport.close()
        seen: list[bytes] = []
        for _ in range(4):
            await runtime.sleep(1)
            seen.append(bytes(far.received))
            far.transport.resume_reading()
        return seen, far.events

    assert run(main) == ([b"first", *[b"firstsecond"] * 3], ["made", 5, 6, "eof", "lost"])


def test_writing_resumes_when_the_buffer_is_low() -> None:
    class Slow(Peer):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self.transport.pause_reading()

    class Measuring(Peer):
        def resume_writing(self) -> None:
            self.events.append(self.transport.get_write_buffer_size())

    async def main() -> Any:
        network = sim_loop().network
        network.window_bytes = 10
        near, far = await pair(Measuring, Slow)
        near.transport.set_write_buffer_limits(high=100, low=35)
        near.transport.write(b"x" * 150)
        for _ in range(20):
            await runtime.sleep(1)
            far.transport.resume_reading()
        return near.events, len(far.received)

    assert run(main) == (["made", "pause", 30], 150)


def test_a_second_write_does_not_hasten_the_first() -> None:
    def program(count: int) -> Callable[[], Any]:
        async def main() -> int:
            sim_loop().network.latency = Latency(1, 1000)
            near, far = await pair()
            for _ in range(count):
                near.transport.write(b"x")
            await far.got.wait()
            return runtime.monotonic_ns()

        return main

    assert run(program(1)) == run(program(30))


def test_write_buffer_limits_are_as_set() -> None:
    async def main() -> Any:
        near, far = await pair()
        assert near.transport.get_write_buffer_limits() == (16 * 1024, 64 * 1024)
        far.transport.pause_reading()
        near.transport.write(b"x" * (sim_loop().network.window_bytes + 100))
        near.transport.set_write_buffer_limits(high=99)
        limits = [near.transport.get_write_buffer_limits()]
        near.transport.set_write_buffer_limits(low=10)
        limits.append(near.transport.get_write_buffer_limits())
        with pytest.raises(ValueError, match="high"):
            near.transport.set_write_buffer_limits(high=1, low=2)
        return limits, near.events

    assert run(main) == ([(24, 99), (10, 40)], ["made", "pause"])


def test_closing_over_unread_bytes_resets() -> None:
    async def main() -> Any:
        near, far = await pair()
        far.transport.pause_reading()
        near.transport.write(b"x" * 1_000_000)
        await runtime.sleep(1)
        far.transport.close()
        await near.lost
        return near.events

    assert run(main) == ["made", "pause", "ConnectionResetError"]


def test_writes_can_arrive_in_pieces() -> None:
    async def main() -> Any:
        sim_loop().network.segment_bytes = 7
        near, far = await pair()
        near.transport.write(bytes(range(100)))
        await runtime.sleep(1)
        return bytes(far.received), far.events[1:]

    received, sizes = run(main)
    assert received == bytes(range(100))
    assert max(sizes) == 7
    assert min(sizes) == 1


def test_only_bytes_can_be_written() -> None:
    async def main() -> None:
        near, _ = await pair()
        near.transport.write(b"")
        with pytest.raises(TypeError, match="not str"):
            near.transport.write("text")  # type: ignore[arg-type]

    simulate(main)


def test_a_buffered_protocol_is_fed_through_its_buffer() -> None:
    class Buffered(asyncio.BufferedProtocol):
        def __init__(self) -> None:
            self.buffer, self.received = bytearray(4), b""

        def get_buffer(self, sizehint: int) -> bytearray:
            return self.buffer

        def buffer_updated(self, nbytes: int) -> None:
            self.received += self.buffer[:nbytes]

    async def main() -> bytes:
        near, far = await pair()
        protocol = Buffered()
        near.transport.set_protocol(protocol)
        assert near.transport.get_protocol() is protocol
        far.transport.write(b"0123456789")
        await runtime.sleep(1)
        return protocol.received

    assert run(main) == b"0123456789"


def test_an_error_in_a_protocol_ends_its_connection_and_is_told() -> None:
    class Broken(Peer):
        def data_received(self, data: bytes) -> None:
            raise ZeroDivisionError("bad frame")

    outcome: list[Any] = []

    async def main() -> None:
        near, far = await pair(server=Broken)
        near.transport.write(b"x")
        outcome.append((type(await near.lost), type(await far.lost)))

    with pytest.raises(SimulationUnclean, match=r"data_received\(\) call failed.*bad frame"):
        simulate(main)
    assert outcome == [(ConnectionResetError, ZeroDivisionError)]


def test_a_connection_says_where_it_leads() -> None:
    async def main() -> Any:
        loop = asyncio.get_running_loop()
        accepted: list[Peer] = []

        def factory() -> Peer:
            accepted.append(Peer())
            return accepted[-1]

        server = await loop.create_server(factory, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        near, _ = await loop.create_connection(Peer, "api.example.com", port)
        await loop.create_unix_server(factory, PATH)
        near_unix, _ = await loop.create_unix_connection(Peer, PATH)
        names = [t.get_extra_info(n) for t in (near, accepted[0].transport) for n in ("peername", "sockname")]
        unix = [t.get_extra_info(n) for t in (near_unix, accepted[1].transport) for n in ("peername", "sockname")]
        return names, unix, near.get_extra_info("socket"), near.get_extra_info("x", 1), loop.network.connections()

    (peer, own, far_peer, far_own), unix, sock, default, connections = run(main)
    assert (peer, own) == (far_own, far_peer)
    assert own == ("127.0.0.1", own[1])
    assert unix == [PATH, "", "", PATH]
    assert (sock, default) == (None, 1)
    assert connections == [f"api.example.com:{peer[1]}", PATH]


def test_tls_is_marked_and_not_spoken() -> None:
    async def main() -> Any:
        loop, mark = asyncio.get_running_loop(), object()
        near, _ = await pair()
        protocol = Peer()
        transport = await loop.start_tls(near.transport, protocol, mark, server_hostname="x")  # type: ignore[arg-type]
        assert transport.get_protocol() is protocol
        await loop.create_server(Peer, None, 443, ssl=mark)  # type: ignore[arg-type]
        secure, _ = await loop.create_connection(Peer, "a.example", 443, ssl=mark, server_hostname="a")  # type: ignore[arg-type]
        return transport.get_extra_info("sslcontext") is mark, secure.get_extra_info("sslcontext") is mark

    assert simulate(main) == (True, True)


def test_names_resolve_to_loopback_and_back() -> None:
    async def main() -> Any:
        loop = asyncio.get_running_loop()
        found = [(await loop.getaddrinfo(name, 443))[0][4] for name in ("a.example", "b.example", "a.example")]
        assert (await loop.getaddrinfo("10.0.0.1", None))[0][4] == ("10.0.0.1", 0)
        assert (await loop.getaddrinfo(None, 1))[0][4] == ("127.0.0.1", 1)
        with pytest.raises(socket.gaierror, match="no IPv6"):
            await loop.getaddrinfo("a.example", 443, family=socket.AF_INET6)
        back = await loop.getnameinfo(found[1]), await loop.getnameinfo(found[1], socket.NI_NUMERICHOST)
        return found, back

    found, back = run(main)
    assert found[0] == found[2] != found[1]
    assert all(address.startswith("127.") for address, _ in found)
    assert back == (("b.example", "443"), (found[1][0], "443"))


def test_a_host_name_can_have_a_server_of_its_own() -> None:
    async def main() -> list[bytes]:
        loop = asyncio.get_running_loop()

        def speaking(word: bytes) -> Callable[[], asyncio.Protocol]:
            class Speaker(asyncio.Protocol):
                def connection_made(self, transport: Any) -> None:
                    transport.write(word)
                    transport.close()

            return Speaker

        await loop.create_server(speaking(b"kraken"), "api.kraken.example", 443)
        await loop.create_server(speaking(b"any"), ["127.0.0.1", "::1"], 443)
        heard: list[bytes] = []
        for host in ("api.kraken.example", "api.binance.example", "localhost", "127.0.0.1", "::1"):
            reader, writer = await asyncio.open_connection(host, 443)
            heard.append(await reader.read())
            writer.close()
        return heard

    assert run(main) == [b"kraken", b"any", b"any", b"any", b"any"]


def test_where_nobody_listens_the_connection_is_refused_as_by_the_system() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        with pytest.raises(FileNotFoundError, match=PATH):
            await loop.create_unix_connection(Peer, PATH)
        with pytest.raises(ConnectionRefusedError, match=r"'127.0.0.1', 80\)") as caught:
            await loop.create_connection(Peer, "127.0.0.1", 80)
        assert caught.value.errno == errno.ECONNREFUSED
        server = await loop.create_unix_server(Peer, PATH, start_serving=False)
        with pytest.raises(ConnectionRefusedError, match=PATH):
            await loop.create_unix_connection(Peer, PATH)
        await server.start_serving()
        await loop.create_unix_connection(Peer, PATH)
        server.close()
        with pytest.raises(ConnectionRefusedError, match=PATH):  # the file of a server that is gone
            await loop.create_unix_connection(Peer, PATH)
        with pytest.raises(ValueError, match="needs host and port"):
            await loop.create_connection(Peer)
        assert loop.network.connections() == [PATH]

    simulate(main)


def test_two_servers_cannot_share_a_place() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        first = await loop.create_server(Peer, None, 443)
        with pytest.raises(OSError, match="already in use") as caught:
            await loop.create_server(Peer, "127.0.0.1", 443)
        assert caught.value.errno == errno.EADDRINUSE
        first.close()
        await loop.create_server(Peer, "127.0.0.1", 443)

    simulate(main)


def test_a_server_closes_like_asyncios() -> None:
    async def main() -> Any:
        loop = asyncio.get_running_loop()
        server = await loop.create_unix_server(Peer, PATH)
        assert server.is_serving()
        assert server.get_loop() is loop
        assert [sock.getsockname() for sock in server.sockets] == [PATH]
        _, near = await loop.create_unix_connection(Peer, PATH)
        closed = runtime.spawn(server.wait_closed(), name="wait closed")
        await runtime.sleep(1)
        server.close()
        server.close()
        await runtime.sleep(1)
        waiting = not closed.done()  # for its connection
        near.transport.close()
        await closed
        await server.wait_closed()
        with pytest.raises(RuntimeError, match="is closed"):
            await server.start_serving()
        return waiting, server.is_serving(), server.sockets

    assert run(main) == (True, False, ())


def test_a_server_can_send_its_clients_away() -> None:
    async def main() -> Any:
        server = await asyncio.get_running_loop().create_unix_server(Peer, PATH)
        endings: list[str] = []
        for end in (server.close_clients, server.abort_clients):
            _, near = await asyncio.get_running_loop().create_unix_connection(Peer, PATH)
            end()
            await near.lost
            endings.append(near.events[-1])
        return endings

    assert run(main) == ["lost", "ConnectionResetError"]


def test_serve_forever_serves_until_cancelled() -> None:
    async def main() -> bool:
        async with await asyncio.start_unix_server(
            lambda _, writer: writer.close(), PATH, start_serving=False
        ) as server:
            serving = runtime.spawn(server.serve_forever(), name="serve")
            reader, writer = await asyncio.open_unix_connection(PATH)
            assert await reader.read() == b""
            writer.close()
            serving.cancel()
            await asyncio.wait([serving])
        return server.is_serving()

    assert simulate(main) is False


def test_a_server_works_in_its_own_context() -> None:
    async def main() -> Any:
        where.set("server")
        accepted: list[Peer] = []

        def factory() -> Peer:
            accepted.append(Peer())
            return accepted[-1]

        await asyncio.get_running_loop().create_unix_server(factory, PATH)
        where.set("client")
        _, near = await asyncio.get_running_loop().create_unix_connection(Peer, PATH)
        where.set("later")
        near.transport.write(b"question")
        accepted[0].transport.write(b"answer")
        await runtime.sleep(1)
        return near.context, accepted[0].context

    assert run(main) == ("client client", "server server")


def test_a_partition_holds_everything_until_it_heals() -> None:
    async def main() -> Any:
        network = sim_loop().network
        near, far = await pair()
        near.transport.write(b"under way,")
        network.partition(PATH)
        near.transport.write(b"sent,")
        await runtime.sleep(3600)
        network.partition("elsewhere")
        network.heal("elsewhere")
        await runtime.sleep(3600)
        silent = bytes(far.received), network.held()
        network.heal(PATH)
        near.transport.write(b"after")
        await runtime.sleep(1)
        return *silent, bytes(far.received), network.held()

    assert run(main) == (b"", 2, b"under way,sent,after", 0)


def test_a_partition_can_swallow_only_the_answers() -> None:
    async def main() -> Any:
        network = sim_loop().network
        near, far = await pair()
        network.partition(PATH, "to_client")
        near.transport.write(b"order")
        await far.got.wait()
        far.transport.write(b"accepted")
        await runtime.sleep(60)
        lost = bytes(near.received)
        network.drop_connection(PATH)
        await near.lost
        network.heal()
        await runtime.sleep(60)
        return bytes(far.received), lost, bytes(near.received), near.events

    assert run(main) == (b"order", b"", b"", ["made", "ConnectionResetError"])


def test_a_partition_holds_new_connections_of_that_place_alone() -> None:
    async def main() -> Any:
        loop, network = asyncio.get_running_loop(), sim_loop().network
        await loop.create_server(Peer, None, 443)
        network.partition("a.example")
        network.partition("b.example:444")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(loop.create_connection(Peer, "a.example", 443), 30)
        await loop.create_connection(Peer, "b.example", 443)
        network.heal("a.example")
        await loop.create_connection(Peer, "a.example", 443)
        await runtime.sleep(1)
        return network.connections()  # without the attempt that was given up

    assert run(main) == ["b.example:443", "a.example:443"]


def test_an_attempt_given_up_half_way_leaves_nothing() -> None:
    async def main() -> Any:
        network, accepted = sim_loop().network, []

        def factory() -> Peer:
            accepted.append(Peer())
            return accepted[-1]

        await asyncio.get_running_loop().create_unix_server(factory, PATH)
        network.partition(PATH, "to_client")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.get_running_loop().create_unix_connection(Peer, PATH), 1)
        network.heal()
        await runtime.sleep(1)
        return accepted[0].events, network.connections()

    assert run(main) == (["made", "ConnectionResetError"], [])


def test_dropping_resets_both_sides_and_attempts() -> None:
    async def main() -> Any:
        network = sim_loop().network
        made: list[Peer] = []

        def server() -> Peer:
            made.append(Peer())
            return made[-1]

        near, far = await pair(server=server)
        attempt = asyncio.gather(asyncio.get_running_loop().create_unix_connection(Peer, PATH), return_exceptions=True)
        await runtime.sleep(0)
        near.transport.write(b"lost")
        dropped = network.drop_connection(PATH), network.drop_connection("elsewhere")
        await asyncio.gather(near.lost, far.lost)
        assert isinstance((await attempt)[0], ConnectionResetError)
        await runtime.sleep(1)
        return dropped, near.events, far.events, network.connections(), len(made)

    assert run(main) == ((2, 0), ["made", "ConnectionResetError"], ["made", "ConnectionResetError"], [], 1)


def test_a_deadlock_behind_a_partition_says_so() -> None:
    async def main() -> None:
        near, far = await pair()
        sim_loop().network.partition(PATH)
        near.transport.write(b"x")
        await far.got.wait()

    with pytest.raises(SimulationDeadlock, match=r"hold back 1 arrivals; see network\.heal"):
        simulate(main)


def test_what_happens_in_one_instant_is_ordered_by_connection() -> None:
    """Libraries close sets of connections, in an order of addresses; the other side must not see it."""

    def program(order: Callable[[list[Any]], list[Any]]) -> Callable[[], Any]:
        async def main() -> list[int]:
            loop, lost = asyncio.get_running_loop(), []

            class Numbered(asyncio.Protocol):
                def __init__(self, number: int) -> None:
                    self.number = number

                def connection_lost(self, exc: Exception | None) -> None:
                    lost.append(self.number)

            await loop.create_unix_server(asyncio.Protocol, PATH)
            transports = [(await loop.create_unix_connection(lambda n=n: Numbered(n), PATH))[0] for n in range(8)]
            for transport in order(transports):
                transport.close()
            await runtime.sleep(1)
            return lost

        return main

    assert run(program(list)) == run(program(lambda items: items[::-1])) == list(range(8))
