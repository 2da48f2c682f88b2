"""A demonstration country: invented people, their records in separate registries, and who looked at them."""
