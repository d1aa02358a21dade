"""Labelled pairs from a graph and plain sentences: `generator.synthesize` and the rooms it stands on."""
