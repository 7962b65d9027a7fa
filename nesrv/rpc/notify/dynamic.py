"""establish-, modify-, delete-, kill- and resync-subscription (RFC 8639 §2.4, RFC 8641 §4.4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lxml import etree

from nesrv import errors
from nesrv.datastore.build import Plain, build
from nesrv.datastore.tree import Node, to_xml
from nesrv.rpc.element import Element
from nesrv.rpc.notify import filters
from nesrv.rpc.notify.filters import Passes
from nesrv.rpc.notify.publisher import Feed, Publisher
from nesrv.rpc.notify.push import MIN_PERIOD, PUSH, OnChange, Periodic, Push, Trigger
from nesrv.rpc.notify.refusals import invalid, refusal
from nesrv.rpc.notify.selectors import Selector
from nesrv.rpc.notify.streams import STREAMS
from nesrv.rpc.notify.subscriptions import GONE, SUBSCRIBED, Chosen, Subscription, Subscriptions
from nesrv.rpc.notify.times import from_text, to_text
from nesrv.rpc.operation import Answer, Call, Ok, Operations, Output
from nesrv.rpc.params import Params
from nesrv.rpc.patterns import compile_subtree
from nesrv.rpc.retrieve import Operational
from nesrv.rpc.xpath import expression_of

DATASTORES = ("running", "candidate", "operational")
TELLS_CHANGES = ("running",)
"""Datastores whose every change the element learns of: an on-change subscription needs no less."""

_STREAM_FILTERS = ("stream-filter-name", "stream-subtree-filter", "stream-xpath-filter")
_DATASTORE_FILTERS = ("selection-filter-ref", "datastore-subtree-filter", "datastore-xpath-filter")
_NAMED = {"stream-filter-name": "stream-filter", "selection-filter-ref": "selection-filter"}


class Dynamic:
    """The operations over one registry."""

    def __init__(self, subscriptions: Subscriptions, operational: Operational) -> None:
        self._subscriptions = subscriptions
        self._publisher: Publisher = subscriptions.publisher
        self._element: Element = self._publisher.element
        self._operational = operational

    async def establish(self, call: Call) -> Answer:
        if self._publisher.feeds(call.session.number) and not self._subscriptions.of(call.session.number):
            raise errors.OperationNotSupported(
                "This session has a subscription of <create-subscription>; open another session."
            )
        encoding = call.params.text("encoding")
        if encoding is not None and encoding.split(":")[-1] != "encode-xml":
            raise refusal("encoding-unsupported", f'Notifications are encoded as XML, not as "{encoding}".')
        chosen = [name for name in ("stream", "datastore") if call.params.element(name) is not None]
        if not chosen:
            raise errors.MissingElement(
                "A subscription needs a <stream> or a <datastore>.", info=(("bad-element", "stream"),)
            )
        if len(chosen) == 2:
            raise errors.BadElement(
                "A subscription is to a <stream> or to a <datastore>.", info=(("bad-element", "datastore"),)
            )
        return self._to_stream(call) if chosen == ["stream"] else self._to_datastore(call)

    # To a stream

    def _to_stream(self, call: Call) -> Answer:
        params, session, now = call.params, call.session, self._publisher.timers.now()
        _without(params, (*_DATASTORE_FILTERS, "periodic", "on-change"), "a stream")
        name = params.text("stream") or ""
        if name not in STREAMS:
            raise invalid("stream", f'There is no stream "{name}"; there are {", ".join(STREAMS)}.')
        since = _time(params, "replay-start-time")
        if since is not None and since > now:
            raise invalid("replay-start-time", "<replay-start-time> is in the future: nothing is there to replay.")
        stop = _stop(params, now if since is None else since)
        chosen = _chosen(self._element, params, _STREAM_FILTERS)
        passes = self._passes(chosen)
        number = self._subscriptions.take_number(session)

        feed = Feed(
            self._publisher,
            session,
            STREAMS[name],
            passes,
            replayed=lambda: self._subscriptions.tell(made, "replay-completed", {}),
            finished=lambda: self._subscriptions.terminate(made, GONE),
        )
        made = Subscription(number, session, feed, chosen, stop, since)
        made.refilter = lambda: self._refilter(made)
        self._subscriptions.add(made)
        feed.start(since, stop)
        log = self._publisher.log
        begins = log.created if log.aged is None else log.aged
        revised = to_text(begins) if since is not None and since < begins else None
        return self._output("establish-subscription", {"id": number, "replay-start-time-revision": revised})

    def _passes(self, chosen: Chosen | None) -> Passes:
        if chosen is None:
            return filters.everything
        kind, value = _filter(self._element, chosen)
        with _Unsupported():
            if kind.endswith("subtree-filter"):
                return filters.subtree(self._element.shards, value)
            return filters.xpath(self._element.shards, (value.text or "").strip(), _prefixes(value))

    # To a datastore

    def _to_datastore(self, call: Call) -> Answer:
        params, session, now = call.params, call.session, self._publisher.timers.now()
        _without(params, (*_STREAM_FILTERS, "replay-start-time"), "a datastore")
        datastore = _datastore(params)
        trigger = self._trigger(params)
        if trigger is None:
            raise errors.MissingElement(
                "A subscription to a datastore needs <periodic> or <on-change>.", info=(("bad-element", "periodic"),)
            )
        stop = _stop(params, now)
        chosen = _chosen(self._element, params, _DATASTORE_FILTERS)
        selector = self._selector(chosen)
        _possible(datastore, trigger, selector)
        number = self._subscriptions.take_number(session)
        push = Push(number, self._publisher, session, datastore, selector, trigger, self._operational)
        made = Subscription(number, session, push, chosen)
        made.refilter = lambda: self._refilter(made)
        self._subscriptions.add(made)
        self._subscriptions.end_at(made, stop)
        push.start()
        return self._output("establish-subscription", {"id": number})

    def _selector(self, chosen: Chosen | None) -> Selector:
        if chosen is None:
            return Selector()
        kind, value = _filter(self._element, chosen)
        if kind.endswith("subtree-filter"):
            return Selector(patterns=compile_subtree(value))
        text, prefixes = (value.text or "").strip(), _prefixes(value)
        with _Unsupported():
            expression_of(text, prefixes)
        return Selector(xpath=(text, prefixes))

    def _trigger(self, params: Params) -> Trigger | None:
        """Raises period-unsupported and what the YANG module says of the parameters."""
        periodic, on_change = (self._container(params, name) for name in ("periodic", "on-change"))
        if periodic is not None and on_change is not None:
            raise errors.BadElement(
                "A subscription is <periodic> or <on-change>.", info=(("bad-element", "on-change"),)
            )
        if periodic is not None:
            period = _number(periodic, "period")
            if period < MIN_PERIOD:
                raise refusal(
                    "period-unsupported", f"A period of {period} centiseconds is too short; {MIN_PERIOD} is the least."
                )
            anchor = periodic.leaf("anchor-time")
            return Periodic(period, None if anchor is None else _point("anchor-time", anchor))
        if on_change is None:
            return None
        excluded = frozenset(node.value or "" for node in on_change.all("excluded-change"))
        return OnChange(_number(on_change, "dampening-period"), on_change.leaf("sync-on-start") != "false", excluded)

    def _container(self, params: Params, name: str) -> Node | None:
        element = params.element(name)
        if element is None:
            return None
        schema = self._element.schema.rpcs[f"{{{SUBSCRIBED}}}establish-subscription"].by_name["input"].by_name[name]
        node = self._element.shards.reader.read(element, schema, None)
        for leaf in node.children:
            if self._element.schema.engine.canonical(leaf.schema.compiled, leaf.value or "") is None:
                raise invalid(leaf.name, f'"{leaf.value}" is no value of <{leaf.name}>.')
        return node

    # Changing and ending

    async def modify(self, call: Call) -> Answer:
        params = call.params
        one = self._subscriptions.find(_id(params), call.session.number)
        is_stream = isinstance(one.work, Feed)
        _without(params, ("datastore", *_DATASTORE_FILTERS, "periodic", "on-change") if is_stream else _STREAM_FILTERS,
                 "a stream" if is_stream else "a datastore")  # fmt: skip
        stop = _stop(params, self._publisher.timers.now())
        chosen = _chosen(self._element, params, _STREAM_FILTERS if is_stream else _DATASTORE_FILTERS)
        if isinstance(one.work, Feed):
            if chosen is not None:
                one.work.passes = self._passes(chosen)
        else:
            if params.element("datastore") is not None and _datastore(params) != one.work.datastore:
                raise invalid("datastore", f"Subscription {one.number} is to {one.work.datastore} and stays so.")
            trigger = self._trigger(params) or one.work.trigger
            selector = one.work.selector if chosen is None else self._selector(chosen)
            _possible(one.work.datastore, trigger, selector)
            if type(trigger) is not type(one.work.trigger):
                raise invalid("periodic", "A subscription stays periodic, or on change.")
            if isinstance(trigger, OnChange) and isinstance(one.work.trigger, OnChange):
                trigger = OnChange(trigger.dampening, one.work.trigger.sync, one.work.trigger.excluded)
            one.work.change(selector, trigger)
        one.chosen = chosen or one.chosen
        if stop is not None:
            self._subscriptions.end_at(one, stop)
        return Ok()

    def _refilter(self, one: Subscription) -> None:
        """The filter that ``one`` names says something else now."""
        if isinstance(one.work, Feed):
            one.work.passes = self._passes(one.chosen)
        else:
            selector = self._selector(one.chosen)
            _possible(one.work.datastore, one.work.trigger, selector)
            one.work.change(selector, one.work.trigger)

    async def delete(self, call: Call) -> Answer:
        self._subscriptions.drop(self._subscriptions.find(_id(call.params), call.session.number))
        return Ok()

    async def kill(self, call: Call) -> Answer:
        self._subscriptions.terminate(self._subscriptions.find(_id(call.params), None), GONE)
        return Ok()

    async def resync(self, call: Call) -> Answer:
        missing = "no-such-subscription-resync"
        one = self._subscriptions.find(_id(call.params), call.session.number, missing)
        if isinstance(one.work, Feed) or isinstance(one.work.trigger, Periodic):
            raise refusal(missing, f"Subscription {one.number} is not one that tells changes of a datastore.")
        one.work.resync()
        return Ok()

    def _output(self, operation: str, value: dict[str, Plain]) -> Answer:
        schema = self._element.schema
        output = build(schema.rpcs[f"{{{SUBSCRIBED}}}{operation}"].by_name["output"], value)
        return Output([to_xml(child, schema.namespaces) for child in output.children])


class _Unsupported:
    """What is wrong with a filter is told as RFC 8639 does."""

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, errors.InvalidValue):
            raise refusal("filter-unsupported", error.message) from error


def _id(params: Params) -> int:
    text = params.text("id")
    if text is None:
        raise params.missing("id")
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise invalid("id", f'"{text}" is no number of a subscription.')
    return int(text)


def _point(name: str, text: str) -> float:
    try:
        return from_text(text)
    except ValueError as error:
        raise invalid(name, f"<{name}>: {error}.") from error


def _time(params: Params, name: str) -> float | None:
    text = params.text(name)
    return None if text is None else _point(name, text)


def _stop(params: Params, after: float) -> float | None:
    stop = _time(params, "stop-time")
    if stop is not None and stop <= after:
        raise invalid("stop-time", "<stop-time> is not after the time at which the subscription begins.")
    return stop


def _number(node: Node, name: str) -> int:
    found = node.number(name)
    if found is None:
        raise errors.MissingElement(f"<{node.name}> needs <{name}>.", info=(("bad-element", name),))
    return found


def _without(params: Params, names: tuple[str, ...], target: str) -> None:
    for name in names:
        if params.element(name) is not None:
            raise errors.BadElement(f"<{name}> is not for a subscription to {target}.", info=(("bad-element", name),))


def _datastore(params: Params) -> str:
    name = (params.text("datastore") or "").split(":")[-1]
    if name not in DATASTORES:
        raise refusal("datastore-not-subscribable", f'"{name}" cannot be subscribed to; {", ".join(DATASTORES)} can.')
    return name


def _possible(datastore: str, trigger: Trigger, selector: Selector) -> None:
    if isinstance(trigger, Periodic):
        return
    if datastore not in TELLS_CHANGES:
        raise refusal(
            "on-change-unsupported",
            f"Not every change of {datastore} is known; subscribe to it with <periodic>, or to running.",
        )
    if selector.xpath is not None:
        raise refusal(
            "filter-unsupported",
            "An XPath would have to be evaluated on all of the datastore at each change; use a subtree filter, "
            "or <periodic>.",
        )


def _chosen(element: Element, params: Params, names: tuple[str, ...]) -> Chosen | None:
    """The one filter that the request has, if any."""
    found = [name for name in names if params.element(name) is not None]
    if not found:
        return None
    name, *more = found
    if more:
        raise errors.BadElement("A subscription has one filter.", info=(("bad-element", more[0]),))
    text = params.text(name) or ""
    if name not in _NAMED:
        return Chosen(name, text, element=params.element(name))
    point = element.schema.data[f"{{{SUBSCRIBED}}}filters"].by_name[_NAMED[name]]
    return Chosen(name, text, named=element.shards.entry_path(point, [text]))


def _filter(element: Element, chosen: Chosen) -> tuple[str, Any]:
    """Kind and XML element of the filter, looked up where it is named; raises filter-unsupported."""
    if chosen.named is None:
        return chosen.leaf, chosen.element
    shard = element.pipeline.running.get(chosen.named)
    if shard is not None:
        (entry,) = element.shards.elements(shard)
        for child in entry:
            if etree.QName(child).localname.endswith(("subtree-filter", "xpath-filter")):
                return etree.QName(child).localname, child
    raise refusal("filter-unsupported", f'There is no filter "{chosen.text}".')


def _prefixes(element: Any) -> dict[str, str]:
    return {prefix: uri for prefix, uri in element.nsmap.items() if prefix}


def operations(subscriptions: Subscriptions, operational: Operational) -> Operations:
    dynamic = Dynamic(subscriptions, operational)
    table: dict[str, Callable[[Call], Any]] = {
        f"{{{SUBSCRIBED}}}establish-subscription": dynamic.establish,
        f"{{{SUBSCRIBED}}}modify-subscription": dynamic.modify,
        f"{{{SUBSCRIBED}}}delete-subscription": dynamic.delete,
        f"{{{SUBSCRIBED}}}kill-subscription": dynamic.kill,
        f"{{{PUSH}}}resync-subscription": dynamic.resync,
    }
    return table
