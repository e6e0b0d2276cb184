"""What runs the actors."""
