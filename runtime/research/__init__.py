"""Statistics and reports of finished runs."""
