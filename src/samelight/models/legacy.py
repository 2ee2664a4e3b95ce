"""The specs of the shipped files that were exported before files knew themselves.

Goes with the last of them: each is replaced when its method is trained anew.
"""

from collections.abc import Mapping
from typing import Any

from samelight.errors import ModelError
from samelight.models.spec import Gate, ModelSpec, View, WindowRule

_METHODS = {"house": "samelight"}
_WINDOW = WindowRule(around=2.5, least=0.4)
_GATES = {"samelight-s": Gate(closed=1.0, open=20.0)}
_SHIPPED = (
    "samelight-s",
    "giftnet.photos-384",
    "rcl_esf.photos-384",
    "scs_co.photos-384",
    "ssh.photos-128",
)


def legacy_spec(
    name: str, metadata: Mapping[str, str], outputs: Mapping[str, tuple[Any, ...]]
) -> ModelSpec:
    """Give a shipped file without a spec the one it should have.

    Args:
        name: of the model, as it was asked for.
        metadata: the file's.
        outputs: shapes of the graph's outputs, by name.

    Raises:
        ModelError: for any other file; it says what to do.
    """
    if name not in _SHIPPED:
        raise ModelError(
            f"{name} does not say how it wants to be used (no model spec inside): export it again "
            "from its run with `samelight export RUN`"
        )
    size_px = int(metadata["size_px"])
    method = _METHODS.get(metadata["method"], metadata["method"])
    return ModelSpec(
        method=method,
        answer="correction" if "correction" in outputs else "picture",
        size_px=size_px,
        views=(View(size_px=size_px),),
        window=_WINDOW if "correction" in outputs else None,
        error_estimate="errors" in outputs,
        gate=_GATES.get(name),
        licence="Apache-2.0",
    )
