"""What others may read of the account."""
