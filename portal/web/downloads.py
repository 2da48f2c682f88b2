"""Sending a large sealed file whole, or the part of it that a download that was cut off still lacks."""

from __future__ import annotations

from flask import Response, request
from werkzeug.datastructures import Range

from portal.services.file_jobs import Download
from portal.web.uploads import begun


def as_attachment(download: Download, etag: str, mimetype: str) -> Response:
    """The answer to a request for the file, with or without a range (RFC 9110, section 14)."""
    headers = {
        "Content-Disposition": f"attachment; filename={download.filename}",
        "Accept-Ranges": "bytes",
        "ETag": f'"{etag}"',
    }
    part = _wanted_part(etag)
    bounds = None if part is None else part.range_for_length(download.size)
    if part is not None and bounds is None:
        return Response(status=416, headers={"Content-Range": f"bytes */{download.size}"})
    start, end = bounds or (0, download.size)
    if bounds is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{download.size}"
    response = Response(begun(download.part(start, end)), 206 if bounds else 200, mimetype=mimetype, headers=headers)
    response.content_length = end - start
    return response


def _wanted_part(etag: str) -> Range | None:
    """The one range that was asked for, if any; several ranges are answered with the whole, as they may be."""
    asked, condition = request.range, request.if_range
    if asked is None or asked.units != "bytes" or len(asked.ranges) != 1:
        return None
    is_of_another_file = (condition.etag or condition.date) and condition.etag != etag
    return None if is_of_another_file else asked
