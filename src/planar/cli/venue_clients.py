"""`planar venue ca`, and the lines that clients need to reach and to trust the local venue.

Clients keep their real URLs. They are told the proxy door, which routes by host name, and the certificate authority that
signs for these hosts; neither belongs into the system's own settings.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from planar.cli import exits, output
from planar.cli.exits import UsageError
from planar.cli.options import Flag, Json

if TYPE_CHECKING:
    from planar.venue.registry import VenueRecord

Client = Literal["ccxt-py", "ccxt-py-sync", "ccxt-js", "requests", "aiohttp", "node", "curl"]

_LINES: dict[str, str] = {
    "ccxt-py": """\
# ccxt.async_support and ccxt.pro
exchange = ccxt.pro.{exchange}({{"httpsProxy": "{proxy}", "wssProxy": "{proxy}", "cafile": "{ca}"}})""",
    "ccxt-py-sync": """\
# CCXT passes validateServerSsl on to requests, which takes a path there
exchange = ccxt.{exchange}({{"httpsProxy": "{proxy}", "validateServerSsl": "{ca}"}})""",
    "ccxt-js": """\
// start node with: NODE_EXTRA_CA_CERTS={ca}
const exchange = new ccxt.pro.{exchange} ({{ httpsProxy: '{proxy}', wssProxy: '{proxy}' }});
await exchange.loadProxyModules ();  // WebSockets need: npm install http-proxy-agent https-proxy-agent""",
    "requests": """\
requests.get("https://{host}/", proxies={{"https": "{proxy}"}}, verify="{ca}")""",
    "aiohttp": """\
tls = ssl.create_default_context(cafile="{ca}")
async with session.get("https://{host}/", proxy="{proxy}", ssl=tls) as answer: ...""",
    "node": """\
// npm install undici; start node with: NODE_EXTRA_CA_CERTS={ca}
await fetch('https://{host}/', {{ dispatcher: new ProxyAgent('{proxy}') }});  // fetch and ProxyAgent from undici""",
    "curl": """\
curl -i --proxy {proxy} --cacert {ca} https://{host}/""",
}


def ca(
    *,
    path: Flag = False,
    for_: Annotated[Client | None, Parameter(name="--for")] = None,
    json: Json = False,
) -> int:
    """Show the certificate that clients of the local venue must trust, and the lines that tell them so.

    It is made on the first use and stays the same; only clients that are told of it trust it.

    Args:
        path: print the path of the certificate and nothing else.
        for_: print the lines for this client and nothing else.
    """
    from planar.venue import registry
    from planar.venue.ca import Authority

    if path and for_ is not None:
        raise UsageError("--path and --for contradict each other", hint="give one of them")
    certificate = str(Authority.ensure(registry.venue_dir(registry.state_dir())).path)
    if path:
        print(certificate)
        return exits.OK
    record = registry.read(registry.state_dir())
    live = record if record is not None and registry.is_alive(record) else None
    lines = {name: client_lines(name, certificate, live) for name in _LINES}
    if for_ is not None:
        print(lines[for_])
        return exits.OK
    value = {"path": certificate, "clients": lines}
    return output.show(value, lambda: _explanation(certificate, lines, running=live is not None), json=json)


def client_lines(client: str, certificate: str, record: VenueRecord | None) -> str:
    """The lines for one client; of a venue that may not run yet."""
    exchange, host = first_exchange(record)
    proxy = f"http://{record.near if record is not None else '127.0.0.1:PORT'}"
    return _LINES[client].format(ca=certificate, proxy=proxy, exchange=exchange, host=host)


def first_exchange(record: VenueRecord | None) -> tuple[str, str]:
    """An exchange that the venue serves, and one of its real hosts, for examples."""
    from planar.adapters.profile import load_profile
    from planar.venue.wire import known_wires

    exchange = record.venues[0] if record is not None else next(iter(known_wires()))
    rules = load_profile(exchange).hosts.get("local")
    return exchange, rules.hosts[0] if rules is not None else "HOST"


def announce(record: VenueRecord, *, json: bool) -> None:
    """Say how the venue that has just started is reached."""
    if json:
        output.print_json({"ready": True, **{name: getattr(record, name) for name in record.__struct_fields__}})
        return
    exchange, host = first_exchange(record)
    ca_path = record.ca or output.NONE
    rows = [
        ("exchanges", ", ".join(record.venues)),
        ("proxy", f"http://{record.near}   for clients that keep their real URLs"),
        ("base URL", f"http://{record.near}/{host}   for clients that take one"),
        ("socket", f"{record.socket}   Planar's own way"),
        ("certificate", f"{ca_path}   clients of the proxy must trust it"),
    ]
    console = output.console()
    console.print(output.facts(rows, title="The local venue is ready"))
    console.print("\nTry, in another terminal:")
    console.print(f"  planar ticker BTC/USDT --exchange {exchange} --environment local")
    console.print("  planar venue keys            accounts with funds, open orders and a past")
    console.print("  planar venue ca              lines for CCXT and other clients")
    console.print("\nCtrl-C ends it.")
    sys.stdout.flush()


def _explanation(certificate: str, lines: dict[str, str], *, running: bool) -> str:
    parts = [
        f"The certificate of the local venue's own authority:\n  {certificate}",
        "Tell it to one client at a time, never to the system. The key beside it is yours alone.",
        *(f"{name}:\n" + "\n".join(f"  {line}" for line in text.splitlines()) for name, text in lines.items()),
    ]
    if not running:
        parts.append("PORT is the port of `planar venue up --port PORT`; no venue is running now.")
    return "\n\n".join(parts)
