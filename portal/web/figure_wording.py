"""Words for figures: what is published of each organisation, and how proceedings stand."""

from __future__ import annotations

from flask import Flask

from portal.services.proceedings.kinds import Kind, Stage
from portal.services.transparency import Figure
from portal.web.i18n import lazy_gettext as _l

FIGURES = {
    Figure.BY_PEOPLE: _l("Looks by officials"),
    Figure.BY_SYSTEMS: _l("Looks by systems"),
    Figure.REFUSED: _l("Refused attempts"),
    Figure.EMERGENCIES_IN_TIME: _l("Emergencies reviewed in time"),
    Figure.EMERGENCIES_NOT_IN_TIME: _l("Emergencies not reviewed in time"),
    Figure.SEALS_ENDED: _l("Seals that ended"),
    Figure.DISPUTES_UPHELD: _l("The person was right"),
    Figure.DISPUTES_REFUSED: _l("Refused"),
    Figure.DISPUTES_WITHDRAWN: _l("Withdrawn"),
}
KINDS = {
    Kind.EMERGENCY: _l("Emergencies (break-glass)"),
    Kind.REVIEW: _l("Reviews of looks by supervisors"),
    Kind.DISPUTE: _l("Disputes"),
    Kind.SEAL: _l("Seals"),
}
#: Each in the column of its kind.
STAGES = {
    Stage.EMERGENCY_IN_TIME: _l("Reviewed in time"),
    Stage.EMERGENCY_LATE: _l("Reviewed late"),
    Stage.EMERGENCY_WAITING: _l("To be reviewed"),
    Stage.EMERGENCY_OVERDUE: _l("Review overdue"),
    Stage.REVIEW_IN_TIME: _l("Decided in time"),
    Stage.REVIEW_LATE: _l("Decided late"),
    Stage.REVIEW_WAITING: _l("Open"),
    Stage.REVIEW_OVERDUE: _l("Overdue"),
    Stage.DISPUTE_UPHELD: _l("The person was right"),
    Stage.DISPUTE_REFUSED: _l("Refused"),
    Stage.DISPUTE_WITHDRAWN: _l("Withdrawn"),
    Stage.DISPUTE_WAITING: _l("Open"),
    Stage.DISPUTE_OVERDUE: _l("Overdue"),
    Stage.SEAL_IN_FORCE: _l("In force"),
    Stage.SEAL_ENDED: _l("Ended"),
}


def init_figure_wording(app: Flask) -> None:
    app.add_template_filter(FIGURES.__getitem__, "figure_in_words")
    app.add_template_filter(KINDS.__getitem__, "kind_of_proceedings")
    app.add_template_filter(STAGES.__getitem__, "stage_in_words")
