"""An editor at work on the schema of tests/data/yang."""

from __future__ import annotations

import pytest
from lxml import etree

from nesrv import errors
from nesrv.datastore.edit import Editor
from nesrv.datastore.shards import Shards
from nesrv.datastore.snapshot import EMPTY, Snapshot

NAMESPACES = (
    'xmlns="urn:nesrv:test:kinds" xmlns:k="urn:nesrv:test:kinds" xmlns:v="urn:nesrv:test:values" '
    'xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0" xmlns:y="urn:ietf:params:xml:ns:yang:1"'
)


def top(inner: str, attributes: str = "") -> str:
    return f"<top {NAMESPACES} {attributes}>{inner}</top>"


class Bench:
    """An editor whose datastores are written and read as XML."""

    def __init__(self, editor: Editor, shards: Shards) -> None:
        self._editor = editor
        self._shards = shards

    def edit(self, before: Snapshot, inner: str, default: str = "merge") -> Snapshot:
        config = etree.fromstring(f"<config>{inner}</config>", etree.XMLParser(remove_comments=True))
        return self._editor.edit(before, config, default)

    def of(self, inner: str) -> Snapshot:
        return self.edit(EMPTY, inner)

    def shown(self, snapshot: Snapshot) -> str:
        """What is inside <top>."""
        text = self._shards.document(snapshot.shards()).decode()
        return text.removeprefix('<top xmlns="urn:nesrv:test:kinds">').removesuffix("</top>")

    def refused(self, before: Snapshot, inner: str, default: str = "merge") -> errors.RpcError:
        with pytest.raises(errors.RpcError) as refusal:
            self.edit(before, inner, default)
        return refusal.value


def parts(letters: str) -> str:
    inner = "".join(f"<part><id>{letter}</id><weight>1</weight></part>" for letter in letters)
    return f"<item><name>i</name>{inner}</item>"
