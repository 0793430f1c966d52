"""What tests of a trading program can use: local exchanges with faults on demand, as pytest fixtures."""
