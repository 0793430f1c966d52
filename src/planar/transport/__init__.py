"""Sockets, budgets, outcomes and deadlines; knows no exchange."""
