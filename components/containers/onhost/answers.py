"""What nginx answers to a visitor of the API: asked on the server itself. python3 -I - CONTAINER NETWORK HOST PATH."""

import json
import socket
import ssl
import subprocess
import sys
from http.client import HTTPException, HTTPSConnection
from typing import Any

SECONDS = 15


class Visitor(HTTPSConnection):
    """To nginx's own address, for a name. Who signed the certificate is not the question here."""

    def __init__(self, address: str, name: str) -> None:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        super().__init__(name, timeout=SECONDS, context=context)
        self._address, self._tls = address, context

    def connect(self) -> None:
        plain = socket.create_connection((self._address, 443), timeout=SECONDS)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)


def main(container: str, network: str, host: str, path: str) -> dict[str, Any]:
    where = f'{{{{(index .NetworkSettings.Networks "{network}").IPAddress}}}}'
    command = ["docker", "inspect", "--type", "container", "--format", where, container]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    if found.returncode:
        return {"status": 0, "said": f"there is no container {container}"}
    visitor = Visitor(found.stdout.strip(), host)
    try:
        visitor.request("GET", path, headers={"Host": host})
        answer = visitor.getresponse()
        body = answer.read(65536).decode(errors="replace")
    except (OSError, HTTPException) as error:
        return {"status": 0, "said": str(error) or type(error).__name__}
    finally:
        visitor.close()
    return {"status": answer.status, "version": answer.getheader("X-Version") or version_in(body), "said": body[:200]}


def version_in(body: str) -> str:
    """An application need not tell its version."""
    try:
        told = json.loads(body)
    except ValueError:
        return ""
    return str(told.get("version", "")) if isinstance(told, dict) else ""


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
