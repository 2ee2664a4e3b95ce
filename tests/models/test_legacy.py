"""Files of version 0.1 answer as they did in it: figures noted with its code, commit df63338."""

import shutil

import numpy as np
import pytest

from samelight.errors import ModelError
from samelight.models.registry import find_model, list_models
from samelight.models.session import open_session
from samelight.models.spec import Gate, View

CORRECTIONS = {
    "samelight-m": (
        *(1.0370083, 0.0132849, -0.0155870, -0.0153504, 0.0075849, 1.0148132),
        *(0.0041046, -0.0166155, -0.0246299, 0.0244442, 1.0246574, -0.0049709),
    ),
    "samelight-s": (
        *(0.9956659, 0.0382301, 0.0051464, 0.0083582, 0.0486745, 0.9305952),
        *(0.0500673, -0.0082710, -0.0122865, 0.0592109, 0.9941010, 0.0131139),
    ),
}
ERRORS = {"samelight-m": (0.65522, 2.17114), "samelight-s": (2.83883, 6.88255)}
PICTURES = {
    "giftnet.photos-384": (0.4789025, 0.5984886, 0.5960919, 0.0794167, 0.1184570, 0.0770874),
    "rcl_esf.photos-384": (0.5106186, 0.6621879, 0.6523165, 0.1002342, 0.1411903, 0.0517728),
    "scs_co.photos-384": (0.5250337, 0.6790141, 0.6792653, 0.0783712, 0.1366005, 0.0399838),
    "ssh.photos-128": (0.4980991, 0.6508899, 0.6188793, 0.0735093, 0.1438334, 0.0317370),
}
"""Mean and deviation of the foreground's red, green and blue."""


def probe(side):
    """Gradients, and a disc that is their foreground."""
    down, across = np.mgrid[:side, :side].astype(np.float32) / side
    colours = (0.2 + 0.6 * down, 0.5 + 0.3 * np.sin(6 * across), 0.7 - 0.4 * across * down)
    inside = (down - 0.5) ** 2 + (across - 0.4) ** 2 < 0.06
    return np.stack(colours, axis=2).astype(np.float32), inside.astype(np.float32)


def opened(name):
    """A model of version 0.1 that this installation still has."""
    if name not in list_models():
        pytest.skip(f"{name} is not in this installation: it is of samelight-weights, or gone")
    session = open_session(name)
    if session.spec.trainings:
        pytest.skip(f"{name} has been trained anew")
    return session


@pytest.mark.parametrize("name", CORRECTIONS)
def test_a_correction_and_its_error_estimate_are_what_they_were(name):
    session = opened(name)
    grid, estimate = session.correction(*probe(session.spec.size_px))
    np.testing.assert_allclose(grid.ravel(), CORRECTIONS[name], atol=1e-5)
    np.testing.assert_allclose(estimate, ERRORS[name], rtol=1e-4)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_what_it_was(name):
    session = opened(name)
    composite, mask = probe(session.spec.size_px)
    inside = session.picture(composite, mask)[mask > 0]
    found = (*inside.mean(axis=0), *inside.std(axis=0))
    np.testing.assert_allclose(found, PICTURES[name], atol=1e-5)


def test_they_are_used_as_they_were():
    spec = opened("samelight-m").spec
    assert spec.views == (View(size_px=512), View(size_px=512, flip=True))
    assert spec.gate == Gate(closed=1, open=38)
    assert spec.window is not None
    assert (spec.window.around, spec.window.least) == (2.5, 0.4)


def test_a_file_of_that_kind_under_another_name_is_refused_with_the_command_that_converts_it(
    tmp_path,
):
    opened("samelight-s")
    path, _ = find_model("samelight-s")
    shutil.copy(path, tmp_path / "mine.onnx")
    with pytest.raises(ModelError, match=r"mine\.onnx .*export it again .*`samelight export RUN`"):
        open_session(tmp_path / "mine.onnx")
