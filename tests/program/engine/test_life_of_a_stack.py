"""Preview, update, outputs, references, refresh and destroy, on whichever engine this machine has."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.metadata import version

import pytest
from tinyproject import TinyProject

pytestmark = pytest.mark.engine

ROOMS = """
    class Room(pulumi.ComponentResource):
        def __init__(self, name, size, opts=None):
            super().__init__("tiny:index:Room", name, {"size": size}, opts)
            self.register_outputs({"size": size})

    for name in pulumi.Config().get("rooms", "kitchen").split():
        Room(name, size=3)
    pulumi.export("doors", [1, 2])
    pulumi.export("key", pulumi.Config().require_secret("key"))
    pulumi.export("stack", f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}")
"""
KEY = "the-key-under-the-mat"


@pytest.fixture
def house(tiny: TinyProject) -> TinyProject:
    tiny.program(ROOMS)
    tiny.succeed("config", "set", "--secret", "key", KEY)
    return tiny


def test_a_preview_shows_what_would_be_and_does_nothing(house: TinyProject) -> None:
    shown = house.succeed("preview", "--stack", "dev")
    assert "tiny:index:Room kitchen create" in shown
    assert "+ 2 to create" in shown
    assert "warning" not in shown.lower()
    assert "$PATH" not in shown
    assert not house.state().get("resources")


def test_a_stack_lives_and_ends(house: TinyProject) -> None:
    assert "+ 2 created" in house.succeed("up", "--yes")
    assert [one["type"] for one in house.state()["resources"]] == ["pulumi:pulumi:Stack", "tiny:index:Room"]

    house.succeed("preview", "--expect-no-changes")
    house.succeed("config", "set", "rooms", "hall bath")
    shown = house.succeed("preview", "--diff")
    assert "+ tiny:index:Room: (create)" in shown
    assert "- tiny:index:Room: (delete)" in shown
    house.succeed("up", "--yes", "--skip-preview")
    assert {one["urn"].rpartition("::")[2] for one in house.state()["resources"]} == {"tiny-dev", "hall", "bath"}

    house.succeed("refresh", "--yes", "--expect-no-changes")
    house.succeed("destroy", "--yes")
    assert not house.state().get("resources")
    house.succeed("stack", "rm", "--yes")


def test_outputs_show_secrets_only_when_asked(house: TinyProject) -> None:
    assert KEY not in house.succeed("up", "--yes")
    assert json.loads(house.succeed("stack", "output", "--json")) == {
        "doors": [1, 2],
        "key": "[secret]",
        "stack": "organization/tiny/dev",
    }
    assert house.succeed("stack", "output", "key", "--show-secrets").strip() == KEY
    files = [file for file in house.backend.rglob("*.json*") if file.is_file()]
    assert files
    assert not any(KEY in file.read_text() for file in files)


def test_a_program_knows_which_of_its_settings_are_secret(house: TinyProject) -> None:
    house.succeed("config", "set", "rooms", "hall")
    house.program("pulumi.export('secret', [pulumi.runtime.is_config_secret(f'tiny:{k}') for k in ('key', 'rooms')])")
    house.succeed("up", "--yes", "--skip-preview")
    assert json.loads(house.succeed("stack", "output", "secret", "--json")) == [True, False]


def test_a_stack_reads_what_another_gives_and_secrets_stay_secret(
    house: TinyProject, projects: Callable[[str], TinyProject]
) -> None:
    house.succeed("up", "--yes")
    reader = projects("reader").program(
        """
        house = pulumi.StackReference("organization/tiny/dev")
        pulumi.export("doors", house.require_output("doors").apply(len))
        pulumi.export("key", house.get_output("key").apply(str.upper))
        pulumi.export("absent", house.get_output("absent"))
        """
    )
    assert KEY.upper() not in reader.succeed("up", "--yes")
    outputs = json.loads(reader.succeed("stack", "output", "--json"))
    assert outputs == {"doors": 2, "key": "[secret]"}
    assert reader.succeed("stack", "output", "key", "--show-secrets").strip() == KEY.upper()


def test_what_a_program_prints_is_shown_as_it_comes(tiny: TinyProject) -> None:
    tiny.program("import sys; print('to stdout'); print('to stderr', file=sys.stderr); pulumi.warn('a warning')")
    shown = tiny.succeed("preview")
    for text in ("to stdout", "to stderr", "warning: a warning"):
        assert shown.count(text) >= 1


@pytest.mark.parametrize(
    ("program", "told", "not_told"),
    [
        ("raise ValueError('no such wall')", "ValueError: no such wall", "exit code"),
        ("raise pulumi.RunError('the roof leaks')", "the roof leaks", "Traceback"),
        ("import sys; sys.exit(7)", "exit code: 7", "Traceback"),
        ("import os; os.abort()", "aborted", "Traceback"),
        ("import nowhere", "No module named 'nowhere'", "exit code"),
    ],
)
def test_a_program_that_fails_says_why_once(tiny: TinyProject, program: str, told: str, not_told: str) -> None:
    result = tiny.program(program).pulumi("preview")
    assert result.returncode != 0, result.stdout
    assert told in result.stdout
    assert not_told not in result.stdout


def test_a_relative_virtualenv_is_that_of_the_project(tiny: TinyProject) -> None:
    tiny.folder.mkdir()
    (tiny.folder / "here").symlink_to(tiny.virtualenv)
    tiny.program("import sys; pulumi.export('python', sys.prefix)", virtualenv="here")
    tiny.succeed("up", "--yes", "--skip-preview")
    assert tiny.succeed("stack", "output", "python").strip() == str(tiny.folder / "here")


def test_about_names_the_interpreter(tiny: TinyProject) -> None:
    about = json.loads(tiny.program("").succeed("about", "--json"))
    assert about["runtime"]["executable"].startswith(tiny.virtualenv)
    dependencies = {one["name"].lower(): one["version"] for one in about["dependencies"] or []}
    assert dependencies["pulumi-policy"] == version("pulumi-policy")
    asked_for = {one["name"]: one["version"] for one in about["plugins"] if one["kind"] == "resource"}
    assert asked_for["aws"] == version("pulumi-aws"), "the plugin is that of the installed SDK"
    assert "policy" not in asked_for, "a library without a plugin"


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("toolchain", "pipp", 'toolchain is "pipp": use pip, poetry or uv'),
        ("typechecker", "mypy", "typechecker needs the official pulumi release"),
        ("virtualenv", "nowhere/at/all", "nowhere/at/all"),
    ],
)
def test_a_runtime_option_that_cannot_be_honoured_is_named(
    tiny: TinyProject, built_host: object, option: str, value: str, sentence: str
) -> None:
    tiny.folder.mkdir()
    (tiny.folder / "nowhere").write_text("a file where a folder would be")
    result = tiny.program("", **{option: value}).pulumi("preview")
    assert result.returncode != 0
    assert sentence in result.stdout
    assert "panic" not in result.stdout
