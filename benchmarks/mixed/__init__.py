"""Mixed calls under fire: every kind of call against every kind of fault, each one judged."""
