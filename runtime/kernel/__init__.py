"""The actor kernel: cells, mailboxes, supervision, time, the journal. Knows no trading."""
