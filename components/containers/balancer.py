"""nginx: configured before it starts, changed by reload, and told who serves."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pulumi
from pulumi_command import remote

from components.containers.nginx.main import configuration
from components.containers.nginx.origin import Origin, Serving
from components.containers.nginx.upstreams import upstreams
from components.containers.run import Runner
from components.containers.services import Service

SCRIPT = Path(__file__).parent / "onhost" / "serve.py"
LOADER = "import base64,sys;exec(base64.b64decode(sys.stdin.readline()))"
COMMAND = f"sudo -n python3 -I -c '{LOADER}'"
# The script on the host puts the containers in their place that served until then.
SPARE = "@spare@"


class Balancer:
    """The container, and the two things that are said to it."""

    def __init__(
        self, runner: Runner, service: Service, origin: Origin, folder: str, client_ca: pulumi.Input[str] | None
    ) -> None:
        self._runner, self._service, self._origin, self._folder = runner, service, origin, folder
        self._prepared = self._say("nginx-configuration", "prepare", self._files(client_ca))
        self._container = runner.run(service, [self._prepared])

    def switch(
        self, backends: Sequence[pulumi.Input[str]], frontends: Sequence[pulumi.Input[str]], soak: int
    ) -> remote.Command:
        """Returns when nothing asks the old containers any more: only then does the engine take them away."""
        served = pulumi.Output.all(backends=backends, frontends=frontends)
        wanted = served.apply(
            lambda names: {"files": {"upstreams.conf": self._upstreams(names)}, **names, "soak": soak}
        )
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
            "container": self._runner.args.names.format(service=self._service.name),
            "user": self._service.user,
            "names": list(self._origin.site.names),
            "drain": self._origin.drain,
        }

    def _files(self, client_ca: pulumi.Input[str] | None) -> pulumi.Output[dict[str, Any]]:
        files = configuration(self._origin, Serving([], []))
        authority = pulumi.Output.from_input(client_ca)
        return authority.apply(lambda pem: {"files": {**files, **({"client-ca.pem": pem} if pem else {})}})

    def _upstreams(self, names: dict[str, Sequence[str]]) -> str:
        return upstreams(self._origin, Serving(names["backends"], names["frontends"], [SPARE], [SPARE]))


def told(wanted: dict[str, Any]) -> str:
    """The script, then what it shall do: two lines."""
    return f"{base64.b64encode(SCRIPT.read_bytes()).decode()}\n{json.dumps(wanted, sort_keys=True)}\n"
