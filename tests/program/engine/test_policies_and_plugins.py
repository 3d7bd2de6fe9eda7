"""Policy packs and providers written in Python, as the engine starts them."""

from __future__ import annotations

import os
import time

import pytest
from tinyproject import TinyProject

from rehearsal.pace import allowed

pytestmark = pytest.mark.engine

PACK = """
    import os
    import pulumi
    from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy, StackValidationPolicy

    def rooms(args, report):
        if args.resource_type == "tiny:index:Room":
            size = args.props["size"]
            limit = pulumi.Config("tiny").require_int("limit")
            if size > limit:
                report(f"{size:.0f} in {pulumi.get_project()}/{pulumi.get_stack()}, at most {limit}")

    def doors(args, report):
        report(f"{len(args.resources)} resources, from {os.path.basename(os.getcwd())}")

    PolicyPack("rooms", [
        ResourceValidationPolicy("room-size", "Rooms are small", rooms, EnforcementLevel.MANDATORY),
        StackValidationPolicy("doors", "Doors are counted", doors, EnforcementLevel.ADVISORY),
    ])
"""
ROOM = """
    class Room(pulumi.ComponentResource):
        def __init__(self, name, size, opts=None):
            super().__init__("tiny:index:Room", name, {"size": size}, opts)

    room = Room("hall", size=5)
    Room("after", size=1, opts=pulumi.ResourceOptions(depends_on=room))
"""


@pytest.fixture
def guarded(tiny: TinyProject) -> TinyProject:
    """The pack is switched on as `./infra shell` does it: bare pulumi commands obey it."""
    tiny.settings["PULUMI_OPTION_POLICY_PACK"] = str(tiny.policy_pack(PACK))
    return tiny.program(ROOM)


def test_a_pack_knows_the_stack_and_its_configuration(guarded: TinyProject) -> None:
    guarded.succeed("config", "set", "limit", "4")
    result = guarded.pulumi("preview")
    assert result.returncode != 0
    assert "5 in tiny/dev, at most 4" in result.stdout
    assert "Traceback" not in result.stdout


def test_a_plan_that_keeps_to_the_pack_passes_and_advice_is_shown(guarded: TinyProject) -> None:
    guarded.succeed("config", "set", "limit", "5")
    shown = guarded.succeed("up", "--yes")
    assert "3 resources, from pack" in shown
    assert len(guarded.state()["resources"]) == 3


def test_what_violates_a_policy_is_not_made(guarded: TinyProject) -> None:
    """What keeps to the policies may have been made before: the engine works on several resources at a time."""
    guarded.succeed("config", "set", "limit", "4")
    assert guarded.pulumi("up", "--yes", "--skip-preview").returncode != 0
    assert not [one for one in guarded.state().get("resources", []) if one["urn"].endswith("::hall")]


def test_a_violation_costs_no_waiting(guarded: TinyProject) -> None:
    """The engine gives its language host five seconds to end. The program waits for it, so it must be ended."""
    took = {}
    for limit in ("5", "4"):
        guarded.succeed("config", "set", "limit", limit)
        started = time.monotonic()
        guarded.pulumi("preview")
        took[limit] = time.monotonic() - started
    assert took["4"] < took["5"] + allowed(2), took


def test_a_broken_pack_stops_the_preview_and_says_why(guarded: TinyProject) -> None:
    guarded.policy_pack("import nowhere")
    result = guarded.pulumi("preview")
    assert result.returncode != 0
    assert "No module named 'nowhere'" in result.stdout


def test_a_provider_in_python_is_run_and_ended(tiny: TinyProject, engine_folder: os.PathLike[str]) -> None:
    """Dynamic resources need no plugin but the interpreter: a provider that the engine starts by itself."""
    tiny.program(
        """
        from pulumi.dynamic import CreateResult, Resource, ResourceProvider

        class Clock(ResourceProvider):
            def create(self, props):
                return CreateResult("clock-1", {**props, "time": "noon"})

        class Tower(Resource):
            time: pulumi.Output[str]
            def __init__(self, name):
                super().__init__(Clock(), name, {"time": None})

        pulumi.export("time", Tower("tower").time)
        """
    )
    tiny.settings["PULUMI_RUNTIME_VIRTUALENV"] = tiny.virtualenv
    tiny.succeed("up", "--yes", "--skip-preview")
    assert tiny.succeed("stack", "output", "time").strip() == "noon"
    tiny.succeed("destroy", "--yes", "--skip-preview")


def test_a_component_provider_in_a_folder_is_run(tiny: TinyProject) -> None:
    tiny.write("shed/PulumiPlugin.yaml", f"runtime: {{name: python, options: {{virtualenv: '{tiny.virtualenv}'}}}}")
    tiny.write(
        "shed/__main__.py",
        """
from typing import Optional, TypedDict
import pulumi
from pulumi.provider.experimental import component_provider_host

class ShedArgs(TypedDict):
    width: pulumi.Input[float]

class Shed(pulumi.ComponentResource):
    area: pulumi.Output[float]
    def __init__(self, name: str, args: ShedArgs, opts: Optional[pulumi.ResourceOptions] = None):
        super().__init__("shed:index:Shed", name, {}, opts)
        self.area = pulumi.Output.from_input(args["width"]).apply(lambda width: width * 2)
        self.register_outputs({"area": self.area})

component_provider_host(name="shed", components=[Shed])
""",
    )
    tiny.program(
        """
        class Shed(pulumi.ComponentResource):
            area: pulumi.Output[float]
            def __init__(self, name):
                super().__init__("shed:index:Shed", name, {"width": 4, "area": None}, None, remote=True)

        pulumi.export("area", Shed("one").area)
        """
    )
    project = (tiny.folder / "Pulumi.yaml").read_text()
    tiny.write("Pulumi.yaml", project[:-1] + ', "plugins": {"providers": [{"name": "shed", "path": "shed"}]}}')
    tiny.succeed("up", "--yes", "--skip-preview")
    assert tiny.succeed("stack", "output", "area").strip() == "8"
