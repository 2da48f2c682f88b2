"""Unusual access: rules that each say one thing about a look, and an explanation that speaks for it.

Pure: looks and facts come in, flags come out. Which looks there are and what is known of people is gathered elsewhere.
"""
