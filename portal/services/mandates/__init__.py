"""Mandates to act for others: given and ended by people, used at the gate, seen by both sides."""
