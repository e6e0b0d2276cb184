"""The venue's orders and trades against ours."""
