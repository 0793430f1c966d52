"""Orders under fire: `kill -9` and swallowed answers, judged by the venue's ledger, for Planar and for bare CCXT."""
