"""The words of the house as types. Nothing here knows a database, the web, or the log."""
