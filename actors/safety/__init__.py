"""The kill switch: halts trading, sees it through, and lets nobody resume unknowingly."""
