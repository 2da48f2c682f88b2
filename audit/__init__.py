"""A tamper-evident log of accesses to personal data, in public formats, usable without the portal.

Import from the modules themselves: `audit.log` to write and read, `audit.verify` to check with no database.
"""
