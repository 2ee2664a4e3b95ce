"""The methods, by name."""

from samelight.lab.methods.contract import Method
from samelight.lab.methods.giftnet import GIFTNET

METHODS: dict[str, Method] = {method.name: method for method in (GIFTNET,)}
