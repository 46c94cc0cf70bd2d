"""What is installed is pinned by hashes, and names no registry: it can be had from any."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.metadata import PackageNotFoundError, distribution, requires

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from billing_app.locations import ROOT


def pinned(lock: str) -> dict[str, str]:
    text = (ROOT / lock).read_text(encoding="utf-8")
    return {
        match[1]: text[match.end() : text.find("\n    #", match.end())]
        for match in re.finditer(r"^([a-z0-9-]+)(?:\[[^]]*\])?==", text, re.M)
    }


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_every_package_has_hashes_and_none_an_address(lock: str) -> None:
    packages = pinned(lock)
    assert [name for name, rest in packages.items() if "--hash=sha256:" not in rest] == []
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert "--find-links" not in text


def test_what_is_declared_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    beside = tomllib.loads((ROOT / "packages" / "fake_stripe" / "pyproject.toml").read_text(encoding="utf-8"))
    asked = [each["project"]["dependencies"] for each in (project, beside)]
    asked += [each["build-system"]["requires"] for each in (project, beside)]
    wanted = {Requirement(one).name for each in asked for one in each}
    assert wanted - set(pinned("requirements.lock")) == set()
    developing = {re.match(r"[A-Za-z0-9-]+", one)[0] for one in project["dependency-groups"]["dev"]}  # ty: ignore
    assert (wanted | developing) - set(pinned("requirements-dev.lock")) == set()


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_extras_are_locked_with_their_package(lock: str) -> None:
    """Without them older pips look at a newer release of the package and refuse it for want of a hash."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    packages = set(re.findall(r"^([a-z0-9-]+(?:\[[^]]*\])?)==", text, re.M))
    asked = {
        f"{canonicalize_name(one.name)}[{','.join(sorted(one.extras))}]"
        for name in pinned(lock)
        for one in map(Requirement, requires(name) or [] if installed(name) else [])
        if one.extras and one.name in pinned(lock) and (one.marker is None or one.marker.evaluate({"extra": ""}))
    }
    assert {"granian[reload]", "psycopg[binary]"} <= packages
    assert asked - packages == set()


def installed(name: str) -> bool:
    """Whether the package is for this machine: a lock names those of others too."""
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def test_installing_resolves_nothing() -> None:
    """What the locks say is all there is: a release of tomorrow changes no install."""
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8")
    installs = re.findall(r"pip install .*--requirement \S+\.lock", recipe)
    assert len(installs) == 2
    assert [one for one in installs if "--no-deps --require-hashes" not in one] == []


def test_developers_run_the_versions_that_users_run() -> None:
    def versions(lock: str) -> dict[str, str]:
        return {name: rest.split()[0] for name, rest in pinned(lock).items()}

    users, developers = versions("requirements.lock"), versions("requirements-dev.lock")
    assert {name: developers.get(name) for name in users} == users


def test_the_pages_packages_are_pinned_without_addresses() -> None:
    text = (ROOT / "reflex.lock" / "package-lock.json").read_text(encoding="utf-8")
    assert "://" not in text
    packages = json.loads(text)["packages"]
    installed = {name: package for name, package in packages.items() if name}
    assert [name for name, package in installed.items() if "integrity" not in package] == []
    assert [name for name, package in installed.items() if "resolved" in package] == []
