"""Messages to bytes and back."""

import pytest

from actors.errors import JournalError
from runtime.kernel.codec import Codec
from tests.runtime.kernel.fakes import Ask, Note


def test_a_message_comes_back_as_it_was() -> None:
    codec = Codec([Note, Ask])
    message = Ask("böx", 3)
    assert codec.decode("Ask", codec.encode(message)) == message


def test_a_message_is_plain_json() -> None:
    assert Codec([Note]).encode(Note("box", "hello")) == b'{"to":"box","text":"hello"}'


def test_two_types_must_not_share_a_name() -> None:
    with pytest.raises(ValueError, match="two message types are called Note"):
        Codec([Note, type("Note", (Ask,), {})])


def test_an_unknown_type_is_named() -> None:
    with pytest.raises(JournalError, match="message type 'Ask' is not known"):
        Codec([Note]).decode("Ask", b"{}")


@pytest.mark.parametrize("body", [b"{", b'{"to":1}', b"{}", b"\xff"])
def test_a_body_that_does_not_fit_its_type_is_an_error(body: bytes) -> None:
    with pytest.raises(JournalError, match="a Note cannot be read"):
        Codec([Note]).decode("Note", body)
