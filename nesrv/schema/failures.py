"""libyang's findings as the errors of RFC 6241 and RFC 7950, section 15."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nesrv import errors
from nesrv.errors import RpcError
from nesrv.schema.paths import split


@dataclass(frozen=True, slots=True)
class Finding:
    """``where`` as libyang says it: ``Data location "/m:a/b", line number 1.``"""

    words: str
    where: str
    app_tag: str | None

    @property
    def names_schema(self) -> bool:
        """libyang says where in the schema something is missing, not where in the data."""
        return self.where.startswith("Schema location")

    @property
    def late(self) -> bool:
        """Found when all was read; what a type refuses is found in a line."""
        return self.where.startswith("Data location") and "line number" not in self.where


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: re.Pattern[str]
    error: type[RpcError]
    app_tag: str | None = None
    info: tuple[str, ...] = ()
    """Names of ``error-info`` elements, filled from the pattern's groups in order."""
    below: bool = False
    """The first group names a child of the reported location, which the path should end in."""


def _rule(
    pattern: str,
    error: type[RpcError],
    app_tag: str | None = None,
    info: tuple[str, ...] = (),
    below: bool = False,
) -> _Rule:
    return _Rule(re.compile(pattern), error, app_tag, info, below)


_RULES = (
    _rule(r'^Node "([^"]*)" not found', errors.UnknownElement, None, ("bad-element",)),
    _rule(r'^No module with namespace "([^"]*)"', errors.UnknownNamespace, None, ("bad-namespace",)),
    _rule(r'missing its key "([^"]*)"', errors.MissingElement, None, ("bad-element",), below=True),
    _rule(r"^Invalid leafref value", errors.DataMissing, "instance-required"),
    _rule(r"required instance not found", errors.DataMissing, "instance-required"),
    _rule(r"no target instance", errors.DataMissing, "instance-required"),
    _rule(r'^Mandatory node "([^"]*)"', errors.DataMissing, None, (), below=True),
    _rule(r'^Mandatory choice "([^"]*)"', errors.DataMissing, "missing-choice", ("missing-choice",)),
    _rule(r"^Must condition", errors.OperationFailed, "must-violation"),
    _rule(r"^When condition", errors.UnknownElement),
    _rule(
        r'^Unique data leaf.* not satisfied in "(.*?)" and "(.*?)"\.$',
        errors.OperationFailed,
        "data-not-unique",
        ("non-unique", "non-unique"),
    ),
    _rule(r"^Too many", errors.OperationFailed, "too-many-elements"),
    _rule(r"^Too few", errors.OperationFailed, "too-few-elements"),
    _rule(r'^Data for both cases "([^"]*)"', errors.BadElement, None, ("bad-element",)),
    _rule(r'^Duplicate instance of "([^"]*)"', errors.BadElement, None, ("bad-element",)),
    _rule(r'^Unexpected data state node "([^"]*)"', errors.UnknownElement, None, ("bad-element",)),
    _rule(r'^Text value ".*" inside an inner node "([^"]*)"', errors.BadElement, None, ("bad-element",)),
    _rule(r'^Child element "([^"]*)" inside a terminal node', errors.UnknownElement, None, ("bad-element",)),
)

_MUST_TAGS = {"must-violation", "data-not-unique", "too-many-elements", "too-few-elements"}
# libyang 2 names only the schema node for some findings; that path carries no keys.
_LOCATION = re.compile(r'(?:Data|Schema) location "(.*?)"(?:, (?:data location "(.*?)"|line number \d+))*\.$')


def data_path(where: str) -> str | None:
    """The instance path in libyang's location text, if there is one."""
    match = _LOCATION.search(where)
    return (match.group(2) or match.group(1)) if match else None


def to_error(findings: list[Finding]) -> RpcError:
    """The first finding, which is the one that stopped libyang."""
    if not findings:
        return errors.OperationFailed("The YANG engine refused the data and gave no reason.")
    finding = findings[0]
    path = data_path(finding.where)
    for rule in _RULES:
        match = rule.pattern.search(finding.words)
        if match:
            return _build(rule, match, finding, path)
    if finding.app_tag in _MUST_TAGS or finding.late:
        # What is left is a must whose module gives it words of its own.
        return errors.OperationFailed(finding.words, path, finding.app_tag or "must-violation")
    return errors.InvalidValue(finding.words, path, finding.app_tag)


def _build(rule: _Rule, match: re.Match[str], finding: Finding, path: str | None) -> RpcError:
    groups = match.groups()
    info = tuple(zip(rule.info, groups, strict=False))
    if rule.error is errors.UnknownNamespace or (rule.error is errors.UnknownElement and not info):
        info = (("bad-element", _last_name(path)), *info)
    if rule.below and path and not finding.names_schema:
        path = f"{path}/{groups[0]}"
    return rule.error(finding.words, path, finding.app_tag or rule.app_tag, info)


def _last_name(path: str | None) -> str:
    try:
        return split(path or "")[-1].name
    except ValueError:
        return "config"
