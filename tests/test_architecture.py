"""The arrows of the house run one way, there are no cycles, files stay small, and starting up stays cheap."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import molgen

ROOT = Path(molgen.__file__).parent
LONGEST = 300

#: What each part may import, besides itself. Whoever is missing here fails the test.
BELOW_OPTIMIZE = {"core", "run", "chem", "metrics", "data", "learn", "models", "scoring"}
ARROWS: dict[str, set[str]] = {
    "core": set(),
    "run": {"core"},
    "chem": {"core"},
    "metrics": {"core", "chem"},
    "data": {"core", "run", "chem"},
    "learn": {"core", "run", "chem", "data"},
    "models": {"core", "run", "chem", "data", "learn"},
    "scoring": {"core", "run", "chem", "data", "metrics"},
    "optimize": BELOW_OPTIMIZE,
    "report": {"core", "run", "chem", "metrics", "scoring", "optimize"},
    "benchmark": {*BELOW_OPTIMIZE, "optimize", "report"},
    "recipes": {"core"},
    "diagnose": {"core", "run"},
    "testing": {*BELOW_OPTIMIZE, "optimize"},  # contract suites, imported by tests only
    "workflows": {*BELOW_OPTIMIZE, "optimize", "report", "benchmark"},
    "api": {*BELOW_OPTIMIZE, "optimize", "report", "benchmark", "recipes", "diagnose", "workflows"},
    "commands": {"core", "run", "api"},
    "cli": {"core", "commands"},
    "__main__": {"cli"},
}
#: Too slow to import before they are needed.
HEAVY = ("torch", "rdkit", "mlflow", "pandas", "scipy", "sklearn", "openpyxl", "pyarrow", "lightning_fabric")


@cache
def modules() -> dict[str, Path]:
    """Every module of the package by name."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = ("molgen", *path.relative_to(ROOT).with_suffix("").parts)
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imports(name: str) -> frozenset[str]:
    """The molgen modules that a module imports anywhere in it, inside functions and for type hints too."""
    path = modules()[name]
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        for target in _targets(node, package):
            while target not in modules():
                target = target.rpartition(".")[0]
            found.add(target)
    return frozenset(found - {name})


def _targets(node: ast.AST, package: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "molgen")
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            base = ".".join(
                [*package.split(".")[: len(package.split(".")) - node.level + 1], *filter(None, [base])]
            )
        if base.split(".")[0] == "molgen":
            for alias in node.names:
                yield f"{base}.{alias.name}"  # a module, or a name in the module above it


def part(module: str) -> str:
    return module.split(".")[1] if module != "molgen" else "molgen"


def test_imports_follow_the_arrows() -> None:
    wrong = []
    for name in modules():
        here = part(name)
        if here == "molgen":
            continue  # the lazy facade itself
        assert here in ARROWS, f"{name}: say in ARROWS what molgen.{here} may import"
        for target in imports(name):
            if part(target) not in {*ARROWS[here], here, "molgen"}:
                wrong.append(f"{name} imports {target}; molgen.{here} may import only {sorted(ARROWS[here])}")
    assert not wrong, "\n".join(wrong)


def test_siblings_do_not_know_each_other() -> None:
    assert "scoring" not in ARROWS["models"]
    assert "models" not in ARROWS["scoring"]
    assert not ARROWS["run"] - {"core"}


def test_there_are_no_import_cycles() -> None:
    """Depth-first search over all imports; the message is the cycle."""
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, "import cycle: " + " -> ".join([*way[way.index(name) :], name])
        if name not in done:
            for target in sorted(imports(name) - {"molgen"}):
                visit(target, (*way, name))
            done.add(name)

    for name in modules():
        visit(name, ())
    assert done >= set(modules()) - {"molgen"}


@pytest.mark.parametrize("name", sorted(modules()))
def test_a_file_says_its_one_job_and_stays_small(name: str) -> None:
    path = modules()[name]
    text = path.read_text(encoding="utf-8")
    label = path.relative_to(ROOT.parent).as_posix()
    docstring = ast.get_docstring(ast.parse(text)) or ""
    assert docstring.split("\n")[0].strip(), f"{label}: its first line must say what it is for"
    count = len(text.splitlines())
    assert count <= LONGEST, f"{label} has {count} lines, {LONGEST} are allowed: it has more than one job"


def _tensors_only(call: ast.Call) -> bool:
    """``torch.load(..., weights_only=True)`` builds tensors and plain containers, nothing else."""
    return any(
        k.arg == "weights_only" and isinstance(k.value, ast.Constant) and k.value.value is True
        for k in call.keywords
    )


def test_nothing_is_unpickled_or_evaluated() -> None:
    forbidden = {"eval", "exec"}
    unsafe = {"pickle.load", "pickle.loads", "yaml.load", "torch.load", "joblib.load"}
    # The contract suite copies a scorer that it has just made, as worker processes do.
    allowed = {("molgen.testing", "pickle.loads")}
    wrong = []
    for name, path in modules().items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            call = node.func
            if isinstance(call, ast.Name) and call.id in forbidden:
                wrong.append(f"{name}:{node.lineno} {call.id}")
            if isinstance(call, ast.Attribute) and isinstance(call.value, ast.Name):
                dotted = f"{call.value.id}.{call.attr}"
                if dotted in unsafe and not _tensors_only(node) and (name, dotted) not in allowed:
                    wrong.append(f"{name}:{node.lineno} {dotted}")
    assert not wrong, wrong


@pytest.mark.parametrize(
    "code",
    [
        "import molgen",
        "import molgen.api",
        "import molgen.core.config, molgen.core.template, molgen.core.registry, molgen.core.seeding",
        "import molgen.scoring.registry",
        "import molgen.run.folder",
        "from molgen.cli import run; run(['--help'])",
        "from molgen.cli import run; run(['optimize', '--help'])",
        "from molgen.cli import run; run(['models', '--help'])",
        "from molgen.cli import run; assert run(['new', 'denovo']) == 0",
    ],
)
def test_starting_up_loads_nothing_heavy(code: str) -> None:
    program = (
        f"{code}\nimport sys\nfound = [m for m in {HEAVY!r} if m in sys.modules]\nassert not found, found"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr


def test_importing_molgen_prints_nothing() -> None:
    code = "import molgen, molgen.api, molgen.cli"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout + answer.stderr == ""
