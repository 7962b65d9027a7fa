"""The identities by which RFC 8639 and RFC 8641 name what is wrong, as NETCONF errors (RFC 8640 §7)."""

from __future__ import annotations

from nesrv import errors

_NOTIFICATIONS, _PUSH = "ietf-subscribed-notifications", "ietf-yang-push"

_TAGS: dict[str, tuple[str, type[errors.RpcError]]] = {
    "encoding-unsupported": (_NOTIFICATIONS, errors.InvalidValue),
    "filter-unsupported": (_NOTIFICATIONS, errors.InvalidValue),
    "insufficient-resources": (_NOTIFICATIONS, errors.ResourceDenied),
    "no-such-subscription": (_NOTIFICATIONS, errors.InvalidValue),
    "datastore-not-subscribable": (_PUSH, errors.InvalidValue),
    "no-such-subscription-resync": (_PUSH, errors.InvalidValue),
    "on-change-unsupported": (_PUSH, errors.OperationNotSupported),
    "period-unsupported": (_PUSH, errors.InvalidValue),
}


def refusal(identity: str, message: str) -> errors.RpcError:
    """The error to raise; ``identity`` goes into error-app-tag with its module's name."""
    module, error = _TAGS[identity]
    return error(message, app_tag=f"{module}:{identity}")


def invalid(name: str, message: str) -> errors.RpcError:
    """A parameter that no identity is there for."""
    return errors.InvalidValue(message, info=(("bad-element", name),))
