"""Whether our books agree with what the venue says, and what is done when they do not."""
