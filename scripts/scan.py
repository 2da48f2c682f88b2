"""`make scan`: scanners that nobody here wrote, against a portal that runs, signed in as each role.

Everything stays on this machine: the portal listens on 127.0.0.1 over databases of its own, and the scanners are told
no other address. What they find goes to var/scans/; docs/scans.md says what was found, and why what is left is left.
The command fails when a finding above "low" is not among those explained (`EXPLAINED`).
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

ROOT = Path(__file__).parents[1]
TOOLS = ROOT / ".tools" / "scan" / "bin"
RESULTS = ROOT / "var" / "scans"
#: Seconds for one scanner and one role.
PATIENCE = int(os.environ.get("SCAN_SECONDS", "120"))
#: Wapiti's attacks. Left out: `ssrf`, `xxe` and `log4shell` ask a service of Wapiti's makers on the internet.
WAPITI = (
    "sql,timesql,xss,permanentxss,exec,file,redirect,crlf,csp,http_headers,cookieflags,methods,htaccess,csrf,backup"
)
#: Findings above "low" that docs/scans.md explains: scanner, and a pattern of what it says.
EXPLAINED = (
    ("bandit", r"B608 audit/(schema|rows)\.py"),
    ("bandit", r"B608 portal/demo/building\.py"),
    ("bandit", r"B104 config/settings\.py"),
    ("bandit", r"B310 scripts/scan\.py"),
)
#: A version with published vulnerabilities: a database that answers must name it (CVE-2019-10906).
CANARY = "jinja2==2.10"


@dataclass(frozen=True)
class Finding:
    """What a scanner says, and how grave it calls it ("low", "medium", "high")."""

    scanner: str
    severity: str
    what: str

    @property
    def is_explained(self) -> bool:
        return self.severity == "low" or any(
            scanner == self.scanner and re.search(pattern, self.what) for scanner, pattern in EXPLAINED
        )


class Page(HTMLParser):
    """The links and forms of a page: as much as is needed to describe the portal to a scanner."""

    def __init__(self) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.forms: list[tuple[str, str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and given.get("href", "").startswith("/"):
            self.links.add(urlsplit(given["href"]).path)
        elif tag == "form":
            self.forms.append((given.get("method", "get").lower(), given.get("action", ""), {}))
        elif tag in {"input", "select", "textarea"} and self.forms and given.get("name"):
            self.forms[-1][2][given["name"]] = given.get("value", "")


class Visitor:
    """Somebody signed in at the running portal."""

    def __init__(self, base: str, role: str, account: str | None) -> None:
        self.base, self.role = base, role
        self._jar = CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._jar))
        if account is not None:
            self._open("/sign-in/demonstration", {"account": account, "csrf_token": self.token("/sign-in")})

    @property
    def cookie(self) -> str:
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._jar)

    def token(self, path: str = "/about") -> str:
        return next((fields["csrf_token"] for _, _, fields in self.page(path).forms if "csrf_token" in fields), "")

    def page(self, path: str) -> Page:
        page = Page()
        page.feed(self._open(path))
        return page

    def forms(self, most: int = 40) -> dict[tuple[str, str], dict[str, str]]:
        """Method and path of every link and form that can be reached, with the fields of the form."""
        waiting, seen, found = ["/"], set(), {}
        while waiting and len(seen) < most:
            path = waiting.pop(0)
            if path in seen or path.startswith(("/static", "/language", "/tile")):
                continue
            seen.add(path)
            try:
                page = self.page(path)
            except OSError:
                continue
            found[("get", path)] = {}
            for method, action, fields in page.forms:
                found[(method, urlsplit(urljoin(self.base + path, action)).path)] = fields
            waiting += sorted(page.links - seen)
        return {key: fields for key, fields in found.items() if key[1] != "/sign-out"}

    def _open(self, path: str, form: dict[str, str] | None = None) -> str:
        data = None if form is None else urlencode(form).encode()
        request = urllib.request.Request(self.base + path, data, {"Referer": self.base + "/"})
        with self._opener.open(request, timeout=30) as answer:
            return str(answer.read().decode(errors="replace"))


@contextmanager
def running_portal() -> Iterator[tuple[str, dict[str, str]]]:
    """A portal on this machine with the demonstration's people: its address, and an account of each role."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="glasshouse-scan-") as folder:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GLASSHOUSE_")}
        settings = {"DATA_DIR": folder, "DEMO_PEOPLE": "200", "LIMITS__ENABLED": "false", "SESSION_IDLE_MINUTES": "600"}
        environ = kept | {f"GLASSHOUSE_{name}": value for name, value in settings.items()}
        command = [sys.executable, "-m", "portal", "demo", "--port", str(port)]
        with (RESULTS / "portal.log").open("w") as log:
            process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log)
            try:
                base = f"http://127.0.0.1:{port}"
                _wait_for(base)
                yield base, _accounts(Path(folder) / "portal.db")
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(30)


def _wait_for(base: str) -> None:
    for _ in range(900):
        try:
            with urllib.request.urlopen(f"{base}/readyz", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("the portal did not start; see var/scans/portal.log")


def _accounts(database: Path) -> dict[str, str]:
    chosen = "SELECT role, id FROM accounts WHERE is_demonstration GROUP BY role HAVING position = min(position)"
    with closing(sqlite3.connect(database)) as connection:
        return dict(connection.execute(chosen).fetchall())


def _run(command: list[str], *, seconds: int | None = None) -> str:
    """What a scanner wrote, also where it was stopped for taking too long: it tells what it found on the way."""
    try:
        done = subprocess.run(
            command, cwd=RESULTS, capture_output=True, text=True, timeout=seconds, check=False, errors="replace"
        )
    except subprocess.TimeoutExpired as stopped:
        return (stopped.stdout or b"").decode(errors="replace") + "\n(stopped: out of time)"
    return done.stdout + done.stderr


def bandit() -> list[Finding]:
    targets = [str(ROOT / name) for name in ("audit", "portal", "config", "frontend", "scripts")]
    report = RESULTS / "bandit.json"
    _run([str(TOOLS / "bandit"), "-q", "-r", *targets, "-f", "json", "-o", str(report)])
    told = json.loads(report.read_text())
    return [
        Finding(
            "bandit",
            result["issue_severity"].lower(),
            f"{result['test_id']} {Path(result['filename']).relative_to(ROOT)}:{result['line_number']}"
            f" {result['issue_text'][:80]}",
        )
        for result in told["results"]
    ]


def wapiti(visitor: Visitor) -> list[Finding]:
    report = RESULTS / f"wapiti-{visitor.role}.json"
    report.unlink(missing_ok=True)
    command = [str(TOOLS / "wapiti"), "-u", f"{visitor.base}/", "--scope", "folder", "-m", WAPITI, "-f", "json"]
    command += ["-o", str(report), "--flush-session", "--no-bugreport", "-x", f"{visitor.base}/sign-out", "-v", "0"]
    command += ["--max-scan-time", str(PATIENCE), "--max-attack-time", str(PATIENCE // 6), "--max-parameters", "20"]
    command += ["--store-session", str(RESULTS / "wapiti"), "--store-config", str(RESULTS / "wapiti")]
    _run([*command, "-C", visitor.cookie], seconds=PATIENCE * 8)
    if not report.exists():
        raise SystemExit(f"wapiti gave no report for {visitor.role}")
    grave = {1: "low", 2: "medium", 3: "high", 4: "high"}
    told = json.loads(report.read_text())
    kinds = {**told["vulnerabilities"], **told["anomalies"]}
    return [
        Finding("wapiti", grave.get(one["level"], "low"), f"as {visitor.role}: {kind} {one['method']} {one['path']}")
        for kind, found in kinds.items()
        for one in found
    ]


def schemathesis(visitor: Visitor) -> list[Finding]:
    """Sends what no form would to every route that the visitor reaches; an answer of 500 or more is a finding."""
    paths: dict[str, Any] = {}
    for (method, path), fields in sorted(visitor.forms().items()):
        text = {"type": "string"}
        operation: dict[str, Any] = {"responses": {"200": {"description": "a page"}}}
        named = {name: text for name in fields if name != "csrf_token"}
        if method == "post":
            schema = {"type": "object", "properties": named}
            kinds = ("application/x-www-form-urlencoded", "multipart/form-data", "application/json")
            operation["requestBody"] = {"content": {kind: {"schema": schema} for kind in kinds}}
        else:
            names = {**named, "before": text, "next": text}
            operation["parameters"] = [{"name": name, "in": "query", "schema": text} for name in names]
        paths.setdefault(path, {})[method] = operation
    document = {"openapi": "3.0.3", "info": {"title": "Glasshouse", "version": "1"}, "paths": paths}
    file = RESULTS / f"forms-{visitor.role}.json"
    file.write_text(json.dumps(document, indent=1))
    command = [str(TOOLS / "schemathesis"), "run", str(file), "--base-url", visitor.base]
    command += ["--checks", "not_a_server_error", "--hypothesis-max-examples", "40", "--hypothesis-deadline", "20000"]
    command += ["--data-generation-method", "all", "--request-timeout", "20000", "--hypothesis-seed", "1"]
    for header in (f"Cookie: {visitor.cookie}", f"X-CSRFToken: {visitor.token()}", f"Referer: {visitor.base}/"):
        command += ["-H", header]
    told = _run(command, seconds=PATIENCE * 2)
    (RESULTS / f"schemathesis-{visitor.role}.txt").write_text(told)
    failed = re.findall(r"^_+ (GET|POST) (\S+)", told, re.MULTILINE)
    if "passed" not in told and not failed and "out of time" not in told:
        raise SystemExit(f"schemathesis did not run: {told[-500:]}")
    return [
        Finding("schemathesis", "high", f"as {visitor.role}: {' '.join(one)} answers with a server error")
        for one in failed
    ]


def machine_api(visitor: Visitor) -> list[Finding]:
    """The interface for registries' systems, by its own OpenAPI document; whoever has no certificate is refused."""
    command = [
        str(TOOLS / "schemathesis"),
        "run",
        f"{visitor.base}/api/v1/openapi.json",
        "--experimental",
        "openapi-3.1",
    ]
    command += ["--base-url", visitor.base, "--checks", "not_a_server_error,response_schema_conformance"]
    command += ["--hypothesis-max-examples", "60", "--data-generation-method", "all", "--hypothesis-seed", "1"]
    told = _run(command, seconds=PATIENCE * 2)
    (RESULTS / "schemathesis-api.txt").write_text(told)
    if "Performed checks" not in told:
        raise SystemExit(f"schemathesis did not run: {told[-500:]}")
    failed = re.findall(r"^_+ (GET|POST) (\S+)", told, re.MULTILINE)
    return [Finding("schemathesis", "high", f"{' '.join(one)} is not what its description says") for one in failed]


def sqlmap(visitor: Visitor) -> list[Finding]:
    """The search forms: what is typed there reaches a database."""
    searches = [
        (method, path, fields) for (method, path), fields in visitor.forms().items() if _is_search(path, fields)
    ]
    found = []
    for method, path, fields in searches:
        named = [name for name in fields if name != "csrf_token"]
        data = urlencode({name: fields[name] or "1" for name in fields})
        command = [str(TOOLS / "sqlmap"), "--batch", "--flush-session", "--level", "2", "--risk", "1", "--threads", "2"]
        command += [
            "--cookie",
            visitor.cookie,
            "--timeout",
            "10",
            "--retries",
            "1",
            "--output-dir",
            str(RESULTS / "sqlmap"),
        ]
        command += ["-p", ",".join(named), "--headers", f"Referer: {visitor.base}/", "--ignore-code", "400,429"]
        where = (
            ["-u", visitor.base + path, "--data", data] if method == "post" else ["-u", f"{visitor.base}{path}?{data}"]
        )
        told = _run([*command, *where], seconds=PATIENCE * 2)
        (RESULTS / f"sqlmap-{visitor.role}{path.replace('/', '-')}.txt").write_text(told)
        if "heuristic" not in told and "testing" not in told:
            raise SystemExit(f"sqlmap did not run: {told[-500:]}")
        if "is vulnerable" in told or "injection point" in told:
            found.append(Finding("sqlmap", "high", f"as {visitor.role}: {method} {path} can be injected"))
    print(f"  sqlmap as {visitor.role}: {len(searches)} search forms")
    return found


def _is_search(path: str, fields: dict[str, str]) -> bool:
    return path in {"/oversight", "/me/accesses"} and len(fields) > 1


def audit_of_dependencies() -> tuple[bool, list[Finding]]:
    """Whether the advisory database answers, and what it says. Without an answer nothing was audited."""
    canary = RESULTS / "canary.txt"
    canary.write_text(CANARY + "\n")
    command = [str(TOOLS / "pip-audit"), "--no-deps", "--disable-pip", "--progress-spinner", "off", "-f", "json"]
    if "CVE" not in _run([*command, "-r", str(canary)], seconds=PATIENCE):
        return False, []
    told = _run([*command, "-r", str(ROOT / "requirements.txt")], seconds=PATIENCE * 2)
    named = json.loads(told[told.index("{") :].splitlines()[0])
    return True, [
        Finding("pip-audit", "high", f"{package['name']} {package['version']}: {one['id']}")
        for package in named["dependencies"]
        for one in package.get("vulns", ())
    ]


def main() -> int:
    RESULTS.mkdir(parents=True, exist_ok=True)
    findings = bandit()
    print(f"bandit: {len(findings)} findings")
    with running_portal() as (base, accounts):
        findings += (found := machine_api(Visitor(base, "visitor", None)))
        print(f"schemathesis of the interface for machines: {len(found)} findings", flush=True)
        for role, account in [("visitor", None), *sorted(accounts.items())]:
            if sys.argv[1:] and role not in sys.argv[1:]:
                continue
            for scan in (schemathesis, sqlmap, wapiti):
                started = time.monotonic()
                found = scan(Visitor(base, role, account))
                findings += found
                print(
                    f"{scan.__name__} as {role}: {len(found)} findings, {time.monotonic() - started:.0f} s", flush=True
                )
    answers, found = audit_of_dependencies()
    findings += found
    print(
        "pip-audit: " + (f"{len(found)} findings" if answers else "NOT AUDITED, the advisory database does not answer")
    )
    (RESULTS / "findings.json").write_text(json.dumps([vars(finding) for finding in findings], indent=1))
    open_findings = [finding for finding in findings if not finding.is_explained]
    for finding in open_findings:
        print(f"NOT EXPLAINED: {finding.scanner} {finding.severity}: {finding.what}")
    return 1 if open_findings else 0


if __name__ == "__main__":
    sys.exit(main())
