"""What trades."""
