"""Knowledge: symbols and ids. No neural network in this wing."""
