"""The service of bundles, put together in one place."""

from __future__ import annotations

from datetime import timedelta

from portal.models.bundles import BundleJob
from portal.services.accounts import Accounts
from portal.services.bundle.contents import Contents, Sources
from portal.services.bundle.desk import BundleDesk
from portal.services.file_jobs import FileJobs
from portal.services.safeguards import Foundations
from portal.services.sealed_files import SealedFiles


def furnish_bundles(
    on: Foundations,
    accounts: Accounts,
    sources: Sources,
    files: SealedFiles,
    *,
    keep: timedelta,
    base_url: str,
    witnesses: tuple[str, ...],
) -> BundleDesk:
    """`keep` is how long a bundle may be fetched; `base_url` is where the portal is, for links in what it holds."""
    return BundleDesk(on, accounts, Contents(on, sources, base_url, witnesses), FileJobs(BundleJob, on, files, keep))
