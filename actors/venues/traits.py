"""What is known of a venue's manners; its adapter declares it."""

import attrs


@attrs.frozen(kw_only=True)
class VenueTraits:
    """How far a venue's answers can be relied on.

    Attributes:
        name: What it is called in reports; names trades together with their ids.
        idempotent_submit: Whether an order that comes twice under one client id is one order, so
            that it is safe to send it again.
        hides_at_most_ns: How long after its request an order that was accepted may not be shown
            when it is asked for; None if nobody knows: then not being shown never proves anything.
    """

    name: str
    idempotent_submit: bool = False
    hides_at_most_ns: int | None = attrs.field(default=None)

    @hides_at_most_ns.validator
    def _is_not_negative(self, _field: object, value: int | None) -> None:
        if value is not None and value < 0:
            raise ValueError(f"hides_at_most: expected 0 or more, or none, found {value} ns")
