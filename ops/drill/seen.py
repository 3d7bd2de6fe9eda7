"""What a visitor finds, and what stands behind it: the facts that a report names."""

from __future__ import annotations

import http.client
import shlex
import socket
import ssl

from cryptography import x509
from cryptography.x509.oid import NameOID

from neurmatic.settings import NeurmaticSettings
from ops.deploy.change import verify
from ops.deploy.onserver import Host
from ops.drill.newserver import asked
from ops.drill.vault import Backup
from ops.errors import OperatorError
from ops.server import Server

SECONDS = 10


def look_at(settings: NeurmaticSettings, backup: Backup) -> dict[str, str]:
    """In the order of a report. What does not answer is an error."""
    host, server = Host(settings), Server(settings.host)
    release = settings.containers.release
    facts = {}
    if release is not None:
        facts["API, through nginx on the server"] = verify(host, {"version": release.version}, wait=60)
        facts["API, from here"] = from_here(settings)
    facts["Certificate"] = certificate(server, settings.host.root)
    facts["Data"] = f"{backup.name}, {backup.size}; {rows(server, settings)}"
    facts["Versions"] = versions(server, settings)
    return facts


def from_here(settings: NeurmaticSettings) -> str:
    """Without an opinion about who signed: behind Cloudflare that is Cloudflare's to know."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    name = settings.site.api
    try:
        with (
            socket.create_connection((settings.host.address, 443), timeout=SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=name) as secure,
        ):
            secure.sendall(f"GET {settings.containers.health_path} HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
            answer = http.client.HTTPResponse(secure)
            answer.begin()
    except (OSError, http.client.HTTPException) as error:
        return f"not reached ({error}): host.http_from decides who may ask"
    if answer.status == 400:
        return "400: nginx answers nobody but Cloudflare"
    return f"{answer.status}, version {answer.getheader('X-Version') or 'not told'}"


def certificate(server: Server, root: str) -> str:
    pem = asked(server, f"cat {shlex.quote(root)}/infrastructure/nginx/tls/fullchain.pem", "has no certificate")
    return described(x509.load_pem_x509_certificate(pem.encode()))


def described(found: x509.Certificate) -> str:
    if found.issuer == found.subject:
        return "self-signed: the real one comes when the names lead here"
    issuers = found.issuer.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    issuers = issuers or found.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    listed = ", ".join(names.get_values_for_type(x509.DNSName))
    by = issuers[0].value if issuers else "somebody without a name"
    return f"of {by!s}, for {listed}, until {found.not_valid_after_utc:%Y-%m-%d}"


ROWS = """
SELECT count(*) || ' tables, ' || coalesce(sum((xpath('/row/n/text()', query_to_xml(
  format('SELECT count(*) AS n FROM %I.%I', schemaname, tablename), false, true, '')))[1]::text::bigint), 0) || ' rows'
FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
"""


def rows(server: Server, settings: NeurmaticSettings) -> str:
    """Counted now, in what visitors reach: they may have written since."""
    database = settings.containers.postgres.database
    return "now " + psql(server, settings, database, ROWS)


def psql(server: Server, settings: NeurmaticSettings, database: str, sql: str, seconds: float = 600) -> str:
    container = f"neurmatic-postgres-{settings.environment.value}"
    words = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database]
    done = server.run(f"sudo -n docker exec -i {container} {shlex.join(words)}", sql, seconds)
    if done.returncode:
        raise OperatorError(f"{database} on {server.place} could not be asked: {done.stderr.strip()[-300:]}")
    return done.stdout.strip()


def versions(server: Server, settings: NeurmaticSettings) -> str:
    environment = settings.environment.value
    script = (
        "sed -n 's/^PRETTY_NAME=//p' /etc/os-release | tr -d '\"'; "
        "docker version --format 'Docker {{.Server.Version}}'; "
        f"docker exec neurmatic-postgres-{environment} postgres --version; "
        f"docker exec neurmatic-redis-{environment} redis-server --version | cut -d' ' -f1-3; "
        f"docker exec neurmatic-nginx-{environment} nginx -v 2>&1"
    )
    return "; ".join(line.strip() for line in asked(server, script, "does not tell its versions").splitlines())
