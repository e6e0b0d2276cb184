"""Everything that may enter a mailbox."""
