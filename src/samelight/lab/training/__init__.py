"""The training loop over an objective."""
