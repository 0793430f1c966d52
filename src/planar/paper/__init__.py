"""Paper trading: the market data of a real exchange, and orders that are simulated here.

`PaperAdapter` stands where an exchange's own adapter stands, so everything above it is the same. Market data goes through to
the adapter below, which has no keys; orders, balances and fills are kept by a `PaperAccount`, in a file of their own.
"""

from planar.paper.adapter import PaperAdapter
from planar.paper.place import file_of, journal_name, journal_scope, reached

__all__ = ["PaperAdapter", "file_of", "journal_name", "journal_scope", "reached"]
