"""Recipients' systems fetch what was found wrong of the data they received, and say that they took it over."""

from __future__ import annotations

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from portal.domain.machines import Operation
from portal.web.api.problems import init_problems, rfc3339
from portal.web.guard import machine
from portal.web.house import admitted, house, request_id

blueprint = Blueprint("api_corrections", __name__)
init_problems(blueprint)


@blueprint.get("/api/v1/corrections")
@machine(Operation.TAKE_CORRECTIONS)
def waiting() -> ResponseReturnValue:
    found = house().disputes.system_corrections.waiting(admitted())
    return jsonify(
        corrections=[
            {
                "id": one.notice_id,
                "registry": one.registry,
                "told_at": rfc3339(one.told_at),
                "reminders": one.reminders,
            }
            for one in found
        ]
    )


@blueprint.get("/api/v1/corrections/<correction>")
@machine(Operation.TAKE_CORRECTIONS)
def one(correction: str) -> ResponseReturnValue:
    found = house().disputes.system_corrections.one(admitted(), correction, request_id=request_id())
    return jsonify(
        id=found.notice_id,
        subject=found.subject.reveal(),
        registry=found.registry,
        field=found.field,
        kind=found.kind,
        times_received=found.looks,
        last_received_at=rfc3339(found.last_look_at),
        told_at=rfc3339(found.told_at),
        acknowledged_at=None if found.acknowledged_at is None else rfc3339(found.acknowledged_at),
    )


@blueprint.post("/api/v1/corrections/<correction>/acknowledge")
@machine(Operation.TAKE_CORRECTIONS)
def acknowledge(correction: str) -> ResponseReturnValue:
    at = house().disputes.system_corrections.acknowledge(admitted(), correction, request_id=request_id())
    return jsonify(id=correction, acknowledged_at=rfc3339(at))
