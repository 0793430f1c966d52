"""The core of a local exchange: matching engine, ledger, accounts, market model and history. Knows no venue's wire.

`VirtualExchange` in `exchange.py` is its one face, `types.py` holds every value that crosses it.
Everything below is pure: time comes from the clock given to the constructor, chance from its seed.
"""
