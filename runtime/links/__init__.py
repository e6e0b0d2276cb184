"""Links to venues: the last of our side, where calls become bytes and bytes become news."""
