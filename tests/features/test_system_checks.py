"""What YANG cannot forbid of names, users and pools: what the client is told."""

from __future__ import annotations

from tests.features.broken import Broken, InvalidValue, assert_refused, refusals
from tests.features.documents import document, pool, user

KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIJ6fHCNZ3a1WkFj0E3c7w5y6mZ3o6b9Zs7m1m0mN2c9n"


def named(**names: str) -> str:
    leaves = "".join(f"<{leaf.replace('_', '-')}>{name}</{leaf.replace('_', '-')}>" for leaf, name in names.items())
    return f'<system xmlns="http://openconfig.net/yang/system"><config>{leaves}</config></system>'


SYSTEM = {
    "hostname that bgpd would cut off": Broken(
        named(hostname="a" * 40 + "." + "b" * 24), InvalidValue, "nesrv-system-name", "config/hostname", "64 characters"
    ),
    "hostname without a letter in front": Broken(
        named(hostname="_pe"), InvalidValue, "nesrv-system-name", "config/hostname", "begins with"
    ),
    "domain that is the root": Broken(
        named(hostname="pe", domain_name="."), InvalidValue, "nesrv-system-name", "config/domain-name", "begins with"
    ),
}
HASH = "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"
USERS = {
    "username with a space": Broken(
        document(users=[user("a b", role="x")]), InvalidValue, "nesrv-username", "config/username", "spaces"
    ),
    "empty password": Broken(
        document(users=[user("ann", role="x", password="")]), InvalidValue, "nesrv-password", "config/password", "empty"
    ),
    "two passwords": Broken(
        document(users=[user("ann", role="x", password="y", password_hashed=HASH)]),
        InvalidValue,
        "nesrv-password",
        "config/password-hashed",
        "one of them",
    ),
    "hash of another kind": Broken(
        document(users=[user("ann", role="x", password_hashed="$1$salt$qJH7.N4xYta3aEG/dfqo/0")]),
        InvalidValue,
        "nesrv-password",
        "config/password-hashed",
        "openssl passwd -6",
    ),
    "hash that is plain text": Broken(
        document(users=[user("ann", role="x", password_hashed="secret")]),
        InvalidValue,
        "nesrv-password",
        "config/password-hashed",
        "openssl passwd -6",
    ),
    "key without data": Broken(
        document(users=[user("ann", role="x", ssh_key="ssh-ed25519 AAAA")]),
        InvalidValue,
        "nesrv-ssh-key",
        "config/ssh-key",
        "OpenSSH",
    ),
    "key of one word": Broken(
        document(users=[user("ann", role="x", ssh_key=KEY)]), InvalidValue, "nesrv-ssh-key", "config/ssh-key", "OpenSSH"
    ),
    "key with nothing but its type": Broken(
        document(users=[user("ann", role="x", ssh_key="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5")]),
        InvalidValue,
        "nesrv-ssh-key",
        "config/ssh-key",
        "OpenSSH",
    ),
    "key of another type": Broken(
        document(users=[user("ann", role="x", ssh_key=f"ssh-rsa {KEY}")]),
        InvalidValue,
        "nesrv-ssh-key",
        "config/ssh-key",
        "OpenSSH",
    ),
}

POOLS = {
    "router ids exhausted": Broken(
        document(pool=pool(4, "192.0.2.0/30")),
        InvalidValue,
        "nesrv-pool-exhausted",
        "nesrv:pool/config/router-id-pool",
        "192.0.2.0/30 has no address number 4",
    ),
    "router id 0.0.0.0": Broken(
        document(pool=pool(None, "0.0.0.0/8")),
        InvalidValue,
        "nesrv-pool",
        "nesrv:pool/config/router-id-pool",
        "0.0.0.0",
    ),
    "VTEP addresses exhausted": Broken(
        document(pool=pool(2, None, ("2001:db8::/64", "192.0.2.0/31"))),
        InvalidValue,
        "nesrv-pool-exhausted",
        "nesrv:pool/config/vtep-pool[.='192.0.2.0/31']",
        "no address number 2",
    ),
    "two VTEP pools of one family": Broken(
        document(pool=pool(2, None, ("192.0.2.0/24", "203.0.113.0/24"))),
        InvalidValue,
        "nesrv-pool-family-twice",
        "nesrv:pool/config/vtep-pool[.='203.0.113.0/24']",
        "both IPv4",
    ),
}


@refusals(system=SYSTEM, users=USERS, pools=POOLS)
def test_refused(broken: Broken) -> None:
    assert_refused(broken)
