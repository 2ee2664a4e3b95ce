"""Metrics, classical baselines and the evaluation of a model over pairs."""
