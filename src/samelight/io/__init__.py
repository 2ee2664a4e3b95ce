"""The border: files, PIL images and arrays come in here, and results leave here."""
