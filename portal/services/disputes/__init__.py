"""Disputes: a person contests a look or a datum, and the controller's data protection officer decides in time."""
