"""Weights of the four published methods, which samelight finds once this is installed."""
