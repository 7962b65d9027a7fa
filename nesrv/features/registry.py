"""All features, in the order in which their facts are made."""

from __future__ import annotations

from nesrv.features.bgp import Bgp
from nesrv.features.evpn import Evpn
from nesrv.features.feature import Feature
from nesrv.features.instances import Instances
from nesrv.features.interfaces import Interfaces
from nesrv.features.users import Users

FEATURES: tuple[Feature, ...] = (Interfaces(), Instances(), Bgp(), Evpn(), Users())
