"""The WSGI entry point: `flask --app wsgi run`, or any WSGI server."""

from config.settings import Settings
from portal.app import create_app

app = create_app(Settings.load())
