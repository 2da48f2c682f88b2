"""`python -m frontend.build`: compile the style sheet, the script, the fonts and the translations.

Everything goes to `portal/static/build` under names that hold a digest of the contents, so that browsers may keep a
file for ever; `manifest.json` says which file stands for which name. A second run with nothing changed does nothing.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

from frontend.node import BuildFailed, Node, find_node

FRONTEND = Path(__file__).parent
ROOT = FRONTEND.parent
STATIC = ROOT / "portal" / "static"
BUILD = STATIC / "build"
TRANSLATIONS = ROOT / "portal" / "translations"
PACKAGES = FRONTEND / "node_modules"
TOOLS = ROOT / ".tools"
MANIFEST = "manifest.json"
#: In the manifest: the digest of everything the build was made from.
INPUTS = "inputs"

FONT_FILES = PACKAGES / "@fontsource-variable" / "noto-sans" / "files"
FONTS = {
    f"noto-sans-{subset}.woff2": FONT_FILES / f"noto-sans-{subset}-wght-normal.woff2"
    for subset in ("latin", "latin-ext", "cyrillic")
}
#: Scripts of our own: the one of every page, and those of the pages that need more.
SCRIPTS = ("main.js", "passkeys.js")


def main() -> int:
    try:
        build_assets()
        compile_translations()
    except BuildFailed as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def build_assets() -> bool:
    """Build unless the last build was made from the very same inputs; says whether it built. Raises BuildFailed."""
    wanted = digest_of_inputs()
    if _is_built_from(wanted):
        return False
    print("Building the style sheet, the script and the fonts …")
    node = find_node(TOOLS)
    _install_packages(node)
    names = {name: path.read_bytes() for name, path in FONTS.items()}
    names["mark.svg"] = (STATIC / "mark.svg").read_bytes()
    published = {name: _hashed_name(name, contents) for name, contents in names.items()}
    names["main.css"] = _with_names(_compiled_styles(node), published)
    names["govuk-frontend.js"] = _without_source_map(
        (PACKAGES / "govuk-frontend" / "dist" / "govuk" / "govuk-frontend.min.js").read_bytes()
    )
    published["govuk-frontend.js"] = _hashed_name("govuk-frontend.js", names["govuk-frontend.js"])
    for name in SCRIPTS:
        names[name] = _with_names((FRONTEND / "scripts" / name).read_bytes(), published)
    for name in ("main.css", *SCRIPTS):
        published[name] = _hashed_name(name, names[name])
    _publish({published[name]: contents for name, contents in names.items()}, {**published, INPUTS: wanted})
    return True


def compile_translations() -> None:
    """Compile each .po file that is newer than its .mo file. Raises BuildFailed for one that cannot be read."""
    for source in sorted(TRANSLATIONS.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        try:
            catalog = read_po(io.BytesIO(source.read_bytes()), locale=source.parts[-3], abort_invalid=True)
        except (PoFileError, ValueError) as error:
            raise BuildFailed(f"{source.relative_to(ROOT)}: {error}") from None
        with target.open("wb") as file:
            write_mo(file, catalog)


def digest_of_inputs() -> str:
    digest = hashlib.sha256()
    for path in sorted(_inputs()):
        digest.update(f"{path.relative_to(ROOT)}\n".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _inputs() -> Iterable[Path]:
    yield from (FRONTEND / "package.json", FRONTEND / "package-lock.json", STATIC / "mark.svg")
    yield from FRONTEND.glob("*.py")
    yield from (FRONTEND / "styles").glob("*.scss")
    yield from (FRONTEND / "scripts").glob("*.js")


def _is_built_from(inputs: str) -> bool:
    try:
        manifest = json.loads((BUILD / MANIFEST).read_text())
    except (OSError, ValueError):
        return False
    return manifest.get(INPUTS) == inputs and all(
        (BUILD / file).exists() for name, file in manifest.items() if name != INPUTS
    )


def _install_packages(node: Node) -> None:
    stamp = PACKAGES / ".lock-sha256"
    lock = hashlib.sha256((FRONTEND / "package-lock.json").read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == lock:
        return
    node.install(FRONTEND)
    stamp.write_text(lock)


def _compiled_styles(node: Node) -> bytes:
    arguments = [str(PACKAGES / "sass" / "sass.js"), "--style=compressed", "--no-source-map"]
    arguments += [f"--load-path={PACKAGES / 'govuk-frontend' / 'dist'}", str(FRONTEND / "styles" / "main.scss")]
    return node.run(arguments, where=FRONTEND, doing="Compiling the style sheet").encode()


def _hashed_name(name: str, contents: bytes) -> str:
    stem, _, ending = name.rpartition(".")
    return f"{stem}.{hashlib.sha256(contents).hexdigest()[:12]}.{ending}"


def _with_names(text: bytes, published: dict[str, str]) -> bytes:
    """`./name` becomes the published name beside it."""
    for name, file in published.items():
        text = text.replace(f"./{name}".encode(), f"./{file}".encode())
    return text


def _without_source_map(script: bytes) -> bytes:
    return re.sub(rb"\n?//# sourceMappingURL=\S*\s*$", b"\n", script)


def _publish(files: dict[str, bytes], manifest: dict[str, str]) -> None:
    """Put the new build in place as one step: a portal that is running never sees half of it."""
    STATIC.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".build-", dir=STATIC))
    for name, contents in files.items():
        (fresh / name).write_bytes(contents)
    (fresh / MANIFEST).write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
    fresh.chmod(0o755)
    shutil.rmtree(BUILD, ignore_errors=True)
    fresh.rename(BUILD)


if __name__ == "__main__":
    sys.exit(main())
