"""How Alembic runs the migrations of the portal's own database (the audit log has no migrations: it only grows)."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine

from portal.models.accounts import Account
from portal.models.base import Base
from portal.models.cases import Case
from portal.models.client_systems import AccessToken, UsedAssertion
from portal.models.errands import HeldErrand
from portal.models.findings import Finding
from portal.models.mail import Mail
from portal.models.marks import RecordMark
from portal.models.sessions import SignedInSession
from portal.models.sign_in_attempts import SignInAttempt
from portal.models.staff import StaffCredentials
from portal.models.supervision import AccessReview
from portal.models.verifications import VerificationRun

#: Importing the models fills the metadata that autogeneration compares with.
MODELS = (
    AccessReview,
    AccessToken,
    Account,
    Case,
    Finding,
    HeldErrand,
    Mail,
    RecordMark,
    SignInAttempt,
    SignedInSession,
    StaffCredentials,
    UsedAssertion,
    VerificationRun,
)


def run() -> None:
    engine = create_engine(context.config.get_main_option("sqlalchemy.url", ""), hide_parameters=True)
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=connection.dialect.name == "sqlite",
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
