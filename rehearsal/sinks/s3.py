"""An S3 that exists for one rehearsal: moto's server. It grants what S3 would refuse; it proves no policy."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from rehearsal.sinks.place import LOOPBACK, Place
from rehearsal.sinks.process import Server, launch_module
from rehearsal.sinks.serving import announce

REGION = "eu-west-1"


@dataclass(frozen=True)
class S3:
    server: Server
    url: str

    def environment(self) -> dict[str, str]:
        """What the AWS command line and SDKs need to talk to it, and to nothing else."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "rehearsal",
            "AWS_SECRET_ACCESS_KEY": "rehearsal",
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
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - a second of imports that only the server needs

    server = ThreadedMotoServer(ip_address=address, port=0, verbose=False)
    server.start()
    announce(announcement, server.get_host_and_port()[1])
    threading.Event().wait()


if __name__ == "__main__":
    _serve(sys.argv[1], Path(sys.argv[2]))
