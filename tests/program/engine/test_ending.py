"""However an update ends, nothing that it started goes on."""

from __future__ import annotations

import signal
import sys
import time

import pytest
from tinyproject import TinyProject, wait_for_file

from rehearsal.pace import allowed

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(sys.platform != "linux", reason="processes are found by /proc"),
]

SLEEPS = """
    import pathlib, time
    class Room(pulumi.ComponentResource):
        def __init__(self, name):
            super().__init__("tiny:index:Room", name)
            self.register_outputs({})
    Room("hall")
    pathlib.Path("awake").touch()
    if not pathlib.Path("go-on").exists():
        time.sleep(600)
    Room("bath")
"""
PACK = """
    from pulumi_policy import PolicyPack, ResourceValidationPolicy
    PolicyPack("rooms", [ResourceValidationPolicy("any", "Anything goes", lambda args, report: None)])
"""


@pytest.fixture
def sleeper(tiny: TinyProject) -> TinyProject:
    tiny.settings["PULUMI_OPTION_POLICY_PACK"] = str(tiny.policy_pack(PACK))
    return tiny.program(SLEEPS)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_end_of_the_engine_is_the_end_of_all(
    sleeper: TinyProject, built_host: object, ending: signal.Signals
) -> None:
    process = sleeper.start("up", "--yes", "--skip-preview")
    wait_for_file(sleeper.folder / "awake")
    assert len(sleeper.processes()) >= 4, "engine, language host, program and policy pack"
    process.send_signal(ending)
    started = time.monotonic()
    output, _ = process.communicate(timeout=120)
    assert process.returncode != 0
    assert time.monotonic() - started < allowed(3)
    assert "Traceback" not in output
    sleeper.wait_for_none(seconds=5)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_an_update_that_was_cut_off_is_completed_by_the_next(sleeper: TinyProject, ending: signal.Signals) -> None:
    process = sleeper.start("up", "--yes", "--skip-preview")
    wait_for_file(sleeper.folder / "awake")
    process.send_signal(ending)
    process.communicate(timeout=120)
    sleeper.wait_for_none(seconds=10)
    sleeper.write("go-on", "")
    if ending == signal.SIGKILL:
        sleeper.succeed("cancel", "--yes")  # a killed engine cannot take its lock away
    sleeper.succeed("up", "--yes", "--skip-preview")
    assert {one["urn"].rpartition("::")[2] for one in sleeper.state()["resources"]} == {"tiny-dev", "hall", "bath"}
    sleeper.succeed("preview", "--expect-no-changes")


def test_a_program_may_clean_up_when_it_is_cancelled(tiny: TinyProject, built_host: object) -> None:
    tiny.program(
        """
        import pathlib, signal, sys, time
        def end(*_):
            pathlib.Path("cleaned").touch()
            sys.exit(1)
        signal.signal(signal.SIGTERM, end)
        pathlib.Path("awake").touch()
        time.sleep(600)
        """
    )
    process = tiny.start("preview")
    wait_for_file(tiny.folder / "awake")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)
    assert (tiny.folder / "cleaned").exists()


def test_a_program_that_refuses_to_end_is_ended(tiny: TinyProject, built_host: object) -> None:
    tiny.program(
        """
        import pathlib, signal, time
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, signal.SIG_IGN)
        pathlib.Path("awake").touch()
        time.sleep(600)
        """
    )
    process = tiny.start("preview")
    wait_for_file(tiny.folder / "awake")
    process.send_signal(signal.SIGINT)
    started = time.monotonic()
    process.communicate(timeout=120)
    assert time.monotonic() - started < allowed(4.5), "the engine itself kills after five seconds"
    tiny.wait_for_none(seconds=2)


def test_a_hook_at_work_is_finished_when_another_resource_fails(tiny: TinyProject) -> None:
    """What a failing update still has to do (sweep, say why) must not be cut off by its own failure."""
    tiny.settings["PULUMI_RUNTIME_VIRTUALENV"] = tiny.virtualenv
    tiny.program(
        """
        import pathlib, time
        from pulumi.dynamic import CreateResult, Resource, ResourceProvider

        begun = str(pathlib.Path("begun").absolute())

        class Provider(ResourceProvider):
            def create(self, props):
                import pathlib, time
                while props["fails"]:
                    time.sleep(0.05)
                    if pathlib.Path(props["begun"]).exists():
                        raise Exception("no such brick")
                return CreateResult("brick", props)

        class Brick(Resource):
            def __init__(self, name, fails, opts=None):
                super().__init__(Provider(), name, {"fails": fails, "begun": begun}, opts)

        def hook(args):
            pathlib.Path("begun").touch()
            time.sleep(2)
            pathlib.Path("finished").touch()

        after = pulumi.ResourceHookBinding(after_create=[pulumi.ResourceHook("slow", hook)])
        Brick("good", False, pulumi.ResourceOptions(hooks=after))
        Brick("bad", True)
        """
    )
    result = tiny.pulumi("up", "--yes", "--skip-preview")
    assert result.returncode != 0
    assert "no such brick" in result.stdout
    assert (tiny.folder / "finished").exists()
