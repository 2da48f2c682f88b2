"""Builds what browsers load: style sheet, script, fonts. Only the build needs Node; the running portal does not."""
