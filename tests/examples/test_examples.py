"""Every program of examples/ runs on local exchanges and prints what it is for; and the README's table names each."""

from __future__ import annotations

import ast
import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PRINTED = {
    "01_instances": "the same object: True",
    "02_market_data": "best bid",
    "03_trading": "state afterwards: canceled",
    "04_account": "<Exchange binance/bob (local)> holds",
    "05_selection": "use binance: ",
    "06_arbitrage": "changes of books looked at",
    "07_connection_problems": "it was not sent again, and it is open",
    "08_rate_limits": "50 books at once",
    "09_pooling": "slower than opening: False",
    "10_batch": "refused:",
    "11_debug": "path=/api/v3/account status=200 outcome=ok",
    "12_stock_broker": "placed: open 3",
    "13_watching": "state: live",
    "14_configuration": "did you mean timeout?",
    "16_strategy": "orders canceled, open: 0",
    "17_ccxt": "createOrder {'post_only': True}: native",
    "18_routing": " in total saves ",
    "19_decentralised": "hyperliquid, at api.hyperliquid.xyz: positions refused it needs",
    "15_errors": "BadSymbol: there is no market 'BTC/UDST'",
}
"""Program -> a part of what it prints."""
ALONE = ("11_debug",)
"""What changes the process that it runs in."""


def test_no_example_is_forgotten() -> None:
    assert sorted(PRINTED) == sorted(path.stem for path in (ROOT / "examples").glob("*.py"))


@pytest.mark.parametrize("name", PRINTED)
def test_an_example_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PLANAR_CACHE", str(tmp_path / "cache"))
    path = ROOT / "examples" / f"{name}.py"
    if name in ALONE:
        done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, timeout=30, check=True)
        printed = done.stdout + done.stderr
    else:
        runpy.run_path(str(path), run_name="__main__")
        printed = capsys.readouterr().out
    assert PRINTED[name] in printed
    assert "secret" not in printed.replace("secrets.toml", "").replace("testnet_secret", "").lower(), printed


HEADINGS = (
    *("Overview", "Key Features", "CCXT Integration", "Supported Exchanges", "Exchange Instance Management"),
    *("Exchange Configuration", "Basic Configuration", "Advanced Configuration Options", "API Credentials"),
    *("Exchange Features", "Market Data Access", "Trading Operations", "Account Information"),
    *("Multi-Exchange Trading", "Exchange Selection Strategy", "Cross-Exchange Arbitrage"),
    *("Sandbox and Testing", "Sandbox Configuration", "Sandbox API Keys"),
    *("Error Handling and Resilience", "Connection Management", "Rate Limiting", "Error Types"),
    *("Performance Optimization", "Connection Pooling", "Batch Operations", "Troubleshooting", "Common Issues"),
    *("Debug Mode", "Advanced Usage", "Custom Exchange Implementation", "WebSocket Integration"),
    *("DEX Support", "Additional Protocols", "Enhanced WebSocket", "Order Routing", "See Also"),
)
"""What a guide to exchange integration has to have, heading by heading."""


def test_each_heading_of_the_guide_has_a_program_and_a_page() -> None:
    readme = (ROOT / "README.md").read_text()
    table = readme.split("## Every subject, a program and a page")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines() if "examples/" in row]
    found = [heading for row in rows for heading in re.split(", |: ", row[0])]
    assert [heading for heading in HEADINGS if heading not in found] == []
    for subject, program, page in rows:
        assert re.fullmatch(r"\[\w+\]\(examples/\w+\.(py|ipynb)\)", program), subject
        assert "](docs/" in page, subject
    for program in PRINTED:
        assert f"(examples/{program}.py)" in table
    for link in re.findall(r"\]\((examples/[^)]+)\)", table):
        assert (ROOT / link).exists(), link
    assert os.path.exists(ROOT / "examples" / "README.md")


async def test_the_notebook_runs_where_a_loop_runs_already_and_shows_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PLANAR_CACHE", str(tmp_path / "cache"))
    cells = json.loads((ROOT / "examples" / "notebook.ipynb").read_text())["cells"]
    space: dict[str, Any] = {}
    shown: list[Any] = []
    for cell in cells:
        if cell["cell_type"] == "code":
            *before, last = ast.parse("".join(cell["source"])).body
            exec(compile(ast.Module([*before], []), "cell", "exec"), space)
            assert isinstance(last, ast.Expr)
            found = eval(compile(ast.Expression(last.value), "cell", "eval"), space)
            shown.append(getattr(found, "_repr_html_", lambda found=found: found)())
    assert all("<table" in one for one in shown[1:5]), shown[1:5]  # book, tickers, balance, order
    assert shown[5] == "canceled"
