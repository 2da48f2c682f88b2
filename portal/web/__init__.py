"""HTTP in, HTTP out: a view parses, calls one service, renders."""
