"""The two sides of a link to a venue that speaks over a socket."""

from collections.abc import Callable

from actors.actor import Context, Core
from runtime.kernel.clock import Clock
from runtime.kernel.post import Post
from runtime.links.desk import Desk, LinkCore
from runtime.links.socket_adapter import SocketAdapter, SocketVenueConfig
from runtime.links.venue_link import VenueLink
from runtime.wiring.routes import Role

VENUE_LINK = f"{Role.VENUE}-link"
"""The name of the far side, as a supervised actor."""


def socket_venue(
    config: SocketVenueConfig,
) -> tuple[Callable[[Context], Core], Callable[[Post, Clock], VenueLink]]:
    """Return what builds the near side (a core) and the far side (a shell) of the link.

    Both share a desk, so they belong to one run.
    """
    desks: list[Desk] = []

    def core(context: Context) -> Core:
        return LinkCore(context, desks[0])

    def shell(post: Post, clock: Clock) -> VenueLink:
        desks[:] = [Desk(config.name)]
        return VenueLink(desks[0], SocketAdapter(config), str(Role.VENUE), (post, clock))

    return core, shell
