"""`python -m portal`: prepare, fill, and serve the portal."""

from portal.cli import main

main()
