"""A person contests a look or a datum: from the line itself, followed to the decision."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.domain.attachments import FilesNotTakenNow, FilesRefused
from portal.domain.disputes import ABOUT_A_DATUM, DisputeKind
from portal.domain.errors import NothingHere
from portal.domain.permissions import Permission
from portal.services.disputes.citizens import Complaint
from portal.services.disputes.filings import FiledTooOften
from portal.services.disputes.ledger import StepRefused
from portal.web.dispute_file import as_archive
from portal.web.forms.disputes import ComplaintForm, FilingForm, MessageForm, WithdrawalForm
from portal.web.guard import requires
from portal.web.house import actor, house, request_id
from portal.web.i18n import gettext as _
from portal.web.uploads import refused_status, sent

blueprint = Blueprint("disputes", __name__)


@blueprint.get("/me/disputes")
@requires(Permission.DISPUTE_OWN_DATA)
def overview() -> ResponseReturnValue:
    return render_template("disputes/overview.html", disputes=house().disputes.own.mine(actor()))


@blueprint.get("/me/accesses/<reference>/contest")
@requires(Permission.DISPUTE_OWN_DATA)
def contest(reference: str) -> ResponseReturnValue:
    line = house().disputes.own.line(actor(), reference)
    return render_template("disputes/new.html", form=ComplaintForm([DisputeKind.ACCESS]), line=line)


@blueprint.post("/me/accesses/<reference>/contest")
@requires(Permission.DISPUTE_OWN_DATA)
def submit_contest(reference: str) -> ResponseReturnValue:
    line = house().disputes.own.line(actor(), reference)
    form = ComplaintForm([DisputeKind.ACCESS])
    if not form.validate():
        return render_template("disputes/new.html", form=form, line=line), 400
    try:
        return _opened(Complaint(kind=DisputeKind.ACCESS, text=form.text.data, reference=reference), form)
    except (FilesRefused, FilesNotTakenNow) as refusal:
        form.refuse_files(refusal)
        return render_template("disputes/new.html", form=form, line=line), refused_status(refusal)


@blueprint.get("/me/records/<registry>/<field>/contest")
@requires(Permission.DISPUTE_OWN_DATA)
def ask(registry: str, field: str) -> ResponseReturnValue:
    return _asked(ComplaintForm(ABOUT_A_DATUM), registry, field)


@blueprint.post("/me/records/<registry>/<field>/contest")
@requires(Permission.DISPUTE_OWN_DATA)
def submit(registry: str, field: str) -> ResponseReturnValue:
    form = ComplaintForm(ABOUT_A_DATUM)
    if not form.validate():
        return _asked(form, registry, field), 400
    kind = DisputeKind(form.kind.data)
    try:
        return _opened(Complaint(kind=kind, text=form.text.data, registry=registry, field=field), form)
    except (FilesRefused, FilesNotTakenNow) as refusal:
        form.refuse_files(refusal)
        return _asked(form, registry, field), refused_status(refusal)


@blueprint.get("/me/disputes/<dispute>")
@requires(Permission.DISPUTE_OWN_DATA)
def one(dispute: str) -> ResponseReturnValue:
    return _page(dispute, MessageForm())


@blueprint.post("/me/disputes/<dispute>")
@requires(Permission.DISPUTE_OWN_DATA)
def write(dispute: str) -> ResponseReturnValue:
    form = MessageForm()
    if not form.validate():
        return _page(dispute, form), 400
    try:
        house().disputes.own.write(actor(), dispute, form.text.data, request_id=request_id(), files=form.uploads)
    except (FilesRefused, FilesNotTakenNow) as refusal:
        form.refuse_files(refusal)
        return _page(dispute, form), refused_status(refusal)
    except StepRefused:
        form.text.errors = [_("The dispute was closed meanwhile. Your message was not sent.")]
        return _page(dispute, form), 409
    return redirect(url_for("disputes.one", dispute=dispute), 303)


@blueprint.post("/me/disputes/<dispute>/withdraw")
@requires(Permission.DISPUTE_OWN_DATA)
def withdraw(dispute: str) -> ResponseReturnValue:
    form = WithdrawalForm()
    if not form.validate():
        return _page(dispute, MessageForm()), 400
    try:
        house().disputes.own.withdraw(actor(), dispute, request_id=request_id())
    except StepRefused:
        return _page(dispute, MessageForm()), 409
    return redirect(url_for("disputes.one", dispute=dispute), 303)


@blueprint.post("/me/disputes/<dispute>/file.zip")
@requires(Permission.DISPUTE_OWN_DATA)
def file(dispute: str) -> ResponseReturnValue:
    """All of the dispute, ready to be sent to the supervisory authority."""
    taken = house().disputes.files.of(actor(), dispute, request_id=request_id())
    headers = {"Content-Disposition": f"attachment; filename=glasshouse-dispute-{taken.dispute.number}.zip"}
    return Response(as_archive(taken, actor().name), mimetype="application/zip", headers=headers)


@blueprint.post("/me/disputes/<dispute>/authority")
@requires(Permission.DISPUTE_OWN_DATA)
def send_to_authority(dispute: str) -> ResponseReturnValue:
    """Have the file wait for the supervisory authority, which is told by mail that one does."""
    form = FilingForm()
    if not form.validate():
        return _page(dispute, MessageForm()), 400
    made = as_archive(house().disputes.files.for_authority(actor(), dispute), actor().name)
    try:
        house().disputes.filings.file(actor(), dispute, made, request_id=request_id())
    except FiledTooOften:
        form.form_errors = [_("It was sent several times already. Wait until the inspectorate has fetched it.")]
        return _page(dispute, MessageForm(), filing=form), 409
    return redirect(url_for("disputes.one", dispute=dispute, _anchor="inspectorate"), 303)


@blueprint.get("/me/disputes/<dispute>/attachments/<attachment>")
@requires(Permission.DISPUTE_OWN_DATA)
def attachment(dispute: str, attachment: str) -> ResponseReturnValue:
    attachments = house().disputes.attachments
    return sent(attachments.for_person(actor(), dispute, attachment, request_id=request_id()))


def _opened(complaint: Complaint, form: ComplaintForm) -> ResponseReturnValue:
    dispute = house().disputes.own.open(actor(), complaint, request_id=request_id(), files=form.uploads)
    return redirect(url_for("disputes.one", dispute=dispute), 303)


def _asked(form: ComplaintForm, code: str, field_code: str) -> str:
    registry = house().catalogue.registries.get(code)
    field = None if registry is None else registry.fields.get(field_code)
    if registry is None or field is None:
        raise NothingHere
    return render_template("disputes/new.html", form=form, registry=registry, field=field)


def _page(dispute: str, form: MessageForm, *, filing: FilingForm | None = None) -> str:
    shown = house().disputes.own.one(actor(), dispute)
    recipients = house().disputes.corrections.recipients(shown.dispute_id)
    return render_template(
        "disputes/one.html",
        dispute=shown,
        recipients=recipients,
        form=form,
        filing=filing,
        filings=house().disputes.filings.of(shown.dispute_id),
        authority=house().disputes.filings.authority,
        catalogue=house().catalogue,
        decision=house().decisions.office.contested(shown.decision),
        rules=house().decisions.rules.rules,
    )
