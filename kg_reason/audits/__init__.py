"""What shows where a reasoner fails: one audit per file, each a function from a reasoner to a result."""
