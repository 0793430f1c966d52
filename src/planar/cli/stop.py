"""`planar stop`: the emergency stop, for one exchange or for all."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from planar.cli import exits, output
from planar.cli.ask import confirm
from planar.cli.exits import UsageError
from planar.cli.options import HERE, Flag, Json, Target
from planar.cli.session import check_private, run

if TYPE_CHECKING:
    from planar.exchange import Exchange
    from planar.orders.stopping import StopReport
    from planar.workspace import Workspace

PAUSE_S = 0.5
"""Between two attempts to open an exchange that does not answer."""


def stop(
    exchange: str | None = None,
    /,
    *,
    all: Flag = False,
    close_positions: Flag = False,
    into: str | None = None,
    within: Annotated[float, Parameter(show_default=True)] = 30.0,
    yes: Annotated[bool, Parameter(name=("--yes", "-y"), negative="", show_default=False)] = False,
    target: Target = HERE,
    json: Json = False,
) -> int:
    """Cancel every open order of an account, and ask the exchange again until none is left. Exit code 0 only then.

    Works beside a program that holds the journal, and while the exchange fails for a while. Orders of other programs go too.

    Args:
        exchange: CCXT's id, such as binance.
        all: every exchange and account of the configuration.
        close_positions: then sell what is held at the market; needs --into.
        into: the currency that it is sold into, such as USDT.
        within: seconds to try for.
        yes: do not ask before something is sold. Canceling is never asked about.
    """
    if all and (exchange is not None or target.exchange is not None or target.account is not None):
        raise UsageError("--all and one exchange contradict each other", hint="planar stop --all")
    if not all and exchange is None and target.exchange is None:
        raise UsageError("which exchange is meant?", hint="planar stop EXCHANGE, or planar stop --all")
    if close_positions == (into is None):
        raise UsageError(
            "--close-positions and --into belong together", hint="planar stop EXCHANGE --close-positions --into USDT"
        )
    if not within > 0:
        raise UsageError(f"--within is {within:g}; it must be above 0")

    async def work() -> list[StopReport]:
        import planar

        async with planar.open() as workspace:
            if all:
                targets = _everywhere(workspace)
            else:
                targets = [
                    Target(exchange=exchange or target.exchange, account=target.account, environment=target.environment)
                ]
                check_private(workspace, targets[0])
            reports = await asyncio.gather(*(_stop_one(workspace, one, within) for one in targets))
            if into is not None:
                reports = [
                    await _closed(workspace, *pair, into, yes, json) for pair in zip(targets, reports, strict=True)
                ]
            return list(reports)

    reports = run(work())
    code = output.show(reports, lambda: _table(reports), json=json)
    return code if reports and all_done(reports) else exits.REFUSED


def all_done(reports: list[StopReport]) -> bool:
    """Whether the exchanges themselves say that nothing is left."""
    return all(report.verified for report in reports)


def _everywhere(workspace: Workspace) -> list[Target]:
    """Every account with credentials in the environment that is written for its exchange."""
    settings, found = workspace.settings, list[Target]()
    for name in dict.fromkeys([*settings.exchanges, *(one.exchange for one in settings.store.entries)]):
        one = settings.exchange(name)
        if not one.enabled or one.environment is None or one.environment == "paper":
            continue
        accounts = settings.accounts(name, one.environment) or (("",) if one.environment == "local" else ())
        found.extend(Target(exchange=name, account=account) for account in accounts)
    if not found:
        raise UsageError("the configuration names no account", hint="planar stop EXCHANGE --environment local")
    return found


async def _stop_one(workspace: Workspace, target: Target, within_s: float) -> StopReport:
    import planar.runtime as runtime
    from planar.errors import PlanarError
    from planar.orders.stopping import StopReport

    due_s = runtime.monotonic() + within_s
    while True:
        try:
            exchange = await _open(workspace, target)
            return await exchange.stop(within_s=max(0.1, due_s - runtime.monotonic()))
        except PlanarError as error:
            if not error.retryable or runtime.monotonic() + PAUSE_S >= due_s:
                text = f"{type(error).__name__}: {error.message}"
                return StopReport(
                    exchange=target.exchange or "", account=target.account or "", verified=False, error=text
                )
        await runtime.sleep(PAUSE_S)


async def _open(workspace: Workspace, target: Target) -> Exchange:
    options: dict[str, Any] = {"environment": target.environment} if target.environment is not None else {}
    return await workspace.exchange(target.exchange, account=target.account or "", **options)


async def _closed(
    workspace: Workspace, target: Target, report: StopReport, into: str, yes: bool, json: bool
) -> StopReport:
    """Show what would be sold, ask, sell."""
    import msgspec

    from planar.cli.preview import describe, where
    from planar.errors import PlanarError
    from planar.orders.stopping import Left

    try:
        exchange = await _open(workspace, target)
        orders, _ = await exchange.closing_orders(into)
        if orders and not yes:
            lines = [(f"{exchange.id} ({where(exchange.environment)})", describe(order)) for order in orders]
            if not json:
                output.console().print(output.facts(lines, "to be sold at the market"))
            if not await confirm(f"Sell these {len(orders)}?", json=json):
                left = (*report.left, *(Left(f"{one.amount} {one.symbol}", "it was not to be sold") for one in orders))
                return msgspec.structs.replace(report, left=left, verified=False)
        closed, left = await exchange.close_holdings(into)
    except UsageError:
        raise
    except PlanarError as error:
        left = (*report.left, Left("holdings", f"{type(error).__name__}: {error.message}"))
        return msgspec.structs.replace(report, left=left, verified=False)
    return msgspec.structs.replace(
        report, closed=tuple(closed), left=(*report.left, *left), verified=report.verified and not left
    )


def _table(reports: list[StopReport]) -> Any:
    rows: list[list[output.Cell]] = []
    for report in reports:
        whose = f"{report.exchange}{f'/{report.account}' if report.account else ''}"
        state = "verified: none is left" if report.verified else "NOT VERIFIED"
        rows.append([whose, report.environment or output.NONE, str(len(report.canceled)), state, report.error])
        rows.extend([[whose, "", "", "closed", line] for line in report.closed])
        rows.extend([[whose, "", "", f"left: {one.what}", one.reason] for one in report.left])
    return output.table(("exchange", "environment", ">canceled", "state", "why"), rows)
