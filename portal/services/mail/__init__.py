"""Telling people by mail that something waits for them in the portal, and nothing more."""
