"""All features, in the order in which their facts are made."""

from __future__ import annotations

from nesrv.features.bfd import Bfd
from nesrv.features.bgp.feature import Bgp
from nesrv.features.evpn import Evpn
from nesrv.features.feature import Feature
from nesrv.features.instances import Instances
from nesrv.features.interfaces import Interfaces
from nesrv.features.irb import Irb
from nesrv.features.l2vsi import L2vsi
from nesrv.features.policy.policies import PolicyDefinitions
from nesrv.features.policy.sets import MEMBER_SETS, PrefixSets
from nesrv.features.pools import Pools
from nesrv.features.raw import InstanceBlocks, RawBlocks
from nesrv.features.redistribution import Redistribution
from nesrv.features.route_targets import InterInstancePolicies
from nesrv.features.static_routes import StaticRoutes
from nesrv.features.system import System
from nesrv.features.users import Users

FEATURES: tuple[Feature, ...] = (
    Interfaces(),
    Irb(),
    Instances(),
    L2vsi(),
    Bfd(),
    Bgp(),
    Redistribution(),
    Evpn(),
    InterInstancePolicies(),
    StaticRoutes(),
    System(),
    Users(),
    Pools(),
    InstanceBlocks(),
    RawBlocks(),
    PrefixSets(),
    *MEMBER_SETS,
    PolicyDefinitions(),
)
