"""What the portal does. A service takes its actor explicitly, owns its transaction, and knows no web."""
