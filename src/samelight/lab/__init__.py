"""The research half: networks, objectives, data, training, evaluation and export (extra: `lab`)."""
