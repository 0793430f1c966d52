"""Many processes on one key of a local exchange with strict meters: no violation by its count, and nothing left unused."""
