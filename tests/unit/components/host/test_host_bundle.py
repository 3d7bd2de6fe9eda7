"""What goes to the server: one file, the same every time, for the Python that is there."""

from __future__ import annotations

import ast
import base64
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

from host_settings import settings

from components.host import remote
from components.host.bundle import ROOT, bundle


def modules() -> dict[str, str]:
    with zipfile.ZipFile(BytesIO(bundle())) as pack:
        return {name: pack.read(name).decode() for name in pack.namelist()}


def test_it_is_the_same_every_time() -> None:
    first = bundle()
    bundle.cache_clear()
    assert bundle() == first


def test_it_needs_the_standard_library_of_python_3_10_and_itself() -> None:
    found = modules()
    for name, text in found.items():
        tree = ast.parse(text, feature_version=(3, 10))
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            for each in names:
                inside = f"{each.replace('.', '/')}.py" in found or f"{each.replace('.', '/')}/__init__.py" in found
                assert inside or each.split(".")[0] in sys.stdlib_module_names, f"{name} imports {each}"


def test_it_runs_alone(tmp_path: Path) -> None:
    program = tmp_path / "infra-converge"
    program.write_bytes(bundle())
    done = subprocess.run([sys.executable, "-I", str(program), "help"], capture_output=True, text=True, check=False)
    assert done.stderr.startswith("usage: infra-converge")


def test_all_its_modules_are_in_it() -> None:
    here = {path.relative_to(ROOT).as_posix() for path in (ROOT / "components/host/converge").glob("*.py")}
    assert here < set(modules())


def test_the_command_is_the_same_for_every_server_and_script() -> None:
    command, stdin = remote.check_command(settings())
    other, _ = remote.check_command(settings(address="other.example"))
    assert command == other, "it can be ignored as a change"
    loader, pack, desired = stdin.splitlines()
    assert base64.b64decode(pack) == bundle()
    assert compile(loader, "loader", "exec")
    assert remote.encode(remote.desired_state(settings())) == desired


def test_the_engine_and_a_person_get_the_same_state() -> None:
    assert remote.apply_command(settings())[1] == remote.converge_command(settings())[1]
    assert remote.confirm_command("c0ffee") == (remote.CONFIRM, "c0ffee\n"), "no token in a command line"
