"""The users file and the tables laid on top of it."""

from __future__ import annotations

from pathlib import Path

import asyncssh
import pytest

from nesrv.settings import SettingsError
from nesrv.transport.users import User, UserStore

KEY = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
HASH = "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"


def written(directory: Path, text: str) -> Path:
    path = directory / "users.toml"
    path.write_text(text)
    path.chmod(0o600)
    return path


def test_plain_and_hashed_passwords_and_keys_are_read(tmp_path: Path) -> None:
    text = f"""
        [[user]]
        name = "plain"
        password = "secret"
        [[user]]
        name = "hashed"
        password = "{HASH}"
        authorized_keys = ["{KEY} somebody@somewhere"]
        [[user]]
        name = "keys"
        authorized_keys = ["{KEY}"]
        """
    store = UserStore.load(written(tmp_path, text))
    assert store.check_password("plain", "secret")
    assert not store.check_password("plain", "Secret")
    assert store.check_password("hashed", "Hello world!")
    assert not store.check_password("hashed", HASH)
    assert not store.check_password("keys", "")
    assert not store.check_password("nobody", "secret")
    assert [key.export_public_key().decode().split()[1] for key in store.keys("keys")] == [KEY.split()[1]]
    assert len(store.keys("hashed")) == 1
    assert store.keys("plain") == store.keys("nobody") == ()


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("", 'name = "admin"'),
        ("[[users]]\nname = 'x'", "[[user]]"),
        ("user = 3", "[[user]]"),
        ("[[user]]\npassword = 'x'", 'name = "…"'),
        ("[[user]]\nname = 'x'", 'password = "…"'),
        ("[[user]]\nname = 'x'\npassword = ''", "authorized_keys"),
        ("[[user]]\nname = 'x'\npassword = 5", "quotes"),
        ("[[user]]\nname = 'x'\npasswd = 'y'", "'passwd'"),
        ("[[user]]\nname = 'x'\npassword = '$1$a$b'", "openssl passwd -6"),
        ("[[user]]\nname = 'x'\nauthorized_keys = ['rubbish']", "ssh-ed25519"),
        ("[[user]]\nname = 'x'\nauthorized_keys = 'rubbish'", "authorized_keys = ["),
        ("[[user]]\nname = 'x'\npassword = 'a'\nrole = 7", 'role = "'),
        ("[[user]]\nname = 'x'\npassword = 'a'\n[[user]]\nname = 'x'\npassword = 'b'", "same name"),
        ("[[user", "users.toml"),
    ],
)
def test_a_file_that_nobody_could_use_says_what_to_write(tmp_path: Path, text: str, mend: str) -> None:
    with pytest.raises(SettingsError) as caught:
        UserStore.load(written(tmp_path, text))
    assert mend in str(caught.value)


def test_a_missing_file_says_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"\[\[user\]\]"):
        UserStore.load(tmp_path / "none.toml")


def test_a_file_that_others_can_read_is_noted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = written(tmp_path, "[[user]]\nname = 'x'\npassword = 'a'")
    UserStore.load(path)
    assert not caplog.records
    path.chmod(0o644)
    UserStore.load(path)
    assert "chmod 600" in caplog.text


def test_a_table_lies_on_top_of_the_file_and_can_be_replaced() -> None:
    store = UserStore([User("a", "file"), User("b", "file")])
    store.replace_source("table", [User("b", "table", role="x"), User("c", "table", role="x")])
    assert store.check_password("a", "file")
    assert store.check_password("b", "table")
    assert not store.check_password("b", "file")
    assert store.check_password("c", "table")
    store.replace_source("table", [])
    assert store.check_password("b", "file")
    assert not store.check_password("c", "table")


@pytest.mark.parametrize("admin", [User("d", "table"), User("d", authorized_keys=(KEY,))], ids=["password", "key"])
def test_an_administrator_who_can_log_in_ends_what_lies_below(admin: User) -> None:
    store = UserStore([User("a", "file"), User("d", "file")])
    store.replace_source("table", [admin])
    assert not store.check_password("a", "file")
    assert not store.check_password("d", "file")
    assert store.groups("a") == ()
    store.replace_source("table", [User("c", "table", role="x")])
    assert store.check_password("a", "file"), "nobody is locked out"


@pytest.mark.parametrize("user", [User("d"), User("d", "table", role="x")], ids=["no way in", "another role"])
def test_others_end_nothing(user: User) -> None:
    store = UserStore([User("a", "file")])
    store.replace_source("table", [user])
    assert store.check_password("a", "file")


def test_a_role_in_the_file(tmp_path: Path) -> None:
    rows = ("[[user]]\nname = 'a'\npassword = 'p'", "[[user]]\nname = 'b'\npassword = 'p'\nrole = 'builders'")
    store = UserStore.load(written(tmp_path, "\n".join(rows)))
    assert (store.groups("a"), store.groups("b")) == (("SYSTEM_ROLE_ADMIN",), ("builders",))


def test_groups_are_the_role() -> None:
    store = UserStore([User("a", "file")])
    store.replace_source("table", [User("b", "table", role="builders")])
    assert (store.groups("a"), store.groups("b")) == (("SYSTEM_ROLE_ADMIN",), ("builders",))
    assert store.groups("nobody") == ()


def test_a_table_that_cannot_be_used_leaves_the_old_one() -> None:
    store = UserStore()
    store.replace_source("table", [User("a", "x")])
    with pytest.raises(SettingsError):
        store.replace_source("table", [User("a", "$9$what")])
    assert store.check_password("a", "x")


def test_no_password_is_ever_printed() -> None:
    assert "secret" not in repr(User("a", "secret"))
