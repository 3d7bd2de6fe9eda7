"""Lines for the person at the terminal, through the engine."""

import contextlib

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from rehearsal.offline.plugins.session import LogLine


def engine_log(address: str) -> LogLine:
    """Give a function that prints a line under a resource; without an engine it does nothing."""
    if not address:
        return lambda _urn, _line, _severity="info": None
    stub = engine_pb2_grpc.EngineStub(grpc.insecure_channel(address))

    def log(urn: str, line: str, severity: str = "info") -> None:
        level = engine_pb2.LogSeverity.Value(severity.upper())
        with contextlib.suppress(grpc.RpcError):  # the engine is going: the output is in the state as well
            stub.Log(engine_pb2.LogRequest(severity=level, message=line, urn=urn), timeout=10)

    return log
