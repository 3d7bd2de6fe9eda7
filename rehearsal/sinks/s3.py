"""The S3 of rehearsal.clouds at a neighbour's address: it refuses what S3 refuses, and its root key may do the rest."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from rehearsal.sinks.place import LOOPBACK, Place
from rehearsal.sinks.process import Server, launch_module
from rehearsal.sinks.serving import announce

REGION = "eu-west-1"
KEY = ("rehearsal", "rehearsal")


@dataclass(frozen=True)
class S3:
    server: Server
    url: str

    def environment(self) -> dict[str, str]:
        """What the AWS command line and SDKs need to talk to it, and to nothing else."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": KEY[0],
            "AWS_SECRET_ACCESS_KEY": KEY[1],
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def stop(self) -> None:
        self.server.stop()


def start_s3(folder: Path, place: Place = LOOPBACK) -> S3:
    server, port = launch_module("s3", place, folder)
    return S3(server, f"http://{place.address}:{port}")


def _serve(address: str, announcement: Path) -> None:
    from rehearsal.clouds.aws.context import as_tls  # noqa: PLC0415 - a second of imports that only the server needs
    from rehearsal.clouds.aws.front import Aws  # noqa: PLC0415
    from rehearsal.clouds.clock import Clock  # noqa: PLC0415
    from rehearsal.clouds.wire import Listener  # noqa: PLC0415

    listener = Listener(as_tls(Aws(announcement.parent / "s3-state", KEY, Clock()).answer), address)
    announce(announcement, listener.server_port)
    listener.serve_forever()


if __name__ == "__main__":
    _serve(sys.argv[1], Path(sys.argv[2]))
