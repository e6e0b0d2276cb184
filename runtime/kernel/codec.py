"""Messages to bytes and back: JSON, the type's name beside it."""

from collections.abc import Iterable
from typing import Any

import msgspec

from actors.errors import JournalError

_encode = msgspec.json.Encoder().encode


class Codec:
    """Knows the message types that may be journaled, by name."""

    def __init__(self, types: Iterable[type[msgspec.Struct]]) -> None:
        self._decoders: dict[str, msgspec.json.Decoder[Any]] = {}
        for message_type in types:
            name = message_type.__name__
            if name in self._decoders:
                raise ValueError(f"two message types are called {name}")
            self._decoders[name] = msgspec.json.Decoder(message_type)

    def encode(self, message: msgspec.Struct) -> bytes:
        """Return a message as JSON."""
        return _encode(message)

    def decode(self, name: str, body: bytes) -> Any:
        """Return the message of a type's name and its JSON.

        Raises:
            JournalError: If the type is not known or the body does not fit it.
        """
        decoder = self._decoders.get(name)
        if decoder is None:
            raise JournalError(f"message type {name!r} is not known to this version")
        try:
            return decoder.decode(body)
        except msgspec.DecodeError as error:
            raise JournalError(f"a {name} cannot be read: {error}") from error
