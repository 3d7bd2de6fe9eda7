"""The origin's certificate: what the server needs to get it, and the first try."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
from pulumi_command import remote

from components.certificates.items import Subject, told

if TYPE_CHECKING:
    from components.edge.origin import OriginCertificate
    from components.host.component import VpsHost


@dataclass(frozen=True)
class CertificateArgs:
    subject: Subject
    host: VpsHost
    after: Sequence[pulumi.Resource]
    """What makes the names lead to a running nginx."""
    dns_token: pulumi.Input[str] | None = None
    """For DNS-01: it may edit the zone's records."""
    origin: OriginCertificate | None = None
    """For the issuer cloudflare_origin: what Cloudflare has signed."""


class Certificate(pulumi.ComponentResource):
    """The last step of an `up`: everything else serves by then, on a self-signed certificate the first time.

    It runs again when names, issuer, authority or Cloudflare's certificate change, and never for a release. An
    authority that gives none is a warning: the timer on the server tries again, and the health check knows.
    """

    def __init__(self, name: str, args: CertificateArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("infra:certificates:Certificate", name, None, opts)
        written = self._secrets(name, args)
        command = f"sudo -n {args.subject.scripts}/certificate keep --now"
        remote.Command(
            f"{name}-first",
            connection=args.host.connection,
            create=command,
            update=command,
            # The script does not read it: what it says decides when the command runs again.
            stdin=pulumi.Output.concat(told(args.subject), args.origin.pair.certificate if args.origin else ""),
            logging=remote.Logging.STDERR,
            add_previous_output_in_env=False,
            triggers=[args.host.identity],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*args.after, *written]),
        )
        self.register_outputs({})

    def _secrets(self, name: str, args: CertificateArgs) -> list[remote.Command]:
        written = []
        if args.dns_token is not None:
            written.append(args.host.secret(f"{name}-dns-token", args.subject.token, args.dns_token))
        if args.origin is not None:
            # In one file, so that it is one pair at every moment.
            pair = pulumi.Output.concat(args.origin.pair.certificate, "\n", args.origin.pair.key)
            written.append(args.host.secret(f"{name}-origin", args.subject.origin, pair))
        return written
