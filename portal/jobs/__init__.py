"""Background work. A job calls one service, as a view does."""
