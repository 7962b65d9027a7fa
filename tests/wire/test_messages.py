"""The envelope: what is read of it, what is written, and the errors by the letter of RFC 6241."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from nesrv import errors
from nesrv.wire import messages
from nesrv.wire.messages import BASE, Envelope, RequestRefused

NC = f"{{{BASE}}}"
CAPABILITIES = "<capabilities><capability>urn:ietf:params:netconf:base:1.1</capability></capabilities>"


def rpc(content: str, attributes: str = 'message-id="1"') -> bytes:
    return f'<rpc xmlns="{BASE}" {attributes}>{content}</rpc>'.encode()


def refusal(payload: bytes) -> RequestRefused:
    with pytest.raises(RequestRefused) as caught:
        messages.parse_rpc(payload)
    return caught.value


def xpath_of(path: str) -> tuple[str, Mapping[str, str]]:
    return path.replace("/m:", "/x:"), {"x": "urn:m"}


def written(message: messages.Message) -> etree._Element:
    data = b"".join(message)
    assert data.isascii()
    assert not data.startswith(b"<?xml")
    return etree.fromstring(data)


def error_of(error: errors.RpcError) -> etree._Element:
    reply = written(messages.error_reply(messages.parse_rpc(rpc("<get/>")), (error,), xpath_of))
    return reply[0]


def is_xml(character: str) -> bool:
    """Char of XML 1.0."""
    control = character < " " and character not in "\t\n\r"
    return not (control or "\ud800" <= character <= "\udfff" or character in "\ufffe\uffff")


# hello


def test_a_hello_gives_its_capabilities_without_white_space() -> None:
    listed = "<capability>\n  urn:a\n</capability><capability>urn:b?c&amp;d</capability>"
    payload = f"<hello xmlns='{BASE}'><capabilities>{listed}</capabilities></hello>"
    assert messages.parse_hello(payload.encode()).capabilities == {"urn:a", "urn:b?c&d"}


def test_a_prefixed_hello_with_a_declaration_is_read() -> None:
    text = CAPABILITIES.replace("<c", "<n:c").replace("</c", "</n:c")
    payload = f'<?xml version="1.0" encoding="UTF-8"?><n:hello xmlns:n="{BASE}">{text}</n:hello>'
    assert messages.parse_hello(payload.encode()).capabilities == {"urn:ietf:params:netconf:base:1.1"}


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "garbage",
        "<hello/>",
        f"<rpc xmlns='{BASE}'/>",
        f"<hello xmlns='{BASE}'/>",
        f"<hello xmlns='{BASE}'><capabilities/></hello>",
        f"<!DOCTYPE hello><hello xmlns='{BASE}'>{CAPABILITIES}</hello>",
    ],
)
def test_what_is_no_hello_is_refused(payload: str) -> None:
    with pytest.raises(messages.MalformedHello):
        messages.parse_hello(payload.encode())


def test_a_client_hello_with_a_session_id_is_refused() -> None:
    with pytest.raises(messages.HelloWithSessionId):
        messages.parse_hello(f"<hello xmlns='{BASE}'>{CAPABILITIES}<session-id>4</session-id></hello>".encode())


def test_our_hello_has_the_session_id_and_every_capability() -> None:
    root = written(messages.hello(7, ["urn:a?x=1&y=2", "urn:b"]))
    assert root.findtext(f"{NC}session-id") == "7"
    assert [element.text for element in root.iter(f"{NC}capability")] == ["urn:a?x=1&y=2", "urn:b"]


# Requests


def test_a_request_has_its_operation_and_message_id() -> None:
    request = messages.parse_rpc(rpc("<!-- c --><get-config><source><running/></source></get-config>"))
    assert (request.message_id, request.namespace, request.name) == ("1", BASE, "get-config")
    assert request.operation[0].tag == f"{NC}source"


def test_an_operation_of_another_namespace_is_a_request() -> None:
    request = messages.parse_rpc(rpc('<get-schema xmlns="urn:other"/>'))
    assert (request.namespace, request.name) == ("urn:other", "get-schema")


def test_every_attribute_of_rpc_is_echoed_with_its_prefix() -> None:
    attributes = 'message-id="a&lt;&quot;&#10;é" xmlns:ex="urn:ex?a&amp;b" ex:user-id="fred" plain="x" xml:lang="de"'
    reply = written(messages.ok_reply(messages.parse_rpc(rpc("<get/>", attributes))))
    assert dict(reply.attrib.items()) == {
        "message-id": 'a<"\né',
        "{urn:ex?a&b}user-id": "fred",
        "plain": "x",
        "{http://www.w3.org/XML/1998/namespace}lang": "de",
    }
    assert reply.nsmap == {None: BASE, "ex": "urn:ex?a&b"}


def test_prefixes_that_only_values_use_are_declared_again() -> None:
    reply = written(messages.ok_reply(messages.parse_rpc(rpc("<get/>", 'message-id="1" kind="p:x" xmlns:p="urn:p"'))))
    assert reply.nsmap["p"] == "urn:p"


def test_a_prefixed_rpc_is_answered_in_the_default_namespace() -> None:
    payload = f'<nc:rpc xmlns:nc="{BASE}" message-id="5"><nc:get/></nc:rpc>'.encode()
    assert b"".join(messages.ok_reply(messages.parse_rpc(payload))) == (
        f'<rpc-reply xmlns="{BASE}" message-id="5"><ok/></rpc-reply>'.encode()
    )


def test_an_attribute_in_the_base_namespace_keeps_its_prefix() -> None:
    payload = f'<nc:rpc xmlns:nc="{BASE}" message-id="5" nc:a="b"><nc:get/></nc:rpc>'.encode()
    assert written(messages.ok_reply(messages.parse_rpc(payload))).get(f"{NC}a") == "b"


def test_a_missing_message_id_is_told_by_the_letter_and_the_rest_echoed() -> None:
    refused = refusal(rpc("<get/>", 'other="x"'))
    assert isinstance(refused.error, errors.MissingAttribute)
    assert refused.error.type == "rpc"
    assert dict(refused.error.info) == {"bad-attribute": "message-id", "bad-element": "rpc"}
    reply = written(messages.error_reply(refused.envelope, (refused.error,), xpath_of))
    assert dict(reply.attrib.items()) == {"other": "x"}


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"garbage",
        rpc("<get>"),
        rpc("<get/>") + b"<more/>",
        rpc("<a>\xff</a>".encode("latin-1").decode("latin-1")).replace("ÿ".encode(), b"\xff"),
        rpc("<a>&unknown;</a>"),
        rpc("<a>&#1;</a>"),
        rpc("<p:a/>"),
        rpc("<a>" * 300 + "</a>" * 300),
        rpc("<get/>").decode().encode("utf-16"),
    ],
)
def test_what_is_not_well_formed_is_malformed(payload: bytes) -> None:
    refused = refusal(payload)
    assert isinstance(refused.error, errors.MalformedMessage)
    assert refused.error.type == "rpc"


@pytest.mark.parametrize(
    "prolog",
    [
        '<!DOCTYPE rpc [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
        '<?xml version="1.0"?><!-- c --> <?p?>\n<!DOCTYPE rpc>',
        "\ufeff<!DOCTYPE rpc>",
    ],
)
def test_a_dtd_is_malformed_wherever_it_stands(prolog: str) -> None:
    refused = refusal(prolog.encode() + rpc("<get>&e;</get>"))
    assert isinstance(refused.error, errors.MalformedMessage)
    assert refused.envelope == messages.NO_REQUEST


def test_the_word_doctype_in_data_is_data() -> None:
    request = messages.parse_rpc(rpc("<a><![CDATA[<!DOCTYPE html>]]></a>"))
    assert request.operation.text == "<!DOCTYPE html>"


@pytest.mark.parametrize("attribute", ['xmlns:a="not a uri"', 'a:b="1"', '\uf900xmlns:data="x"'])
def test_a_reply_repeats_nothing_that_no_parser_takes(attribute: str) -> None:
    refused = refusal(f'<rpc message-id="7" xmlns="{BASE}" {attribute}><get/></rpc>'.encode())
    reply = etree.fromstring(b"".join(messages.error_reply(refused.envelope, (refused.error,), messages.same_path)))
    assert (refused.error.tag, reply.get("message-id")) == ("malformed-message", "7")


def test_a_malformed_message_is_answered_to_its_message_id_if_that_can_be_read() -> None:
    assert refusal(rpc("<get>", 'message-id="77"')).envelope.message_id == "77"
    assert refusal(b"<rpc message-id='77").envelope.message_id is None


@pytest.mark.parametrize(
    ("payload", "kind", "info"),
    [
        (f"<rpc-reply xmlns='{BASE}'/>", errors.UnknownElement, {"bad-element": "rpc-reply"}),
        (f"<hello xmlns='{BASE}'/>", errors.UnknownElement, {"bad-element": "hello"}),
        ("<rpc message-id='1'><get/></rpc>", errors.UnknownNamespace, {"bad-element": "rpc", "bad-namespace": ""}),
        (f"<rpc xmlns='{BASE}' message-id='1'/>", errors.MissingElement, {"bad-element": "rpcOperation"}),
        (
            f"<rpc xmlns='{BASE}' message-id='1'><get/><lock/></rpc>",
            errors.UnknownElement,
            {"bad-element": "lock"},
        ),
    ],
)
def test_what_is_no_rpc_with_one_operation_is_refused(
    payload: str, kind: type[errors.RpcError], info: dict[str, str]
) -> None:
    error = refusal(payload.encode()).error
    assert type(error) is kind
    assert dict(error.info) == info
    assert error.message


# Replies


def test_fragments_are_spliced_in_as_they_are() -> None:
    request = messages.parse_rpc(rpc("<get/>"))
    fragments = (b'<a xmlns="urn:a">', b"1 &lt; 2</a>")
    start = f'<rpc-reply xmlns="{BASE}" message-id="1">'.encode()
    assert b"".join(messages.data_reply(request, fragments)) == (
        start + b'<data><a xmlns="urn:a">1 &lt; 2</a></data></rpc-reply>'
    )
    assert b"".join(messages.data_reply(request, ())) == start + b"<data/></rpc-reply>"
    assert b"".join(messages.data_reply(request, iter(fragments), "urn:d")) == (
        start + b'<data xmlns="urn:d"><a xmlns="urn:a">1 &lt; 2</a></data></rpc-reply>'
    )
    assert b"".join(messages.content_reply(request, (b"<out/>",))) == start + b"<out/></rpc-reply>"
    assert b"".join(messages.content_reply(request, ())) == start + b"<ok/></rpc-reply>"


def test_an_error_has_its_elements_in_the_order_of_the_rfc() -> None:
    error = errors.LockDenied("held", "/m:a[m:b='1']", "tag", (("session-id", "4"),), "protocol")
    element = error_of(error)
    assert [etree.QName(child).localname for child in element] == [
        "error-type",
        "error-tag",
        "error-severity",
        "error-app-tag",
        "error-path",
        "error-message",
        "error-info",
    ]
    assert [child.text for child in element][:4] == ["protocol", "lock-denied", "error", "tag"]
    assert element.findtext(f"{NC}error-info/{NC}session-id") == "4"


def test_the_error_path_declares_its_own_prefixes() -> None:
    element = error_of(errors.InvalidValue("no", "/m:a")).find(f"{NC}error-path")
    assert element is not None
    assert (element.text, element.nsmap["x"]) == ("/x:a", "urn:m")


@pytest.mark.parametrize("words", ["", " \n"])
def test_the_error_message_is_never_empty_and_has_its_language(words: str) -> None:
    element = error_of(errors.OperationFailed(words)).find(f"{NC}error-message")
    assert element is not None
    assert (element.text or "").strip()
    assert element.get("{http://www.w3.org/XML/1998/namespace}lang") == "en"


def test_error_info_is_in_the_order_and_namespaces_of_the_rfcs() -> None:
    info = (("non-unique", "/m:a"), ("{urn:x}more", "&"), ("bad-namespace", "urn:n"), ("bad-element", "e"))
    found = error_of(errors.UnknownNamespace("w", info=info)).find(f"{NC}error-info")
    assert found is not None
    assert [(child.tag, child.text) for child in found] == [
        (f"{NC}bad-element", "e"),
        (f"{NC}bad-namespace", "urn:n"),
        (f"{{{messages.YANG}}}non-unique", "/x:a"),
        ("{urn:x}more", "&"),
    ]
    assert found[2].nsmap["x"] == "urn:m"


def test_several_errors_make_one_reply() -> None:
    request = messages.parse_rpc(rpc("<get/>"))
    reply = written(messages.error_reply(request, (errors.InvalidValue("a"), errors.InvalidValue("b")), xpath_of))
    assert [element.findtext(f"{NC}error-message") for element in reply] == ["a", "b"]


def test_the_literal_tags_that_clients_search_for_are_there() -> None:
    """scrapli looks for ``</rpc-error>`` and otherwise reports success."""
    data = b"".join(messages.error_reply(Envelope("1", b""), (errors.InvalidValue("a"),), xpath_of))
    assert b"<rpc-error>" in data
    assert b"</rpc-error></rpc-reply>" in data


def test_a_notification_is_in_its_own_namespace() -> None:
    root = written(messages.notification("2026-01-01T00:00:00Z", (b'<e xmlns="urn:e"/>',)))
    assert root.tag == f"{{{messages.NOTIFICATION}}}notification"
    assert [child.tag for child in root] == [f"{{{messages.NOTIFICATION}}}eventTime", "{urn:e}e"]


@given(st.text(alphabet=st.characters(exclude_categories=[]), max_size=40))
def test_any_text_becomes_well_formed_ascii(text: str) -> None:
    """Also lone surrogates and control characters."""
    error = errors.InvalidValue(f"x{text}", f"/{text}", text, (("bad-element", text),))
    element = error_of(error).find(f"{NC}error-info/{NC}bad-element")
    assert element is not None
    assert (element.text or "") == "".join(c if is_xml(c) else "\ufffd" for c in text)


@given(st.text(alphabet=st.characters(exclude_categories=[]), max_size=40))
def test_any_attribute_value_is_echoed_as_it_was(text: str) -> None:
    root = etree.Element(f"{NC}rpc", {"message-id": "".join(filter(is_xml, text))})
    etree.SubElement(root, f"{NC}get")
    request = messages.parse_rpc(etree.tostring(root, encoding="utf-8"))
    assert written(messages.ok_reply(request)).get("message-id") == root.get("message-id")
