"""The declarative country: settings, registries, purposes and organisations."""
