"""A person takes all away that is held on them: one bundle, made in the background, fetched within some days."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.domain.assurance import Assurance
from portal.domain.permissions import Permission
from portal.domain.security_events import SecurityEvent
from portal.services.bundle.desk import BundleUnderWay
from portal.services.security_log import announce
from portal.web.bundle_telling import telling
from portal.web.downloads import as_attachment
from portal.web.forms.bundle import BundleForm
from portal.web.forms.fields import HouseForm
from portal.web.guard import FRESH, requires
from portal.web.house import actor, house, jobs, request_id
from portal.web.i18n import language

blueprint = Blueprint("bundle", __name__)

#: How often the page of a bundle in the making asks again, in seconds.
REFRESH_SECONDS = 2


@blueprint.get("/me/bundle")
@requires(Permission.TAKE_OWN_BUNDLE)
def overview() -> ResponseReturnValue:
    return render_template("bundle/overview.html", bundles=house().bundles.recent(actor()))


@blueprint.get("/me/bundle/new")
@requires(Permission.TAKE_OWN_BUNDLE, assurance=Assurance.HIGH, fresh=FRESH)
def new() -> ResponseReturnValue:
    return render_template("bundle/new.html", form=BundleForm(actor().name))


@blueprint.post("/me/bundle/new")
@requires(Permission.TAKE_OWN_BUNDLE, assurance=Assurance.HIGH, fresh=FRESH)
def start() -> ResponseReturnValue:
    form = BundleForm(actor().name)
    if not form.validate():
        return render_template("bundle/new.html", form=form), 400
    desk = house().bundles
    try:
        bundle = desk.request(actor(), language(), form.chosen(), request_id=request_id())
    except BundleUnderWay:
        bundles = desk.recent(actor())
        return render_template("bundle/overview.html", bundles=bundles, came_twice=True), 409
    jobs().start("bundle", partial(desk.run, bundle, telling()))
    return redirect(url_for("bundle.one", bundle=bundle), 303)


@blueprint.get("/me/bundle/<bundle>")
@requires(Permission.TAKE_OWN_BUNDLE)
def one(bundle: str) -> ResponseReturnValue:
    shown = house().bundles.one(actor(), bundle)
    refresh = None if shown.is_over else REFRESH_SECONDS
    return render_template("bundle/one.html", job=shown, refresh=refresh, deletion=HouseForm())


@blueprint.get("/me/bundle/<bundle>/file")
@requires(Permission.TAKE_OWN_BUNDLE, assurance=Assurance.HIGH, fresh=FRESH)
def file(bundle: str) -> ResponseReturnValue:
    download = house().bundles.download(actor(), bundle, request_id=request_id())
    announce(SecurityEvent.BUNDLE_FETCHED)
    return as_attachment(
        download, bundle, "application/octet-stream" if download.filename.endswith(".age") else "application/zip"
    )


@blueprint.post("/me/bundle/<bundle>/delete")
@requires(Permission.TAKE_OWN_BUNDLE)
def delete(bundle: str) -> ResponseReturnValue:
    house().bundles.delete(actor(), bundle, request_id=request_id())
    return redirect(url_for("bundle.one", bundle=bundle), 303)
