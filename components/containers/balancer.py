"""nginx: configured before it starts, changed by reload, and told who serves."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pulumi
from pulumi_command import remote

from components.containers.config import ContainersSettings, Release
from components.containers.nginx.main import configuration
from components.containers.nginx.origin import Origin, Serving
from components.containers.nginx.upstreams import upstreams
from components.containers.run import Runner
from components.containers.services import BACKEND_PORT, FRONTEND_PORT, Service

PACKAGE = "components.containers.onhost"
# Each as it is here; the last one is what runs.
MODULES = ("engine", "releases", "gates", "workers", "serve")
LOADER = "import base64,sys;exec(base64.b64decode(sys.stdin.readline()))"
COMMAND = f"sudo -n python3 -I -c '{LOADER}'"
# The script on the host puts the containers in their place that served until then.
SPARE_BACKENDS, SPARE_FRONTENDS = "@spare-backends@", "@spare-frontends@"
# Of the server's standard library alone, so its modules are made by hand.
BOOT = """
import sys, types
for name in ("components", "components.containers", "{package}"):
    sys.modules[name] = types.ModuleType(name)
for name, text in {modules!r}:
    main = name == "serve"
    module = types.ModuleType("__main__" if main else "{package}." + name)
    sys.modules[module.__name__] = module
    setattr(sys.modules["{package}"], name, module)
    exec(compile(text, name + ".py", "exec"), module.__dict__)
"""


class Balancer:
    """The container, and the two things that are said to it."""

    def __init__(
        self, runner: Runner, service: Service, origin: Origin, folder: str, client_ca: pulumi.Input[str] | None
    ) -> None:
        self._runner, self._service, self._origin, self._folder = runner, service, origin, folder
        self._prepared = self._say("nginx-configuration", "prepare", self._files(client_ca))
        self._container = runner.run(service, [self._prepared])

    def switch(
        self,
        backends: Sequence[pulumi.Input[str]],
        frontends: Sequence[pulumi.Input[str]],
        settings: ContainersSettings,
        release: Release,
    ) -> remote.Command:
        """Returns when nothing asks the old containers any more: only then does the engine take them away."""
        served = pulumi.Output.all(backends=backends, frontends=frontends)
        labels = {key: value for key, value in self._runner.args.place.labels.items() if key != "machine"}
        gates = {**rules(settings, release, self._origin.site.api), "labels": labels}
        wanted = served.apply(lambda names: {"files": {"upstreams.conf": self._upstreams(names)}, **names, **gates})
        return self._say("switch", "switch", wanted, depends_on=[self._container])

    def _say(self, role: str, action: str, wanted: pulumi.Input[dict[str, Any]], **options: Any) -> remote.Command:
        image = self._runner.image(self._service)
        given = {"wanted": wanted, "image": image.image_id, "network": self._runner.network.name}
        document = pulumi.Output.all(**given).apply(
            lambda known: told({"action": action, **self._place(), **known, **known.pop("wanted")})
        )
        return self._runner.command(role, COMMAND, document, **options)

    def _place(self) -> dict[str, Any]:
        return {
            "root": self._folder,
            "container": self._runner.args.place.called(self._service.name),
            "user": self._service.user,
            "names": list(self._origin.site.names),
            "drain": self._origin.drain,
        }

    def _files(self, client_ca: pulumi.Input[str] | None) -> pulumi.Output[dict[str, Any]]:
        files = configuration(self._origin, Serving([], []))
        authority = pulumi.Output.from_input(client_ca)
        return authority.apply(lambda pem: {"files": {**files, **({"client-ca.pem": pem} if pem else {})}})

    def _upstreams(self, names: dict[str, Sequence[str]]) -> str:
        spares = ([SPARE_BACKENDS], [SPARE_FRONTENDS])
        return upstreams(self._origin, Serving(names["backends"], names["frontends"], *spares))


def rules(settings: ContainersSettings, release: Release, host: str) -> dict[str, Any]:
    """What a new set has to pass, and which release it is."""
    rolling = settings.rolling
    backend, frontend = settings.backend.image.at(release.backend), settings.frontend.image.at(release.frontend)
    return {
        "release": {"version": str(release.version), "backend": str(backend), "frontend": str(frontend)},
        "host": host,
        "within": rolling.healthy_within,
        "soak": rolling.soak,
        "error_share": rolling.error_share,
        "kinds": {
            "backends": {"port": BACKEND_PORT, "health": settings.health_path, "smoke": list(rolling.smoke)},
            "frontends": {"port": FRONTEND_PORT, "health": "/", "smoke": ["/"]},
        },
    }


def told(wanted: dict[str, Any]) -> str:
    """The script, then what it shall do: two lines."""
    folder = Path(__file__).parent / "onhost"
    modules = [(name, (folder / f"{name}.py").read_text()) for name in MODULES]
    script = BOOT.format(package=PACKAGE, modules=modules)
    return f"{base64.b64encode(script.encode()).decode()}\n{json.dumps(wanted, sort_keys=True)}\n"
