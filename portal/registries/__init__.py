"""The registries: what each one holds and says about itself, and the connectors that read them."""
