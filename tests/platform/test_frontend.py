"""The pages are built once, and follow the address at which a browser finds them."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from billing_app.launcher import frontend
from billing_app.launcher.frontend import ANY_ORIGIN, fingerprint, follow_any_origin


def project(root: Path) -> Path:
    (root / "billing_app" / "ui").mkdir(parents=True)
    (root / "billing_app" / "services").mkdir()
    (root / "rxconfig.py").write_text("config")
    (root / "billing_app" / "ui" / "page.py").write_text("page")
    (root / "billing_app" / "services" / "one.py").write_text("service")
    return root


def test_a_changed_page_is_built_again(tmp_path: Path) -> None:
    root = project(tmp_path)
    before = fingerprint(root)
    assert fingerprint(root) == before
    (root / "billing_app" / "ui" / "page.py").write_text("another page")
    assert fingerprint(root) != before


def test_a_changed_service_builds_nothing(tmp_path: Path) -> None:
    root = project(tmp_path)
    before = fingerprint(root)
    (root / "billing_app" / "services" / "one.py").write_text("another service")
    (root / "billing_app" / "ui" / "__pycache__").mkdir()
    (root / "billing_app" / "ui" / "__pycache__" / "page.pyc").write_bytes(b"x")
    assert fingerprint(root) == before


def test_moving_content_between_files_is_a_change(tmp_path: Path) -> None:
    root = project(tmp_path)
    before = fingerprint(root)
    (root / "billing_app" / "ui" / "page.py").rename(root / "billing_app" / "ui" / "other.py")
    assert fingerprint(root) != before


@pytest.fixture
def built(tmp_path: Path) -> Path:
    file = tmp_path / "reflex-env-abc.js"
    socket = ANY_ORIGIN.replace("http", "ws")
    file.write_text(f"var e={{PING:`{ANY_ORIGIN}/ping`,EVENT:`{socket}/_event`,TEST_MODE:!1}};export{{e as t}};")
    file.with_name(f"{file.name}.gz").write_bytes(b"old")
    file.with_name(f"{file.name}.br").write_bytes(b"old")
    return file


def test_no_built_in_address_is_left(built: Path) -> None:
    follow_any_origin(built)
    source = built.read_text()
    assert "console.invalid" not in source
    packed = [file.name for file in built.parent.iterdir() if file != built]
    assert packed == [f"{built.name}.gz"]
    assert gzip.decompress(built.with_name(packed[0]).read_bytes()).decode() == source


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
        [node, "--input-type=module", "-e", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == socket


def test_the_node_of_the_package_comes_first() -> None:
    environment = frontend.environment()
    assert environment["PATH"].startswith(str(Path(sys.executable).parent))
    assert environment["REFLEX_TELEMETRY_ENABLED"] == "false"
