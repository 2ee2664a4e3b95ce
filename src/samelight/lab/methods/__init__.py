"""The methods, by name."""

from samelight.lab.contract import Method
from samelight.lab.methods.giftnet import GIFTNET
from samelight.lab.methods.rcl_esf import RCL_ESF
from samelight.lab.methods.samelight import SAMELIGHT
from samelight.lab.methods.scs_co import SCS_CO
from samelight.lab.methods.ssh import SSH

METHODS: dict[str, Method] = {
    method.name: method for method in (RCL_ESF, SCS_CO, SSH, GIFTNET, SAMELIGHT)
}
