"""A made-up release of published modules: our own profiles with more in them, in folders as a checkout has them."""

from __future__ import annotations

import re
from pathlib import Path

from nesrv.schema.modules import own_directory

MORE: dict[str, str] = {
    "openconfig-interfaces": """
  container interface-defaults {
    description "A top-level node of which nesrv has nothing.";
    leaf speed { type string; mandatory true; description "Never asked for."; }
  }
  rpc reset-interfaces { description "An operation of which nesrv has nothing."; }
  identity LOST_INTERFACE { description "Of no base that counts."; }
  augment "/interfaces/interface" {
    description "More of an interface.";
    container damping {
      description "Wholly unsupported.";
      container config {
        description "Its leaves.";
        leaf half-life { type uint32; mandatory true; description "Seconds."; }
        leaf reuse { type uint32; description "Figure."; }
      }
    }
    choice medium {
      description "Ways to send.";
      case air {
        description "By radio.";
        leaf channel { type uint8; description "Radio channel."; }
      }
    }
  }
  augment "/interfaces/interface/config" {
    description "One more leaf.";
    leaf tpid { type string; default "x'8100"; description "A leaf beside ours."; }
  }
""",
    "openconfig-network-instance": """
  augment "/network-instances" {
    description "A leaf that refers to a module of which nesrv has no profile.";
    leaf reader {
      type leafref { path "/oc-tele:minds/oc-tele:mind"; }
      description "Libyang implements the other module for it.";
    }
  }
""",
    "openconfig-network-instance-types": """
  identity L2P2P {
    base NETWORK_INSTANCE_TYPE;
    description "A kind of instance that nesrv does not make.";
  }
""",
}
MUST = """must "../domain-name or
              contains(., \\"'quoted'\\")" {
        error-message "A name needs its domain.";
      }
      type oc-inet:domain-name;"""
EXTRA = """module openconfig-telepathy {
  yang-version 1.1;
  namespace "http://openconfig.net/yang/telepathy";
  prefix oc-tele;
  description "A module of which nesrv has no profile.";
  revision 2026-01-01;
  container minds { leaf mind { type string; description "Referred to."; } description "Never ours."; }
}
"""


def write(folder: Path) -> Path:
    """The release below ``folder``; each module in a folder of its own, with types beside it."""
    for file in sorted((own_directory() / "openconfig").glob("*.yang")):
        text = file.read_text()
        text = text[: text.rindex("}")] + MORE.get(file.stem, "") + "}\n"
        if file.stem == "openconfig-network-instance":
            text = _once(text, "\n  import ", "\n  import openconfig-telepathy { prefix oc-tele; }\n  import ")
        if file.stem == "openconfig-system":
            text = _once(text, "      type oc-inet:domain-name;", f"      {MUST}")
            text = _once(
                text, "uses system-config;", 'uses system-config { refine login-banner { must "../hostname"; } }'
            )
        if file.stem == "openconfig-interfaces":
            text = _once(text, "type uint16;", 'type uint16 { range "68..9216"; }')
        home = folder / "release" / "models" / re.sub(r"-types$", "", file.stem.removeprefix("openconfig-"))
        home.mkdir(parents=True, exist_ok=True)
        (home / file.name).write_text(text)
    extra = folder / "release" / "models" / "telepathy"
    extra.mkdir()
    for name in ("telepathy", "dreams"):
        (extra / f"openconfig-{name}.yang").write_text(EXTRA.replace("telepathy", name))
    return folder


def _once(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new, 1)
