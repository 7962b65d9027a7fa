"""Build hook: puts the YANG modules of the checkout into the wheel, as ``nesrv/_yang``."""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class YangModules(BuildHookInterface[Any]):
    """An editable installation gets none: there nesrv reads the checkout's ``yang/``, which a copy would shadow."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version != "editable":
            build_data["force_include"]["yang"] = "nesrv/_yang"
