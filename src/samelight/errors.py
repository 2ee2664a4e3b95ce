"""Failures that a person can act on: each says what was got, what is wanted, and the next step."""


def missing_extra(extra: str) -> str:
    """Say how to get an optional part, to go on after `X needs` or `X and needs`.

    Args:
        extra: its name among the optional dependencies of pyproject.toml.
    """
    # While no version is published, pip finds samelight in a checkout only.
    return f'the extra "{extra}": in a checkout of samelight, pip install ".[{extra}]"'


class SamelightError(Exception):
    """Anything samelight refuses to do. Its text is one line, written for the user."""


class SamelightWarning(UserWarning):
    """Something converted, dropped or doubtful, where a result has no place for notes."""


class PhotoError(SamelightError):
    """A photo that is missing, damaged, or not a photo."""


class MaskError(SamelightError):
    """A mask that cannot be read, or that does not belong to its photo."""


class ModelError(SamelightError):
    """A model that is unknown, missing, or not the file it should be."""


class CorrectionError(SamelightError):
    """A file that holds no correction this version can read."""


class OutputError(SamelightError):
    """A result that cannot be written where it was asked for."""


class UsageError(SamelightError, ValueError):
    """An argument outside its range."""


class DatasetError(SamelightError):
    """A data set that is incomplete or broken, or that is not laid out as its kind is."""


class ResultsError(SamelightError):
    """Predictions or results that are missing, or that belong to another question."""
