"""What a stack promises to other teams, and the reader that they import.

    from components.outputs import neurmatic, read
    ours = read(pulumi.StackReference("organization/neurmatic/production"), neurmatic)
    pulumi.export("api", ours.apply(lambda outputs: outputs.frontend.api_url))

A stack exports `contract` (plain) and `secrets` (marked as secret, apart, so that nobody needs the one to get the
other). Reading any output of a stack that has secrets takes that stack's key; who has none fetches the plain part from
the bucket where it is published: `./infra outputs --team frontend --stack production --format env`.

Adding a field is compatible. Removing one, renaming one or changing its type breaks consumers: VERSION goes up then,
and `ops/contract.py` says which consumers' keys break.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

if TYPE_CHECKING:
    import pulumi

VERSION = 1
CONTRACT = "contract"
SECRETS = "secrets"


class OutputsError(Exception):
    """Which promise is not kept, by which stack, and what to do about it."""


class Outputs(BaseModel):
    """Keys that are not known here come from a newer stack and are none of this reader's business."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True)


class FrontendOutputs(Outputs):
    api_url: str
    """Where the API answers, such as https://api.neurmatic.com."""
    ws_url: str
    """Where WebSockets are opened, such as wss://api.neurmatic.com."""
    site_url: str
    """Where visitors see the site; the only origin that the API grants CORS to."""


class HostOutputs(Outputs):
    address: str
    """Where the server is reached by SSH."""
    user: str
    """Who deploys there, by key."""


class StorageOutputs(Outputs):
    region: str
    media_bucket: str
    """Uploads of the application."""
    backups_bucket: str
    """Database dumps."""


class DatabaseOutputs(Outputs):
    name: str
    user: str
    host: str
    """As seen from the server itself: never reachable from outside."""
    port: int


class NeurmaticOutputs(Outputs):
    version: int
    """Of this contract."""
    environment: str
    release: str | None = None
    """The application's version that the stack runs; none before the first deploy. (The engine drops what is null.)"""
    frontend: FrontendOutputs
    host: HostOutputs
    storage: StorageOutputs
    database: DatabaseOutputs


class VercelOutputs(Outputs):
    api_url: str
    """Where the API answers."""


class RailwayOutputs(Outputs):
    port: int
    """Where the container listens."""
    node_env: str
    allowed_origins: str
    """Comma-separated, exact."""


class NeuropilotOutputs(Outputs):
    version: int
    """Of this contract."""
    environment: str
    vercel: VercelOutputs
    railway: RailwayOutputs


Kind = TypeVar("Kind", NeurmaticOutputs, NeuropilotOutputs)


@dataclass(frozen=True)
class Contract(Generic[Kind]):
    """One system's promise: its shape, and the variables that each team's build wants from it."""

    system: str
    model: type[Kind]
    teams: Mapping[str, Mapping[str, str]]

    def parse(self, document: Any, stack: str) -> Kind:
        if not isinstance(document, Mapping):
            raise OutputsError(f"Stack {stack} publishes no contract: it has not been deployed with `./infra up` yet.")
        given = document.get("version")
        if given != VERSION:
            raise OutputsError(_version_mismatch(stack, given))
        try:
            return self.model.model_validate(dict(document))
        except ValidationError as error:
            lacks = ", ".join(".".join(str(step) for step in item["loc"]) for item in error.errors())
            raise OutputsError(
                f"Stack {stack} lacks {lacks}: it was deployed by an older program. Run `./infra up` there."
            ) from None

    def environment(self, outputs: Kind, team: str) -> dict[str, str]:
        """The variables of one team, ready for its build."""
        self.check_team(team)
        return {variable: _find(outputs, path) for variable, path in self.teams[team].items()}

    def check_team(self, team: str) -> None:
        if team not in self.teams:
            raise OutputsError(f"No team {team!r} in {self.system}: there is {', '.join(self.teams)}.")


neurmatic = Contract(
    "neurmatic",
    NeurmaticOutputs,
    {
        "frontend": {"VITE_API_URL": "frontend.api_url", "VITE_WS_URL": "frontend.ws_url"},
        "backend": {
            "API_URL": "frontend.api_url",
            "FRONTEND_URL": "frontend.site_url",
            "AWS_S3_BUCKET": "storage.media_bucket",
            "AWS_REGION": "storage.region",
        },
    },
)
neuropilot = Contract(
    "neuropilot",
    NeuropilotOutputs,
    {
        "vercel": {"NEXT_PUBLIC_API_URL": "vercel.api_url"},
        "railway": {
            "PORT": "railway.port",
            "NODE_ENV": "railway.node_env",
            "ALLOWED_ORIGINS": "railway.allowed_origins",
        },
    },
)
CONTRACTS: Mapping[str, Contract[Any]] = {"neurmatic": neurmatic, "neuropilot": neuropilot}


def read(reference: pulumi.StackReference, contract: Contract[Kind]) -> pulumi.Output[Kind]:
    """The typed outputs of another stack. Needs that stack's key; see the module's first lines for a way without."""
    import pulumi  # noqa: PLC0415 (who only parses a published contract needs no engine)

    def parse(pair: list[Any]) -> Kind:
        try:
            return contract.parse(pair[1], str(pair[0]))
        except OutputsError as error:
            raise pulumi.RunError(str(error)) from None

    named = pulumi.Output.from_input(reference.name)
    return pulumi.Output.all(named, reference.get_output(CONTRACT)).apply(parse)


def read_secrets(reference: pulumi.StackReference) -> pulumi.Output[Any]:
    """The secret part, still marked as secret."""
    import pulumi  # noqa: PLC0415

    return pulumi.Output.secret(reference.get_output(SECRETS))


def _find(outputs: Outputs, path: str) -> str:
    value: Any = outputs
    for step in path.split("."):
        value = getattr(value, step)
    return str(value)


def _version_mismatch(stack: str, given: Any) -> str:
    if not isinstance(given, int) or given < VERSION:
        return f"Stack {stack} keeps contract {given}, older than {VERSION}: run `./infra up` there first."
    return f"Stack {stack} keeps contract {given}, newer than {VERSION}: update this checkout."
