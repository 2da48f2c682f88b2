"""Decisions about people that rest on data: announced in time, flagged while contested, settled by a recorded step."""
