"""The worked example of docs/registries.md works."""

from __future__ import annotations

import re
from pathlib import Path

from portal.registries.catalogue import SourceKind, load_catalogue

ROOT = Path(__file__).parents[4]
IN_EVERY_LANGUAGE = 'en = "a"\net = "b"\nru = "c"\n'


def test_the_worked_example_loads_beside_the_shipped_catalogue(shipped_copy: Path) -> None:
    registry, purpose = re.findall(
        r"```toml\n(.*?)```", (ROOT / "docs/registries.md").read_text(encoding="utf-8"), re.DOTALL
    )
    left_out = "".join(
        f"[{table}]\n{IN_EVERY_LANGUAGE}"
        for table in ("description", "purpose", "lawful_basis", "retention", "automated_decisions", "transfers")
    )
    (shipped_copy / "registries" / "90-library.toml").write_text(registry + "\n" + left_out, encoding="utf-8")
    texts = "".join(f'{key} = {{ en = "a", et = "b", ru = "c" }}\n' for key in ("name", "explanation", "retention"))
    texts += 'lawful_basis = { en = "Article 6(1)(e)", et = "b", ru = "c" }\n'
    purposes = shipped_copy / "purposes.toml"
    added = purpose.replace("[purpose.permits]", texts + "[purpose.permits]")
    purposes.write_text(purposes.read_text(encoding="utf-8") + added, encoding="utf-8")
    catalogue = load_catalogue(shipped_copy)
    library = catalogue.registries["library"]
    assert library.connector.lookup is not None
    provenance = library.fields["home"].provenance
    assert provenance is not None
    assert provenance.sources["DEALER"].kind is SourceKind.PURCHASED
    assert catalogue.purposes["lost-book"].permits == {"library": ("book",)}
