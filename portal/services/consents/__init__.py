"""Consents to share data with others: asked for by a recipient, decided by the person, used at the gate."""
