"""What trips the kill switch by itself."""
