"""What is shipped: one list of requirements everywhere, and a wheel that works away from the checkout."""

from __future__ import annotations

import ast
import importlib.metadata
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

import molgen

ROOT = Path(__file__).parent.parent
#: conda-forge's names where they are not those of PyPI.
CONDA_NAMES = {"torch": "pytorch", "torch-geometric": "pytorch_geometric"}
#: Not on conda-forge, and what only that one needs; environment.yml says how to get it.
NOT_ON_CONDA = {"admet-ai", "chemprop"}
#: Extras that `make` does not install.
OPTIONAL = ("admet", "dock", "notebook")


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def requirements() -> dict[str, str]:
    """Name -> version range of all requirements of pyproject.toml, extras included."""
    listed = [
        *project()["dependencies"],
        *(r for extra in project()["optional-dependencies"].values() for r in extra),
    ]
    found = {}
    for text in listed:
        name, bounds = re.fullmatch(r"([\w.-]+)(.*)", text).groups()  # type: ignore[union-attr]
        assert name not in found, f"{name} is listed twice"
        found[name] = bounds
    return found


def test_conda_and_pip_ask_for_the_same() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert environment["channels"] == ["conda-forge", "nodefaults"]
    conda = dict(spec.split(" ") for spec in environment["dependencies"] if spec != "pip")
    assert conda.pop("python") == project()["requires-python"]
    wanted = {name: bounds for name, bounds in requirements().items() if name not in NOT_ON_CONDA}
    assert conda == {CONDA_NAMES.get(name, name): bounds for name, bounds in wanted.items()}


def test_every_requirement_has_a_tested_version_within_its_bounds() -> None:
    from packaging.requirements import Requirement

    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.lower().split("==") for line in lines if line and not line.startswith("#"))
    for name, bounds in requirements().items():
        assert name.lower() in pins, f"{name} has no pin in constraints.txt"
        assert Requirement(name + bounds).specifier.contains(pins[name.lower()]), name
    assert "torch" in pins
    assert all("+" not in version for version in pins.values()), (
        "a local version ties the pins to one build of torch"
    )


def test_the_environment_of_this_test_is_the_pinned_one() -> None:
    """Where the tests run through `make test`; elsewhere (a newer set on purpose) it says nothing."""
    if Path(sys.prefix).resolve() != (ROOT / ".venv").resolve():
        pytest.skip("not running in .venv")
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.lower().split("==") for line in lines if line and not line.startswith("#"))
    extras = project()["optional-dependencies"]
    optional = {re.match(r"[\w.-]+", text)[0] for extra in OPTIONAL for text in extras[extra]}  # type: ignore[index]
    for name in requirements():
        if name not in optional:
            assert importlib.metadata.version(name).split("+")[0] == pins[name.lower()], name


def test_the_packages_that_the_code_imports_are_required() -> None:
    names = {
        "yaml": "pyyaml",
        "lightning_fabric": "lightning-fabric",
        "torch_geometric": "torch-geometric",
        "sklearn": "scikit-learn",
    }
    ours = {"molgen"}
    needed = set()
    for path in (ROOT / "molgen").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            found = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found = [node.module]
            needed |= {name.split(".")[0] for name in found} - sys.stdlib_module_names - ours
    # In notebooks these are there; elsewhere they are asked for only where they are.
    needed -= {"IPython"}
    missing = {names.get(name, name) for name in needed} - set(requirements())
    assert not missing, f"imported but not required: {missing}"


def test_version_and_changelog_agree() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## {molgen.__version__}" in changelog


@pytest.mark.slow
def test_the_wheel_holds_everything_and_runs_away_from_the_checkout(tmp_path: Path) -> None:
    python, elsewhere = _install_wheel(tmp_path)

    def run(*arguments: str) -> str:
        answer = subprocess.run(
            [python, "-m", "molgen", *arguments],
            cwd=elsewhere,
            capture_output=True,
            text=True,
            check=False,
        )
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    where = subprocess.run(
        [python, "-c", "import molgen; print(molgen.__file__)"],
        cwd=elsewhere,
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(tmp_path) in where.stdout
    assert "optimize" in run("--help")
    assert "kind: optimize" in run("new", "denovo")
    assert "zinc250k" in run("data", "list")
    assert "druglike" in run("models", "list")
    run("models", "verify")
    small = ("--set", "budget.molecules=40", "--set", "output.n=3", "--set", "tracking.mlflow=false")
    assert "look at" in run("demo", "-o", "demo", *small)
    assert (elsewhere / "demo" / "results" / "report.html").is_file()


def _install_wheel(tmp_path: Path) -> tuple[str, Path]:
    """Build the wheel and install it into an environment that sees our dependencies, but not the checkout."""
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-q"]
    subprocess.run([*build, "-w", str(tmp_path), str(ROOT)], check=True, capture_output=True, text=True)
    (wheel,) = tmp_path.glob("*.whl")
    inside = set(zipfile.ZipFile(wheel).namelist())
    tracked = subprocess.run(
        ["git", "ls-files", "molgen"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    if not tracked:  # an unpacked source archive
        tracked = [
            str(p.relative_to(ROOT)) for p in (ROOT / "molgen").rglob("*") if p.suffix not in (".pyc", "")
        ]
    assert not set(tracked) - inside
    assert any(name.endswith("METADATA") for name in inside)
    environment, elsewhere = tmp_path / "env", tmp_path / "elsewhere"
    elsewhere.mkdir()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    scripts = environment / ("Scripts" if os.name == "nt" else "bin")
    python = str(scripts / "python")
    site = Path(
        subprocess.run(
            [python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    )
    zipfile.ZipFile(wheel).extractall(site)
    # Our dependencies without the editable install of the checkout: a path entry runs no .pth files of that folder.
    (site / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return python, elsewhere
