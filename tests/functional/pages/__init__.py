"""The pages as their readers see them: what can be read and done, not by which element. Tests speak only to these."""
