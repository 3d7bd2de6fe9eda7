"""Who a visitor is, as the application sees it: over IPv4 and IPv6, through Cloudflare and past it."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from rehearsal.neighbours.siege import ADDRESSES, MACHINE, Siege, siege
from rehearsal.whole import API, WholeStack

pytestmark = [pytest.mark.rehearsal, pytest.mark.engine, pytest.mark.slow]
CLAIMED = "203.0.113.9"
ASK = """
import http.client, json, socket, ssl, sys
address, host, claimed = sys.argv[1:]
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
named = context.wrap_socket(socket.create_connection((address, 443), 10), server_hostname=host)
lines = ["GET /api/v1/whoami HTTP/1.0", f"Host: {host}", f"CF-Connecting-IP: {claimed}", "", ""]
named.sendall((chr(13) + chr(10)).join(lines).encode())
answer = http.client.HTTPResponse(named)
answer.begin()
print(json.loads(answer.read())["headers"]["X-Real-IP"])
"""


@pytest.fixture(scope="module")
def outside(whole: WholeStack) -> Iterator[Siege]:
    with siege(whole.machine) as found:
        yield found


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize(("who", "believed"), [("cloudflare", True), ("visitor", False)])
def test_a_visitor_keeps_his_address(outside: Siege, who: str, believed: bool, version: int) -> None:
    place = version == 6
    words = [str(MACHINE[place]), API, CLAIMED]
    done = outside.neighbours[who].run([sys.executable, "-c", ASK, *words], timeout=30)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == (CLAIMED if believed else str(ADDRESSES[who][place]))
