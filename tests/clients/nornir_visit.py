"""Edits running with nornir-netconf and reads it back: ``nornir_visit.py HOST PORT USER PASSWORD NAME DEPTH``."""

import sys

from nornir.core import Nornir
from nornir.core.inventory import ConnectionOptions, Defaults, Groups, Host, Hosts, Inventory
from nornir.core.plugins.connections import ConnectionPluginRegister
from nornir.plugins.runners import SerialRunner
from nornir_netconf.plugins.tasks import netconf_edit_config, netconf_get_config

host, port, user, password, name, depth = sys.argv[1:]
ConnectionPluginRegister.auto_register()
login = {"hostkey_verify": False, "look_for_keys": False, "allow_agent": False}
element = Host(
    name="element", hostname=host, port=int(port), username=user, password=password,
    connection_options={"netconf": ConnectionOptions(extras=login)},
)  # fmt: skip
nornir = Nornir(Inventory(Hosts(element=element), Groups(), Defaults()), runner=SerialRunner())
entry = f'<harbour xmlns="urn:example:harbour"><berth><name>{name}</name><depth>{depth}</depth></berth></harbour>'
for task, more in (
    (netconf_edit_config, {"config": f"<config>{entry}</config>"}),
    (netconf_get_config, {"source": "running"}),
):
    done = nornir.run(task=task, **more)
    done.raise_on_error()
    print(done["element"][0].result.rpc)
nornir.close_connections()
