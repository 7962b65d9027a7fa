"""The compiled schema as the rest of nesrv sees it: nodes, shard points, references, prefixes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from nesrv.schema import identities, paths, references
from nesrv.schema.engine import Engine, address
from nesrv.schema.modules import ModuleSet, Submodule, submodules
from nesrv.schema.nodes import SchemaNode, compile_nodes, deviations_of, namespace_of
from nesrv.schema.references import References


@dataclass(frozen=True, slots=True)
class ModuleInfo:
    name: str
    revision: str
    namespace: str
    prefix: str
    implemented: bool
    features: tuple[str, ...]
    submodules: tuple[Submodule, ...]
    deviations: tuple[str, ...] = ()
    """Names of the modules that say what of this one is not supported."""


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """``data``, ``rpcs`` and ``notifications`` by XML tag; ``points`` are the outermost keyed lists, ``skeleton`` the
    containers above them (and top-level nodes that are neither)."""

    engine: Engine
    data: Mapping[str, SchemaNode]
    rpcs: Mapping[str, SchemaNode]
    points: frozenset[SchemaNode]
    skeleton: frozenset[SchemaNode]
    references: References
    modules: Mapping[str, ModuleInfo]
    by_address: Mapping[int, SchemaNode]
    """The configuration nodes by libyang's own."""
    own: frozenset[str]
    notifications: Mapping[str, SchemaNode]

    @property
    def identities(self) -> Mapping[str, frozenset[str]]:
        """``module:identity`` → those derived from it."""
        return identities.derivations(self.engine)

    def enum_values(self, node: SchemaNode) -> Mapping[str, int]:
        return identities.enum_values(self.engine, node)

    @property
    def namespaces(self) -> dict[str, str]:
        return {name: info.namespace for name, info in self.modules.items()}

    @property
    def submodules(self) -> dict[str, Submodule]:
        return {part.name: part for info in self.modules.values() for part in info.submodules}

    def revision(self, name: str) -> str | None:
        """Of a module or submodule, empty where it has none; None where there is neither."""
        found = self.modules.get(name) or self.submodules.get(name)
        return found.revision if found is not None else None

    def xpath(self, path: str) -> tuple[str, dict[str, str]]:
        """An instance path as an XPath with its prefix declarations."""
        return paths.to_xpath(path, {info.name: (info.prefix, info.namespace) for info in self.modules.values()})

    def source(self, module: str) -> str:
        """The YANG text of a module or submodule; raises ``KeyError``."""
        if (part := self.submodules.get(module)) is not None:
            return part.path.read_text(encoding="utf-8")
        found = self.engine.context.get_module(module)
        path = found.filepath()
        return Path(path).read_text(encoding="utf-8") if path else str(found.print_mem("yang"))

    def node(self, path: str) -> SchemaNode:
        """The schema node of an instance or schema path; raises ``KeyError``."""
        steps = paths.split(path)
        found = self.data[f"{{{self.modules[steps[0].module].namespace}}}{steps[0].name}"]
        for step in steps[1:]:
            found = found.children[f"{{{self.modules[step.module].namespace}}}{step.name}"]
        return found


def _shard_points(top: list[SchemaNode]) -> tuple[frozenset[SchemaNode], frozenset[SchemaNode]]:
    points: set[SchemaNode] = set()
    skeleton: set[SchemaNode] = set()

    def visit(node: SchemaNode) -> bool:
        """Whether a shard point stands at or below ``node``."""
        if not node.config or node.cases:
            return False
        if node.kind == "list":
            if node.keys and not node.user_ordered:
                points.add(node)
                return True
            return False
        if node.kind != "container" or node.presence:
            return False
        below = [visit(child) for child in node.children.values()]
        if any(below):
            skeleton.add(node)
        return any(below)

    for node in top:
        visit(node)
    return frozenset(points), frozenset(skeleton)


def _modules(engine: Engine, directories: Iterable[Path]) -> dict[str, ModuleInfo]:
    found = {}
    for module in engine.context:
        revision = next((str(item.date()) for item in module.revisions()), "")
        features = tuple(sorted(item.name() for item in module.features() if item.state()))
        path = module.filepath()
        found[module.name()] = ModuleInfo(
            module.name(),
            revision,
            namespace_of(module),
            module.prefix(),
            bool(module.implemented()),
            features,
            submodules(Path(path), directories) if path else (),
            deviations_of(module),
        )
    return found


def load(modules: ModuleSet) -> Schema:
    """Read and compile ``modules``; raises ``ValueError`` naming the module that fails."""
    engine = Engine(modules.directories, modules.modules)
    nodes = compile_nodes(engine)
    top = list(nodes.data.values())
    points, skeleton = _shard_points(top)
    return Schema(
        engine,
        nodes.data,
        nodes.rpcs,
        points,
        skeleton,
        references.find([node for node in top if node.config], points, skeleton),
        _modules(engine, modules.directories),
        {address(node.compiled): node for root in top for node in root.walk() if node.config},
        modules.own,
        nodes.notifications,
    )
