"""The small module that every client works on, as XML."""

from __future__ import annotations

from pathlib import Path

MODULES = Path(__file__).parent / "yang"
NS = "urn:example:harbour"
BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
REMARK = "Zoë & Söhne: 東京 <deep>"
"""Not ASCII, and not to be written as it is in XML."""
ESCAPED = REMARK.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def berth(name: str, depth: int) -> str:
    """The data of one entry, as a subtree."""
    return (
        f'<harbour xmlns="{NS}"><berth><name>{name}</name><depth>{depth}</depth>'
        f"<remark>{ESCAPED}</remark></berth></harbour>"
    )


def config(name: str, depth: int) -> str:
    """For edit-config, as most people write it: without the namespace that it should have."""
    return f"<config>{berth(name, depth)}</config>"


def subtree(name: str) -> str:
    """The filter for one entry."""
    return f'<harbour xmlns="{NS}"><berth><name>{name}</name></berth></harbour>'
