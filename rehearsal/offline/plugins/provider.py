"""The resource provider protocol: one plugin's answers to the engine."""

import functools
import json
import sys
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from rehearsal.offline.plugins import config, wire
from rehearsal.offline.plugins.acting import actors
from rehearsal.offline.plugins.behaviour import RULES, Rules
from rehearsal.offline.plugins.check import Checker, Naming, nested_defaults, normalise, with_defaults
from rehearsal.offline.plugins.diff import Difference, compare
from rehearsal.offline.plugins.invokes import invoke
from rehearsal.offline.plugins.kept import Kept, Subject, mark_secrets
from rehearsal.offline.plugins.log import engine_log
from rehearsal.offline.plugins.refusal import Partial, Refusal, Upstream
from rehearsal.offline.plugins.schema import Schema
from rehearsal.offline.plugins.session import Session

_OPTIONS = [("grpc.max_receive_message_length", 400 << 20), ("grpc.so_reuseport", 0)]


def open_plugin(request: dict[str, Any], site: Path, cache: Path, pool: ThreadPoolExecutor) -> tuple[Any, int]:
    """Start serving one plugin, for one provider of the program; give the server and its port."""
    session = Session(request["folder"], request["environment"], engine_log(request["engine"]))
    name, version = request["name"], request["version"]
    server = grpc.server(pool, options=_OPTIONS)
    plugin = Plugin(name, version, _schema(name, version, site, cache), session)
    plugin.refusal = _refusal(session, site, name, version)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(plugin, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


@functools.cache
def _schema(name: str, version: str, site: Path, cache: Path) -> Schema:
    return Schema(name, version, site, cache)


def _refusal(session: Session, site: Path, name: str, version: str) -> Refusal | None:
    """Say why this plugin must not be used here: the engine prints it at the first question it asks."""
    try:
        session.admit()
    except Refusal as refusal:
        return refusal
    installed = json.loads((site / f"pulumi_{name}" / "pulumi-plugin.json").read_text())["version"]
    if installed == version:
        return None
    return Refusal(
        f"The stand-in for {name} was installed for version {version}, but pulumi-{name} {installed} is in use:"
        " set the rehearsal up again."
    )


def _answers(method: Callable[..., Any]) -> Callable[..., Any]:
    """Turn a refusal into the error the engine prints, and anything unforeseen into a sentence and a log entry."""

    @functools.wraps(method)
    def answer(self: "Plugin", request: Any, context: grpc.ServicerContext) -> Any:
        try:
            if self.refusal:
                raise self.refusal
            return method(self, request, context)
        except Refusal as refusal:
            text = _bridged(refusal, method.__name__, request) if isinstance(refusal, Upstream) else str(refusal)
            if isinstance(refusal, Partial):
                context.set_trailing_metadata(_partial(refusal, text))
            context.abort(grpc.StatusCode.UNKNOWN, text)
        except Exception as error:  # the engine must not see a traceback
            traceback.print_exc(file=sys.stderr)
            text = (
                f"The stand-in for {self.name} failed in {method.__name__} ({error!r}): see plugins.log in PULUMI_HOME."
            )
            context.abort(grpc.StatusCode.INTERNAL, text)

    return answer


def _bridged(refusal: Upstream, method: str, request: Any) -> str:
    verbs = {"Create": "creating" if isinstance(refusal, Partial) else "", "Update": "updating", "Delete": "deleting"}
    verb = verbs.get(method, "")
    return f"{f'{verb} {request.urn}: ' if verb else ''}1 error occurred:\n\t* {refusal}\n\n"


def _partial(refusal: Partial, text: str) -> tuple[tuple[str, bytes]]:
    """Say what was made all the same, where the engine looks for it."""
    from google.rpc import status_pb2  # type: ignore[import-untyped]  # noqa: PLC0415 - only failures need it

    detail = provider_pb2.ErrorResourceInitFailed(
        id=refusal.identity, properties=wire.encode(refusal.outputs), reasons=[text]
    )
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=text)
    status.details.add().Pack(detail)
    return (("grpc-status-details-bin", status.SerializeToString()),)


class Plugin(provider_pb2_grpc.ResourceProviderServicer):
    """One of the six plugins."""

    def __init__(self, name: str, version: str, schema: Schema, session: Session) -> None:
        self.name, self.version, self.schema, self.session = name, version, schema, session
        self.native = name == "command"  # the others are bridged from Terraform, which shows in many small ways
        self.settings: dict[str, Any] = {}
        self.refusal: Refusal | None = None

    def _subject(self, request: Any) -> Subject:
        urn = request.urn
        token, name = urn.split("::")[2].rsplit("$", 1)[-1], urn.split("::", 3)[3]
        schema = self.schema.resource(token)
        timeout = getattr(request, "timeout", 0) or None
        return Subject(token, name, urn, schema, RULES.get(token, Rules()), self.session, self.settings, timeout)

    def _typed(self, subject: Subject, struct: Any) -> dict[str, Any]:
        """Give inputs in their own types: "80" where a number belongs is 80 to the real plugins."""
        return Checker(subject.schema, not self.native).properties(wire.decode(struct), subject.schema["inputs"])

    def _actor(self, subject: Subject) -> Any:
        return self._actors.get(subject.token) or Kept()

    @functools.cached_property
    def _actors(self) -> dict[str, Any]:
        """Load them when first asked: another plugin may be waiting for its port."""
        return actors(self.name, self.session.marker)

    def Handshake(self, request: Any, context: Any) -> Any:  # noqa: N802
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=self.native, supports_autonaming_configuration=not self.native
        )

    @_answers
    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: N802
        return plugin_pb2.PluginInfo(version=self.version)

    @_answers
    def CheckConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        failures = config.check(self.name, self.schema.config(), wire.decode(request.news))
        return _checked(request.news, failures)

    @_answers
    def DiffConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        old, new = (wire.decode(struct) for struct in (request.old_inputs or request.olds, request.news))
        return _diff_response(config.compare(old, new))

    @_answers
    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.settings = config.settings(self.schema.config(), wire.decode(request.args))
        return provider_pb2.ConfigureResponse(
            acceptSecrets=self.native, supportsPreview=True, supports_autonaming_configuration=not self.native
        )

    @_answers
    def Check(self, request: Any, context: Any) -> Any:  # noqa: N802
        subject = self._subject(request)
        values, checker = wire.decode(request.news), Checker(subject.schema, not self.native)
        typed = checker.properties(values, subject.schema["inputs"])
        failures = checker.failures or self._actor(subject).mistakes(typed)
        if failures:
            return _checked(request.news, failures)
        if self.name in ("aws", "docker"):  # bridged in the older way, which adds defaults here
            inputs, objects = subject.schema["inputs"], subject.schema["objects"]
            values = {key: nested_defaults(value, inputs[key][0], objects) for key, value in normalise(typed).items()}
            values = with_defaults(values, wire.decode(request.olds), subject.rules, _naming(subject.name, request))
        values = mark_secrets(subject, self._actor(subject).checked(values), unknowns=True)
        return provider_pb2.CheckResponse(inputs=wire.encode(values))

    @_answers
    def Diff(self, request: Any, context: Any) -> Any:  # noqa: N802
        subject = self._subject(request)
        old, new = self._typed(subject, request.old_inputs), self._typed(subject, request.news)
        before, after = self._actor(subject).sides(subject, wire.decode(request.olds), old, new)
        return _diff_response(compare(before, after, subject.rules, list(request.ignoreChanges)))

    @_answers
    def Create(self, request: Any, context: Any) -> Any:  # noqa: N802
        subject = self._subject(request)
        inputs, actor = self._typed(subject, request.properties), self._actor(subject)
        if request.preview:
            identity, outputs = "", actor.preview(subject, inputs)
        else:
            identity, outputs = actor.create(subject, inputs)
        return provider_pb2.CreateResponse(id=identity, properties=wire.encode(mark_secrets(subject, outputs)))

    @_answers
    def Update(self, request: Any, context: Any) -> Any:  # noqa: N802
        subject = self._subject(request)
        old, inputs = wire.decode(request.olds), self._typed(subject, request.news)
        outputs = self._actor(subject).update(subject, request.id, old, inputs, request.preview)
        return provider_pb2.UpdateResponse(properties=wire.encode(mark_secrets(subject, outputs)))

    @_answers
    def Read(self, request: Any, context: Any) -> Any:  # noqa: N802
        subject = self._subject(request)
        state, inputs = wire.decode(request.properties), wire.decode(request.inputs)
        found = self._actor(subject).read(subject, request.id, state, inputs)
        if found is None:
            return provider_pb2.ReadResponse()
        outputs, inputs = found
        properties = wire.encode(mark_secrets(subject, outputs))
        identity = outputs.get("id", request.id)
        return provider_pb2.ReadResponse(
            id=identity, properties=properties, inputs=wire.encode(mark_secrets(subject, inputs))
        )

    @_answers
    def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802
        subject = self._subject(request)
        self._actor(subject).delete(subject, request.id, wire.decode(request.properties))
        return empty_pb2.Empty()

    @_answers
    def Invoke(self, request: Any, context: Any) -> Any:  # noqa: N802
        values = invoke(self.schema, self.session, self.settings, request.tok, wire.decode(request.args))
        return provider_pb2.InvokeResponse(**{"return": wire.encode(values)})

    @_answers
    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: N802
        stop_all()
        return empty_pb2.Empty()


def stop_all() -> None:
    """End what acts: commands, connections."""
    for name in ("command", "engines"):
        if module := sys.modules.get(f"rehearsal.offline.plugins.{name}"):
            module.stop_all()


def _naming(name: str, request: Any) -> Naming:
    options = request.autonaming
    disabled = request.HasField("autonaming") and options.mode == options.DISABLE
    return Naming(name, request.randomSeed, options.proposed_name, disabled)


def _checked(inputs: Any, failures: list[str]) -> Any:
    reasons = [provider_pb2.CheckFailure(reason=reason) for reason in failures]
    return provider_pb2.CheckResponse(inputs=inputs, failures=reasons)


def _diff_response(found: Difference) -> Any:
    kinds = provider_pb2.PropertyDiff.Kind
    tops = {path: path.split(".")[0].split("[")[0] for path in found.paths}
    detailed = {
        path: provider_pb2.PropertyDiff(
            kind=kinds.Value(f"{kind}_REPLACE" if tops[path] in found.replaces else kind), inputDiff=True
        )
        for path, kind in found.paths.items()
    }
    changes = provider_pb2.DiffResponse.DIFF_SOME if detailed else provider_pb2.DiffResponse.DIFF_NONE
    return provider_pb2.DiffResponse(
        changes=changes,
        replaces=found.replaces,
        diffs=sorted(set(tops.values())),
        detailedDiff=detailed,
        hasDetailedDiff=True,
        deleteBeforeReplace=found.delete_first,
    )
