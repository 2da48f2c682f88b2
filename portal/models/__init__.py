"""The portal's own tables: accounts and the runs of its jobs. Personal data of the registries is never among them."""
