"""`planar demo`: everything that Planar promises, in twenty seconds, offline, with both sides' numbers at the end."""
