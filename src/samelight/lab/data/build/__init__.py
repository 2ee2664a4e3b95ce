"""Data sets made from plain photos."""
