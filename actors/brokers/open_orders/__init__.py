"""The orders that a venue holds, and which row of the market is the first that moves one."""
