"""What orders that are not over lay claim to: quantities and cash."""
