"""Training: `loop.train` and the rooms it stands on."""
