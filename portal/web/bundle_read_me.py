"""The first thing to read in a bundle: what lies in it, and how to check it without trusting anybody."""

from __future__ import annotations

from textwrap import fill

from portal.services.bundle.telling import Told
from portal.web.formatting import grouped, moment
from portal.web.i18n import gettext as _

_WIDTH = 100
_INDENT = 16
_CHECK = "    python -m audit check-receipt receipts/{}.txt --vkey log-keys.txt"


def read_me(told: Told, portal: str) -> str:
    """Plain text; `portal` is the address of the portal."""
    title = _("Your data, and who looked at it")
    made = _(
        "Made on %(moment)s for %(person)s, from Glasshouse at %(portal)s.",
        moment=moment(told.made_at),
        person=told.person,
        portal=portal,
    )
    parts = [
        f"{title}\n{'=' * len(title)}",
        fill(made, _WIDTH),
        "\n".join(_listed(name, words) for name, words in _files(told)),
        _headed(_("How to check it"), _steps(told, portal)),
        _headed(_("What a check tells you"), [_worth()]),
        _headed(_("Keep it safe"), [_care()]),
    ]
    return "\n\n".join(parts) + "\n"


def _files(told: Told) -> list[tuple[str, str]]:
    files = [
        ("report.pdf", _("All of it for reading. Of very many looks it tells the last ones.")),
        ("records.json", _("What each registry holds on you, exact, for programs.")),
        ("records.csv", _("The same for a spreadsheet.")),
        ("accesses.json", _("Every entry of the access log about you, exact, for programs. The oldest is first.")),
        ("accesses.csv", _("The same for a spreadsheet.")),
        ("consents.json", _("Your consents, as records of ISO/IEC TS 27560.")),
        ("disputes.json", _("Your disputes, with what was written; what is attached lies in the folder disputes.")),
        ("receipts/", _("The proof of each entry, under its number.")),
        ("checkpoint", _("The state of the whole log that all these proofs lead to, signed by the log.")),
        ("log-keys.txt", _("The public keys of the log.")),
        ("verify.html", _("A page that checks a receipt in your own browser, without any network.")),
    ]
    return [*files, ("witness-keys.txt", _("The public keys of the log’s witnesses."))] if told.witnesses else files


def _steps(told: Told, portal: str) -> list[str]:
    witnesses = " --witness-vkey witness-keys.txt" if told.witnesses else ""
    example = max((one.entry for one in told.records), default=0)
    return [
        _(
            "1. Compare log-keys.txt with the keys that %(page)s shows, or better with those that somebody else wrote"
            " down. All the rest stands on them: a forger would put in their own.",
            page=f"{portal}/verify",
        ),
        _(
            "2. Open verify.html in a browser and give it a file of the folder receipts. It sends nothing anywhere."
            " Whoever does not want to trust this copy saves the page %(page)s and uses that.",
            page=f"{portal}/verify",
        ),
        _("3. Or, on a computer where Glasshouse is installed, check a receipt with this command:"),
        _CHECK.format(example) + witnesses,
        _(
            "4. All receipts of this bundle lead to the file checkpoint: a log of %(size)s entries. Keep it: a log that"
            " is changed later cannot be made to fit it.",
            size=grouped(told.checkpoint.checkpoint.size),
        ),
    ]


def _worth() -> str:
    return _(
        "A receipt that holds proves that this entry stood in the log, word for word, when the checkpoint was signed."
        " It does not prove that an official’s reason was true, or that what a registry holds is right: of what the"
        " registries answered, the receipts prove that you asked, and when."
    )


def _care() -> str:
    return _(
        "Whoever has these files knows what the state knows about you. A receipt shows its entry to whoever has it."
        " Delete what you do not need."
    )


def _headed(heading: str, paragraphs: list[str]) -> str:
    lines = [one if one.startswith(" ") else fill(one, _WIDTH, subsequent_indent=_hanging(one)) for one in paragraphs]
    return "\n".join((heading, "-" * len(heading), *lines))


def _hanging(paragraph: str) -> str:
    return "   " if paragraph[:1].isdigit() else ""


def _listed(name: str, words: str) -> str:
    return fill(words, _WIDTH, initial_indent=name.ljust(_INDENT + 2), subsequent_indent=" " * (_INDENT + 2))
