"""What lies beside the package in a checkout lies in it once a wheel is installed (billing_app/locations.py)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

CARRIED = ("plans.json", "rxconfig.py", "alembic.ini", "migrations", "assets", "reflex.lock")

MADE_HERE = {"__pycache__", "external"}
"""Folders that Python and Reflex make beside what is carried."""


class CustomBuildHook(BuildHookInterface[Any]):
    """Adds the project's files to a wheel; an editable installation finds them where they are."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Names each file and where it goes."""
        if version != "standard":
            return
        root = Path(self.root)
        for carried in (root / name for name in CARRIED):
            for file in carried.rglob("*") if carried.is_dir() else [carried]:
                inside = file.relative_to(root)
                if file.is_file() and not MADE_HERE & set(inside.parts):
                    build_data["force_include"][str(file)] = f"billing_app/project/{inside.as_posix()}"
