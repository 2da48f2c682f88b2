"""Glasshouse: a person sees what government holds on them, who looked at it, when, why and under which law."""
