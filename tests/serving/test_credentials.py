"""Tokens: derivation, recognition, the token file."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.examples import examples

from edi_labext.errors import InvalidInput, StorageFailure
from edi_labext.serving.http.credentials import Credentials, Identity, load_or_create

TOKEN = "0123456789abcdef" * 4
CREDENTIALS = Credentials(TOKEN)
USERS = st.text(min_size=1, max_size=128).filter(lambda t: t.isprintable() and ":" not in t)


def identify(*headers: tuple[str, str], credentials=CREDENTIALS):
    return credentials.identify([(n.encode(), v.encode("latin-1")) for n, v in headers])


def basic(user: str, password: str, scheme: str = "Basic") -> str:
    return f"{scheme} {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def test_master_token_may_do_everything():
    for name in ("x-auth-token", "x-user-token"):
        assert identify((name, TOKEN)) == Identity("local", "all")
    assert identify(("authorization", f"bEARER {TOKEN}")) == Identity("local", "all")


@given(USERS)
@settings(max_examples=examples(100))
def test_derived_tokens_name_their_user_and_scope(user):
    user_token = CREDENTIALS.user_token(user)
    service_token = CREDENTIALS.service_token(user)
    assert identify(("x-auth-token", user_token)) == Identity(user, "all")
    assert identify(("x-auth-token", service_token)) == Identity(user, "inference")
    assert TOKEN not in user_token + service_token
    # Neither kind becomes the other, and no other engine takes it.
    assert identify(("x-auth-token", "u" + service_token[1:])) is None
    assert identify(("x-auth-token", "s" + user_token[1:])) is None
    assert identify(("x-auth-token", user_token), credentials=Credentials("1" * 64)) is None


@given(st.binary(max_size=200), st.sampled_from([b"", b"u.", b"s.", b"u.YWRh.", b"Bearer "]))
@settings(max_examples=examples(200))
def test_any_other_bytes_are_nobody(value, prefix):
    assert CREDENTIALS.identify([(b"x-auth-token", prefix + value)]) is None
    assert CREDENTIALS.identify([(b"authorization", prefix + value)]) is None


@given(st.integers(0, 10_000), st.integers(1, 255))
@settings(max_examples=examples(100))
def test_one_changed_byte_spoils_a_token(place, change):
    token = bytearray(CREDENTIALS.user_token("ada").encode())
    token[place % len(token)] ^= change
    assert CREDENTIALS.identify([(b"x-auth-token", bytes(token))]) is None


def test_base64_has_one_spelling():
    kind, user, signature = CREDENTIALS.user_token("ada l").split(".")
    for other in (user + "=", user + "\n", " " + user, user[:-1] + chr(ord(user[-1]) + 1)):
        assert identify(("x-auth-token", f"{kind}.{other}.{signature}")) is None


def test_two_tokens_are_nobody():
    assert identify(("x-auth-token", TOKEN), ("x-auth-token", TOKEN)) is None
    assert identify(("x-auth-token", TOKEN), ("x-user-token", TOKEN)) is None
    assert identify(("x-auth-token", TOKEN), ("authorization", "Basic eDp5")) is None
    assert identify(("cookie", TOKEN)) is None


def test_hello_is_a_plain_hmac():
    nonce = "ab" * 16
    expected = hmac.new(TOKEN.encode(), b"edi-hello:" + nonce.encode(), hashlib.sha256)
    assert CREDENTIALS.hello(nonce) == expected.hexdigest()


def test_hello_is_no_way_to_a_token():
    # The texts that are signed never coincide, whatever the nonce.
    assert CREDENTIALS.hello("edi-user-token:ada") != CREDENTIALS.user_token("ada").split(".")[2]


def test_basic():
    assert CREDENTIALS.basic(basic("ada", TOKEN)) == "ada"
    assert CREDENTIALS.basic(basic("ünï", TOKEN, "bASIC")) == "ünï"
    for wrong in (
        None,
        "",
        "Basic",
        "Basic !!!",
        "Basic " + base64.b64encode(TOKEN.encode()).decode(),
        "Basic " + base64.b64encode(b"\xff:" + TOKEN.encode()).decode(),
        "Bearer " + TOKEN,
        basic("ada", ""),
        basic("ada", "x" * 64),
        basic("ada", TOKEN + "x"),
        basic("", TOKEN),
        basic("a\nb", TOKEN),
        basic("a" * 129, TOKEN),
    ):
        assert CREDENTIALS.basic(wrong) is None, wrong


def test_nothing_shows_the_token():
    assert TOKEN not in repr(CREDENTIALS)
    with pytest.raises(InvalidInput) as error:
        Credentials(TOKEN[:-1] + "X")
    assert TOKEN[:10] not in str(error.value)


# --- the token file ---------------------------------------------------------------------------


@pytest.mark.parametrize("mask", [0o000, 0o077, 0o777])
def test_file_is_made_once_and_private(tmp_path, mask):
    path = tmp_path / "token"
    before = os.umask(mask)
    try:
        first = load_or_create(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    token = path.read_text().strip()
    assert len(token) == 64
    again = load_or_create(path)
    assert again.hello("00") == first.hello("00") == Credentials(token).hello("00")
    assert [entry.name for entry in tmp_path.iterdir()] == ["token"]


def refuse(path, reason):
    with pytest.raises(StorageFailure) as error:
        load_or_create(path)
    assert error.value.code == "token_file"
    assert reason in error.value.message
    assert TOKEN not in error.value.message


def test_file_that_may_not_be_trusted(tmp_path):
    path = tmp_path / "token"
    path.write_text(TOKEN)
    path.chmod(0o640)
    refuse(path, "others can read it")
    path.chmod(0o600)
    load_or_create(path)
    link = tmp_path / "link"
    link.symlink_to(path)
    refuse(link, "cannot be used")
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "planted")
    refuse(dangling, "cannot be used")
    assert not (tmp_path / "planted").exists()
    refuse(tmp_path, "no regular file")
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo, 0o600)
    refuse(fifo, "no regular file")
    path.write_text("not a token")
    refuse(path, "holds no token")
    refuse(tmp_path / "missing" / "token", "cannot be used")


def test_file_of_another_user(tmp_path, monkeypatch):
    path = tmp_path / "token"
    path.write_text(TOKEN)
    path.chmod(0o600)
    monkeypatch.setattr(os, "getuid", lambda: path.stat().st_uid + 1)
    refuse(path, "another user")
