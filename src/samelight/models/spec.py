"""What is known of a model."""

from dataclasses import dataclass
from pathlib import Path

FORMER_METHODS = {"house": "samelight"}
"""Today's names of methods by those that files of earlier versions hold."""


@dataclass(frozen=True, kw_only=True)
class ModelRow:
    """What is known of one shipped model.

    Attributes:
        folder: where its files lie.
        method: the published method it implements.
        file: name of the ONNX file among the weights.
        sha256: checksum of that file, hex.
        size_px: side of the square picture the network sees.
        licence: of the weights.
        paper: where the method was published.
        parameters: count.
        results: measured figures by name.
        card: name of the model card among the weights.
    """

    folder: Path
    method: str
    file: str
    sha256: str
    size_px: int
    licence: str
    paper: str
    parameters: int
    results: dict[str, float]
    card: str
