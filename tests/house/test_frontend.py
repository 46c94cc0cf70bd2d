"""The pages are built once, and follow the address at which a browser finds them."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from billing_app.domain.common.errors import UnavailableError
from billing_app.launcher import frontend
from billing_app.launcher.frontend import ANY_ORIGIN, fingerprint, follow_any_origin
from billing_app.locations import ROOT
from rxconfig import config
from tests.support.patience import PATIENCE_SECONDS


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project instead of this one."""
    root = tmp_path / "project"
    monkeypatch.setattr(frontend, "ROOT", root)
    monkeypatch.setattr(frontend, "CODE", root)
    monkeypatch.setattr(frontend, "PAGES", tmp_path / ".pages")
    monkeypatch.setattr(frontend, "WORK", tmp_path / ".web")
    (root / "billing_app" / "ui").mkdir(parents=True)
    (root / "billing_app" / "services").mkdir()
    (root / "rxconfig.py").write_text("config")
    (root / "assets" / "external").mkdir(parents=True)
    (root / "assets" / "plan.css").write_text("a {}")
    (root / "billing_app" / "ui" / "page.py").write_text("page")
    (root / "billing_app" / "services" / "one.py").write_text("service")
    return root


def test_a_changed_page_is_built_again(project: Path) -> None:
    before = fingerprint()
    assert fingerprint() == before
    (project / "billing_app" / "ui" / "page.py").write_text("another page")
    assert fingerprint() != before


def test_a_changed_service_builds_nothing(project: Path) -> None:
    before = fingerprint()
    (project / "billing_app" / "services" / "one.py").write_text("another service")
    (project / "billing_app" / "ui" / "__pycache__").mkdir()
    (project / "billing_app" / "ui" / "__pycache__" / "page.pyc").write_bytes(b"x")
    assert fingerprint() == before


def test_moving_content_between_files_is_a_change(project: Path) -> None:
    before = fingerprint()
    (project / "billing_app" / "ui" / "page.py").rename(project / "billing_app" / "ui" / "other.py")
    assert fingerprint() != before


@pytest.fixture
def built(tmp_path: Path) -> Path:
    file = tmp_path / "reflex-env-abc.js"
    socket = ANY_ORIGIN.replace("http", "ws")
    file.write_text(f"var e={{PING:`{ANY_ORIGIN}/ping`,EVENT:`{socket}/_event`,TEST_MODE:!1}};export{{e as t}};")
    return file


def test_no_built_in_address_is_left(built: Path) -> None:
    follow_any_origin(built)
    source = built.read_text()
    assert "console.invalid" not in source


@pytest.mark.parametrize(
    ("origin", "socket"),
    [
        ("http://127.0.0.1:3100", "ws://127.0.0.1:3100/_event"),
        ("https://billing.example.com", "wss://billing.example.com/_event"),
        ("https://billing.example.com:8443", "wss://billing.example.com:8443/_event"),
    ],
)
def test_the_pages_speak_to_where_they_came_from(built: Path, origin: str, socket: str) -> None:
    follow_any_origin(built)
    module = built.with_suffix(".mjs")
    shutil.copy(built, module)
    script = f"globalThis.location = {{origin: '{origin}'}}; const m = await import('{module}'); console.log(m.t.EVENT)"
    node = Path(sys.executable).parent / "node"
    done = subprocess.run(
        [node, "--input-type=module", "-e", script],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=True,
    )
    assert done.stdout.strip() == socket


def test_the_node_of_the_package_comes_first() -> None:
    environment = frontend.environment()
    assert environment["PATH"].startswith(str(Path(sys.executable).parent))
    assert environment["REFLEX_TELEMETRY_ENABLED"] == "false"


def built_by_reflex(root: Path) -> Path:
    """What a build leaves in Reflex's folder."""
    assets = root / "build" / "client" / "assets"
    assets.mkdir(parents=True)
    (assets / "reflex-env-abc.js").write_text(f"var e={{PING:`{ANY_ORIGIN}/ping`}};")
    (assets / "state-abc.js").write_text("var s=[`localhost`,`0.0.0.0`,`::`,`0:0:0:0:0:0:0:0`],t=1;")
    (root / "backend").mkdir()
    (root / "node_modules").mkdir()
    for name in ("routes.json", "reflex.json"):
        (root / name).write_text("{}")
    return root


def test_a_finished_build_is_what_serving_needs(project: Path, tmp_path: Path) -> None:
    target = tmp_path / "pages" / "abc"
    target.with_name("abc.draft").mkdir(parents=True)  # what a killed build left
    frontend._publish(built_by_reflex(tmp_path / "web"), project, target)
    names = ["assets", "backend", "build", "reflex.json", "routes.json", "rxconfig.py"]
    assert sorted(path.name for path in target.iterdir()) == names
    assert "invalid" not in (target / "build" / "client" / "assets" / "reflex-env-abc.js").read_text()
    assert [path.name for path in target.parent.iterdir()] == ["abc"]


def test_the_port_stays_on_ones_own_machine_too(project: Path, tmp_path: Path) -> None:
    target = tmp_path / "pages" / "abc"
    frontend._publish(built_by_reflex(tmp_path / "web"), project, target)
    script = target / "build" / "client" / "assets" / "state-abc.js"
    assert script.read_text() == "var s=[],t=1;"


UNPACKED = """
const { brotliDecompressSync, gunzipSync } = require("zlib"), { readFileSync } = require("fs"), name = process.argv[1];
const unpacked = [brotliDecompressSync(readFileSync(name + ".br")), gunzipSync(readFileSync(name + ".gz"))];
console.log(JSON.stringify(unpacked.map(String)));
"""


def test_what_is_sent_is_what_was_changed_last(project: Path, tmp_path: Path) -> None:
    target, built = tmp_path / "pages" / "abc", built_by_reflex(tmp_path / "web")
    name = "state-abc.js"
    script = target / "build" / "client" / "assets" / name
    (built / "build" / "client" / "assets" / name).write_text(f"var s=[`localhost`,`::`],t='{'long ' * 100}';")
    (built / "build" / "client" / "assets" / f"{name}.br").write_bytes(b"of another build")
    frontend._publish(built, project, target)
    assert script.read_text().startswith("var s=[],t='long ")
    command = [Path(sys.executable).parent / "node", "-e", UNPACKED, script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True)
    assert json.loads(done.stdout) == [script.read_text()] * 2


def test_packing_that_failed_is_said(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frontend, "PACKED", ("stones",))
    with pytest.raises(UnavailableError, match=r"stones(.|\n)*could not be packed"):
        frontend._publish(built_by_reflex(tmp_path / "web"), project, tmp_path / "pages" / "abc")
    assert not (tmp_path / "pages" / "abc").exists()


def test_the_server_sends_what_is_packed() -> None:
    assert tuple(config.frontend_compression_formats) == frontend.PACKED


def test_rules_by_width_that_no_element_has_are_left_out(project: Path, tmp_path: Path) -> None:
    built, target = built_by_reflex(tmp_path / "web"), tmp_path / "pages" / "abc"
    narrow = "@media (width<=720px){.bar{gap:4px}}@media (width<=1080px) and (width>=721px){.bar{gap:8px}}"
    kept = f".rt-Text:where(.rt-r-size-2){{a:b}}@media (width>=520px){{.bar{{c:d}}}}{narrow * 4}"
    radix = r"@media (width>=768px){.rt-Text:where(.sm\:rt-r-size-2){a:b}.sm\:-rt-r-m-1,.sm\:rt-r-m{c:d}}"
    sheet = built / "build" / "client" / "assets" / "styles-abc.css"
    sheet.write_text(radix + kept + radix)
    frontend._publish(built, project, target)
    served = target / "build" / "client" / "assets" / "styles-abc.css"
    assert served.read_text() == kept
    assert gzip.decompress(served.with_name("styles-abc.css.gz").read_bytes()).decode() == kept


def test_a_build_that_decides_its_port_otherwise_is_told(project: Path, tmp_path: Path) -> None:
    built = built_by_reflex(tmp_path / "web")
    (built / "build" / "client" / "assets" / "state-abc.js").write_text("var s=new Set;")
    with pytest.raises(UnavailableError, match="where their socket is"):
        frontend._publish(built, project, tmp_path / "pages" / "abc")


def test_the_newest_builds_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frontend, "PAGES", tmp_path)
    for age in range(5):
        (tmp_path / f"build{age}").mkdir()
        os.utime(tmp_path / f"build{age}", (1_000 - age, 1_000 - age))
    frontend._forget_old(tmp_path / "build4")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["build0", "build1", "build4"]


@pytest.mark.usefixtures("project")
def test_an_unchanged_project_builds_nothing(tmp_path: Path) -> None:
    finished = tmp_path / ".pages" / fingerprint()[:16]
    finished.mkdir(parents=True)
    assert frontend.ensure_built(tmp_path / "build.log") == finished
    assert not (tmp_path / "build.log").exists()


@pytest.mark.usefixtures("project")
def test_a_failed_build_shows_its_last_lines(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="could not be built") as refused:
        frontend.ensure_built(tmp_path / "build.log")  # there is no Reflex app in this project
    assert len(refused.value.detail.splitlines()) <= frontend.LAST_LINES + 2
    assert not list((tmp_path / ".pages").glob("?" * 16))


@pytest.fixture
def locked(project: Path) -> Path:
    """The file of locked versions of a project."""
    file = project / "reflex.lock" / "package-lock.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(VERSIONS)
    return file


VERSIONS = '{"packages": {"a": {"version": "1"}}, "name": "x"}'
ASKING = {"version": "1", "funding": {"url": "https://example.com"}, "resolved": "https://npm.example/a-1.tgz"}


def test_locked_versions_stay_as_they_are_while_reflex_writes_its_own(locked: Path) -> None:
    with frontend.workshop() as folder:
        copy = folder / "reflex.lock" / "package-lock.json"
        assert copy.read_text() == VERSIONS
        copy.write_text(json.dumps({"name": "x", "packages": {"a": ASKING}}))
        assert locked.read_text() == VERSIONS
        assert (folder / "billing_app").resolve() == frontend.ROOT / "billing_app"
    assert locked.read_text() == VERSIONS
    assert not folder.exists()


def test_reflex_writes_into_a_copy_of_the_assets(locked: Path) -> None:
    with frontend.workshop() as folder:
        assert [file.name for file in (folder / "assets").iterdir()] == ["plan.css"]
        (folder / "assets" / "external").mkdir()
        (folder / "assets" / "external" / "shared.js").write_text("")
    assert not list((frontend.ROOT / "assets" / "external").iterdir())
    with frontend.workshop(live=True) as folder:
        assert (folder / "assets").resolve() == frontend.ROOT / "assets"


def test_what_is_installed_is_never_written(locked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frontend, "INSTALLED", True)
    with frontend.workshop() as folder:
        (folder / "reflex.lock" / "package-lock.json").write_text(json.dumps({"packages": {"b": ASKING}}))
    assert locked.read_text() == VERSIONS


def test_a_build_that_is_killed_leaves_the_locked_versions_alone(locked: Path) -> None:
    killed = f"""
import json, os, sys
from pathlib import Path
from billing_app.launcher import frontend
frontend.ROOT = frontend.CODE = Path({str(frontend.ROOT)!r})
with frontend.workshop() as folder:
    (folder / "reflex.lock" / "package-lock.json").write_text("{{}}")
    os.kill(os.getpid(), 9)
"""
    assert subprocess.run([sys.executable, "-c", killed], cwd=ROOT, check=False).returncode == -9
    assert locked.read_text() == VERSIONS


def test_other_locked_versions_are_put_into_the_project_without_donations(locked: Path) -> None:
    with frontend.workshop() as folder:
        (folder / "reflex.lock" / "package-lock.json").write_text(
            json.dumps({"packages": {"a": ASKING, "b": ASKING}, "name": "x"})
        )
    assert json.loads(locked.read_text()) == {"packages": {"a": {"version": "1"}, "b": {"version": "1"}}, "name": "x"}
    assert [file.name for file in locked.parent.iterdir()] == [locked.name]


def test_half_a_file_of_versions_is_nothing(locked: Path) -> None:
    with frontend.workshop() as folder:
        (folder / "reflex.lock" / "package-lock.json").write_text('{"packages": {')
    assert locked.read_text() == VERSIONS
