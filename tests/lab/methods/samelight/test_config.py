"""How our own networks are trained and used."""

import pytest

from samelight.lab.methods.samelight import SAMELIGHT
from samelight.models.spec import View


@pytest.mark.parametrize("config", SAMELIGHT.configs.values(), ids=list(SAMELIGHT.configs))
def test_in_use_it_is_shown_no_less_of_a_photo_than_in_training(config):
    assert config.use.window.least >= config.examples.least_window


def test_the_small_network_looks_at_two_sizes_and_the_tiny_one_at_one():
    views = {name: config.use.views for name, config in SAMELIGHT.configs.items()}
    assert views == {
        "small": (View(size_px=512), View(size_px=256)),
        "tiny": (View(size_px=256),),
    }
