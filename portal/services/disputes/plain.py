"""A dispute for a machine: codes instead of words, times in UTC (ISO 8601)."""

from __future__ import annotations

from portal.domain.disputes import ARTICLES, GROUND_LAW
from portal.services.disputes.ledger import ShownDispute


def plain_dispute(dispute: ShownDispute) -> dict[str, object]:
    """What JSON can hold. Nobody's name is in it but where somebody wrote one."""
    return {
        "number": dispute.number,
        "organisation": dispute.organisation,
        "kind": dispute.kind,
        "basis": ARTICLES[dispute.kind],
        "registry": dispute.registry,
        "field": dispute.field,
        "contested_entry": dispute.entry,
        "state": dispute.state,
        "opened_at": dispute.opened_at.isoformat(),
        "due_on": dispute.due_on.isoformat(),
        "extended": dispute.is_extended,
        "closed_at": None if dispute.closed_at is None else dispute.closed_at.isoformat(),
        "ruling": dispute.ruling,
        "ground": dispute.ground,
        "ground_in_law": None if dispute.ground is None else GROUND_LAW[dispute.ground],
        "steps": [
            {
                "step": message.step,
                "by": "person" if message.by_person else "organisation",
                "written_at": message.written_at.isoformat(),
                "entry": message.entry,
                "text": message.text,
                "withheld": [part.reason for part in message.parts if part.reason is not None],
                "attachments": [
                    {
                        "name": one.name or None,
                        "kind": one.kind,
                        "withheld": one.withheld,
                        "passages_withheld": [span.reason for span in one.spans],
                    }
                    for one in message.attachments
                ],
            }
            for message in dispute.messages
        ],
    }
