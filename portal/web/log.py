"""The log's public face (C2SP tlog-tiles): its checkpoint, hash tiles and entry bundles, for whoever wants to check it.

Leaves hold commitments and labels that nobody can link without a person's key, so these files tell of no one.
"""

from __future__ import annotations

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from audit.errors import EntryNotFound, MalformedTile
from audit.tiles import parse_tile_path
from portal.domain.errors import NothingHere
from portal.web.guard import public
from portal.web.house import house
from portal.web.security_headers import FOR_EVER, cached

blueprint = Blueprint("log", __name__)

#: A checkpoint is overtaken by the next entry: a cache may hold it no longer than it takes to answer a crowd.
FOR_A_MOMENT = "public, max-age=1"


@blueprint.get("/log/checkpoint")
@public("size and root of the log, signed: says nothing about any person")
def checkpoint() -> ResponseReturnValue:
    """The newest checkpoint, with witnesses' cosignatures where they have given theirs."""
    return cached(Response(house().log.public.checkpoint(), mimetype="text/plain"), FOR_A_MOMENT)


@blueprint.get("/log/tile/<path:path>")
@public("hashes, and leaves that hold commitments only: neither says anything about any person")
def tile(path: str) -> ResponseReturnValue:
    """A hash tile or an entry bundle. What was once served at an address never changes, be it full or partial."""
    try:
        content = house().log.public.file(parse_tile_path(f"tile/{path}"))
    except (MalformedTile, EntryNotFound):
        raise NothingHere from None
    return cached(Response(content, mimetype="application/octet-stream"), FOR_EVER)
