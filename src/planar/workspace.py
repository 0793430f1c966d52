"""`Workspace`: everything of Planar in one event loop. `planar.open()` makes one.

It reads the configuration once, holds the one Dialer, the meters, the markets, the local venue, and one `Exchange` per
(exchange, account, environment); closing it closes all of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import planar.runtime as runtime
from planar.adapters.base import Adapter
from planar.adapters.exchange_ids import known_ids, resolve_exchange_id
from planar.adapters.market_cache import MarketCache
from planar.adapters.opening import OpeningRequest, open_adapter
from planar.adapters.subtypes import parent_of
from planar.config import ExchangeSettings, Settings, flag, load
from planar.config.accounts import ConfiguredAccount, with_open
from planar.config.debug import enable_debug
from planar.config.differing import differing
from planar.config.paths import cache_dir, state_dir
from planar.config.schema import Environment
from planar.errors import ConfigError, NotSupported, Outcome, WrongLoop
from planar.exchange import Exchange
from planar.exchange.wiring import SafetyWiring, audit_trail
from planar.multi import Group
from planar.orders import OrderManager
from planar.paper import PaperAdapter, file_of, journal_name, journal_scope, reached
from planar.streams import StreamHub
from planar.transport.alarms import Alarms
from planar.transport.dialer import Dialer
from planar.transport.lanes import NonceLanes
from planar.transport.local import LocalVenue, PrivateVenue, account_keys, find_running
from planar.transport.metrics import Collector
from planar.transport.observe import Observatory, RequestHook
from planar.transport.pool import MeterPool
from planar.transport.sinks import sinks_of

log = logging.getLogger("planar")

Key = tuple[str, str, Environment]
"""(exchange, account, environment)"""


class Workspace:
    """Owns exchanges and everything they share. Belongs to the event loop in which it was entered."""

    def __init__(
        self, settings: Settings, *, private_venue: bool = False, local_venue: LocalVenue | None = None
    ) -> None:
        self.settings = settings
        self._private_venue = private_venue
        self._given_venue = local_venue
        self._loop: asyncio.AbstractEventLoop | None = None
        self._dialer = Dialer()
        budget = settings.budget
        self._own_meters = MeterPool(reserve=budget.reserve, share=budget.share)
        self._meters = MeterPool(
            state_dir() / "budget" if budget.shared is True else None,
            redis=None if isinstance(budget.shared, bool) else budget.shared,
            reserve=budget.reserve,
            share=budget.share,
            address=budget.address,
        )
        self.alarms = Alarms(sinks_of(settings.alarms))
        self._observatory = Observatory(self.alarms)
        self._lanes = NonceLanes(state_dir() / "nonces")
        self._markets = MarketCache(cache_dir() / "markets", offline=flag("PLANAR_OFFLINE"))
        self._exchanges: dict[Key, asyncio.Task[Exchange]] = {}
        self._opened: dict[Key, ExchangeSettings] = {}
        self._venue: asyncio.Task[LocalVenue] | None = None
        self._child: PrivateVenue | None = None
        self._scratch: tempfile.TemporaryDirectory[str] | None = None

    async def __aenter__(self) -> Workspace:
        self._loop = asyncio.get_running_loop()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<Workspace {len(self._exchanges)} exchanges>"

    async def exchange(
        self,
        name: str | None = None,
        *,
        account: str = "",
        reset: bool = False,
        **options: Any,
    ) -> Exchange:
        """The exchange `name`, opened and with its markets loaded; the same object every time.

        Args:
            name: CCXT's id, or a former name; None takes the default of the configuration.
            account: whose credentials, by the suffix of their section.
            reset: close the one that is open and build it again.
            options: keys of the exchange's section in planar.toml, over what is written there: `environment="local"`,
                `sandbox=True`, `timeout=5000`. Those of an exchange that is open already must be the same.

        Raises:
            ConfigError: unknown or disabled exchange; unknown, contradicting or differing options.
            NotSupported: the exchange has no such environment.
            PlanarError: its markets could not be loaded.
        """
        self._check_loop()
        settings = self._settings_of(name, options)
        key = (settings.id, account, settings.environment or "live")
        if reset:
            await self._close_one(key)
        if key not in self._exchanges:
            self._opened[key] = settings
            self._exchanges[key] = runtime.spawn(self._open(key, settings), name=f"open {settings.id}")
        elif options and settings != self._opened[key]:
            raise differing(settings, self._opened[key])
        task = self._exchanges[key]
        try:
            # one caller's cancellation must not take the exchange from the others
            return await asyncio.shield(task)
        except BaseException:
            if task.done() and (task.cancelled() or task.exception() is not None) and self._exchanges.get(key) is task:
                del self._exchanges[key]
            raise

    def accounts(self, name: str | None = None) -> tuple[ConfiguredAccount, ...]:
        """All configured accounts, in all environments, and those that are open: names and places, never secrets.

        Args:
            name: of this exchange only.
        """
        wanted = None if name is None else resolve_exchange_id(name)[0]
        opened = [key for key in self._opened if key in self._exchanges and wanted in (None, key[0])]
        return with_open(self.settings.configured_accounts(wanted), opened)

    def group(self, *names: str, **options: Any) -> Group:
        """Several exchanges at once; they are opened when the group is first used.

        Args:
            names: ids, the primary one first; none: the `primary` and `backup` of the configuration, else all that are
                enabled, or have a section of their own.
            options: as of `exchange()`, for all of them.

        Raises:
            ConfigError: an id is unknown, or none is named and the configuration has none.
        """
        self._check_loop()
        chosen = self.settings.selection
        configured = (*((chosen.primary,) if chosen.primary else ()), *chosen.backup)
        sections = tuple(one for one in self.settings.exchanges if self.settings.exchange(one).enabled)
        wanted = names or configured or chosen.enabled or sections
        if not wanted:
            raise ConfigError(
                "no exchange is named, and the configuration has none",
                hint="name them, or write into user/planar.toml:\n"
                '       [exchanges]\n       primary = "..."\n       backup = ["..."]',
            )
        return Group(self, tuple(dict.fromkeys(resolve_exchange_id(one)[0] for one in wanted)), options)

    async def prepare(self, name: str | None = None, *, account: str = "", **options: Any) -> Exchange:
        """The exchange as `exchange()` opens it, before its first request: nothing is known of its markets.

        It is the caller's own: nobody else gets it, and the caller closes it. Arguments and errors as of `exchange()`.
        """
        self._check_loop()
        settings = self._settings_of(name, options)
        return await self._make((settings.id, account, settings.environment or "live"), settings)

    def _settings_of(self, name: str | None, options: Mapping[str, Any]) -> ExchangeSettings:
        chosen = name or self.settings.selection.default
        if chosen is None:
            raise ConfigError(
                "no exchange is named, and the configuration has no default",
                hint='name one, or write into user/planar.toml:\n       [exchanges]\n       default = "..."',
            )
        exchange_id, warning = resolve_exchange_id(chosen)
        if warning is not None:
            log.warning("%s", warning)
        settings = self.settings.with_options(exchange_id, options) if options else self.settings.exchange(exchange_id)
        if not settings.enabled:
            where = self.settings.origin(exchange_id, "enabled") or "[exchanges] enabled"
            raise ConfigError(f"{exchange_id} is disabled ({where})", hint=f"set enabled = true in [{exchange_id}]")
        return settings

    async def _open(self, key: Key, settings: ExchangeSettings) -> Exchange:
        exchange = await self._make(key, settings)
        try:
            # a local venue is made anew each time, so its markets are never taken from the cache
            await exchange.load_markets(reload=reached(settings) == "local")
        except BaseException:
            await exchange.close()
            raise
        return exchange

    async def _make(self, key: Key, settings: ExchangeSettings) -> Exchange:
        """The exchange, before its first request."""
        exchange_id, account, environment = key
        data = reached(settings)
        venue = await self._local_venue(exchange_id) if data == "local" else None
        credentials, fingerprint = await self._credentials(key, venue)
        home = Path(self._scratch.name) if environment == "local" and self._scratch is not None else state_dir()
        scope = journal_scope(environment, data, venue.instance if venue is not None else None)
        trail = audit_trail(settings, home / "audit" / scope, account, credentials, fingerprint, self.alarms)
        opening = OpeningRequest(
            exchange=exchange_id,
            environment=data,
            credentials=credentials,
            fingerprint=fingerprint,
            timeout_ms=settings.timeout_ms,
            futures=settings.futures,
            pacing=settings.enable_rate_limit,
            spacing_ms=settings.rate_limit_ms or 0,
            proxy=settings.proxy,
            no_proxy=settings.no_proxy,
            verify_ssl=settings.verify_ssl,
            ca_file=settings.ca_file,
            source_address=settings.source_address,
            unix_socket=venue.socket if venue else None,
            instance=venue.instance if venue else "",
            allow_unjournaled=settings.allow_unjournaled,
            order_entry="rest" if environment == "paper" else settings.order_entry,
            ccxt=settings.ccxt,
        )
        adapter: Adapter = open_adapter(
            opening,
            self._dialer,
            # nobody else can reach a venue of this workspace's own
            self._own_meters if venue is not None and self._child is not None else self._meters,
            self._markets,
            self._observatory,
            self._lanes,
            trail,
        )
        if environment == "paper":
            adapter = PaperAdapter(adapter, settings.paper, file_of(home, data, exchange_id, account))
        hub = StreamHub(adapter)
        if isinstance(adapter, PaperAdapter):
            adapter.attach(hub)
        journal = home / "journal" / scope / f"{exchange_id}-{fingerprint}.db"
        required = adapter.capabilities.required_credentials
        return Exchange(
            adapter,
            settings,
            self.settings,
            account=account,
            authenticated=all(name in credentials for name in required),
            make_orders=lambda: OrderManager(
                adapter,
                journal,
                settings.timeout_ms,
                self.alarms,
                account,
                "report" if settings.read_only or settings.dry_run else settings.reconcile,
                settings.durability,
            ),
            hub=hub,
            safety=SafetyWiring(self.alarms, None if environment == "paper" else opening, trail),
        )

    async def _credentials(self, key: Key, venue: LocalVenue | None) -> tuple[Mapping[str, str], str]:
        """The written ones and their fingerprint; in the local environment else the seeded account's, which open
        nothing anywhere else."""
        exchange_id, account, environment = key
        if environment == "paper":
            return {}, journal_name(account)  # none are even looked for
        found = self.settings.credentials_for(exchange_id, account, environment)
        if found is not None:
            return found.reveal(), found.fingerprint()
        if venue is not None:
            return await account_keys(venue, parent_of(exchange_id), account), f"seeded-{account or 'first'}"
        return {}, "public"

    async def _local_venue(self, exchange_id: str) -> LocalVenue:
        if self._venue is None:
            self._venue = runtime.spawn(self._find_venue(), name="local venue")
        task = self._venue
        try:
            venue = await asyncio.shield(task)
        except BaseException:
            if task.done() and self._venue is task:
                self._venue = None
            raise
        if parent_of(exchange_id) not in venue.venues:
            raise NotSupported(
                f"the local venue does not serve {exchange_id}",
                exchange=exchange_id,
                outcome=Outcome.NOT_SENT,
                hint=f"it serves {', '.join(venue.venues)}",
            )
        return venue

    async def _find_venue(self) -> LocalVenue:
        if self._given_venue is not None:
            return self._given_venue
        running = None if self._private_venue else find_running(state_dir())
        if running is not None:
            return running
        self._child = await PrivateVenue.start(seed=self.settings.venue.seed)
        # nobody can ask this venue about its orders when it has gone, so their journal goes with it
        self._scratch = tempfile.TemporaryDirectory(prefix="planar-", ignore_cleanup_errors=True)
        return self._child.venue

    def on_request(self, hook: RequestHook) -> Callable[[], None]:
        """Call `hook(exchange id, record)` with each HTTP request that has ended, whatever became of it.

        It runs in the event loop: keep it short. Call what is given back to end it.
        """
        return self._observatory.on_request(hook)

    def metrics(self) -> Collector:
        """A collector for `prometheus_client`: `REGISTRY.register(p.metrics())`.

        Raises:
            ConfigError: the extra `planar-exchanges[metrics]` is not installed.
        """
        return Collector(self._observatory)

    @property
    def local_venue(self) -> LocalVenue | None:
        """The local venue in use, if one is."""
        task = self._venue
        return task.result() if task is not None and task.done() and not task.cancelled() else None

    def _check_loop(self) -> None:
        if self._loop is None:
            raise WrongLoop("the workspace is not open", hint="use it as: async with planar.open() as p")
        if asyncio.get_running_loop() is not self._loop:
            raise WrongLoop(
                "the workspace belongs to another event loop", hint="open one in this loop: async with planar.open()"
            )

    async def _close_one(self, key: Key) -> None:
        task = self._exchanges.pop(key, None)
        if task is None:
            return
        if not task.done():
            task.cancel()
        try:
            exchange = await task
        except (Exception, asyncio.CancelledError):
            # whoever asked for it has the error; there is nothing to close
            return
        await exchange.close()

    async def close(self) -> None:
        """Close every exchange, socket and task; end the private venue. One that fails, or a second Ctrl-C, keeps the
        others from nothing."""
        async with contextlib.AsyncExitStack() as rest:  # from the last to the first
            rest.push_async_callback(self._end_venue)
            rest.push_async_callback(self._own_meters.close)
            rest.push_async_callback(self._meters.close)
            rest.push_async_callback(self.alarms.close)
            rest.callback(self._lanes.close)
            rest.push_async_callback(self._dialer.close)
            for key in list(self._exchanges):
                rest.push_async_callback(self._close_one, key)

    async def _end_venue(self) -> None:
        if self._venue is not None and not self._venue.done():
            self._venue.cancel()
            await asyncio.wait([self._venue])
        if self._child is not None:
            await self._child.close()
            self._child = None
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None


def open_workspace(
    config: str | Path | None = None,
    secrets: str | Path | None = None,
    *,
    private_venue: bool = False,
    local_venue: LocalVenue | None = None,
) -> Workspace:
    """A workspace from the configuration; use it as `async with`.

    Args:
        config: path of planar.toml; None looks for it (see docs/configuration.md).
        secrets: path of secrets.toml; None looks for it.
        private_venue: the local environment starts a venue of its own, even where one is running.
        local_venue: the venue of the local environment, where the caller runs it.

    Raises:
        ConfigError: the configuration is wrong; all mistakes at once.
    """
    enable_debug()
    settings = load(Path(config) if config else None, Path(secrets) if secrets else None, known_ids=known_ids())
    return Workspace(settings, private_venue=private_venue, local_venue=local_venue)
