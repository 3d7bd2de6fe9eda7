"""The live zone beside the declared one, asked over HTTP from a server that answers as Cloudflare does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from systems import IPV4, PRODUCTION, ROOT, neurmatic

from components.values import CloudflarePlan
from ops.edge.live import (
    PAGE,
    LiveError,
    Wanted,
    client,
    contested_records,
    disagreements,
    foreign_records,
    imports,
    read,
    report,
)

ZONE = "0" * 32


@dataclass
class Zone:
    """What the server says; the port it says it on."""

    name: str = "neurmatic.com"
    plan: str = "pro"
    records: list[dict[str, Any]] = field(default_factory=list)
    rulesets: list[dict[str, Any]] = field(default_factory=list)
    port: int = 0
    token: str = "good"

    def answer(self, path: str) -> Any:
        url = urlsplit(path)
        if url.path.endswith("/dns_records"):
            asked = {key: int(values[0]) for key, values in parse_qs(url.query).items()}
            start = (asked["page"] - 1) * asked["per_page"]
            return self.records[start : start + asked["per_page"]]
        if url.path.endswith("/rulesets"):
            return self.rulesets
        return {"name": self.name, "plan": {"legacy_id": self.plan}}


@pytest.fixture
def zone() -> Iterator[Zone]:
    made = Zone()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            allowed = self.headers["Authorization"] == f"Bearer {made.token}"
            body = {"result": made.answer(self.path)} if allowed else {"errors": [{"message": "no"}]}
            self.send_response(200 if allowed else 403)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        made.port = server.server_port
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield made
        server.shutdown()
        thread.join()


def _wanted(**edge: Any) -> Wanted:
    settings, site = neurmatic(**edge)
    return Wanted(settings, site, IPV4)


def _record(kind: str, name: str, content: str, **more: Any) -> dict[str, Any]:
    return {"id": f"id-{kind}-{name}-{content}"[:60], "type": kind, "name": name, "content": content, **more}


def _ask(zone: Zone) -> Any:
    return client(zone.token, f"http://127.0.0.1:{zone.port}")


def test_plan_and_name_are_compared(zone: Zone) -> None:
    assert list(disagreements(_wanted(), read(_ask(zone), ZONE))) == []
    zone.plan, zone.name = "free", "other.example"
    assert list(disagreements(_wanted(plan=CloudflarePlan.PRO), read(_ask(zone), ZONE))) == [
        "edge.zone_id: is the id of other.example, but edge.zone is neurmatic.com",
        "edge.plan: given pro, but the account pays for free",
    ]


def test_records_are_ours_or_in_the_way_or_nobodys_business(zone: Zone) -> None:
    ours = _record("A", "neurmatic.com", IPV4)
    other = _record("A", "www.neurmatic.com", "203.0.113.5")
    alias = _record("CNAME", "api.neurmatic.com", "old.example")
    foreign = _record("TXT", "_github.neurmatic.com", '"x"')
    zone.records = [ours, other, alias, foreign]
    live = read(_ask(zone), ZONE)
    assert contested_records(_wanted(), live) == [other, alias]
    assert foreign_records(_wanted(), live) == [foreign]
    assert [each["id"] for each in imports("edge", _wanted(), live) if "dnsRecord" in each["type"]] == [
        f"{ZONE}/{ours['id']}"
    ]


def test_many_records_are_read_page_by_page(zone: Zone) -> None:
    zone.records = [_record("TXT", f"n{number}.neurmatic.com", '"x"') for number in range(2 * PAGE + 1)]
    assert len(read(_ask(zone), ZONE).records) == 2 * PAGE + 1


def test_records_with_data_and_quotes_are_recognised(zone: Zone) -> None:
    zone.records = [
        _record("CAA", "neurmatic.com", '0 issue "pki.goog"', data={"flags": 0, "tag": "issue", "value": "pki.goog"}),
        _record("TXT", "neurmatic.com", "v=spf1 -all"),
    ]
    names = [each["name"] for each in imports("edge", _wanted(), read(_ask(zone), ZONE))]
    assert names[:2] == ["edge-caa-pki.goog", "edge-spf"]


def test_rulesets_of_the_zone_are_imported_and_cloudflares_own_are_not(zone: Zone) -> None:
    zone.rulesets = [
        {"id": "own", "kind": "zone", "phase": "http_ratelimit"},
        {"id": "theirs", "kind": "managed", "phase": "http_request_firewall_managed"},
        {"id": "foreign", "kind": "zone", "phase": "http_request_origin"},
    ]
    live = read(_ask(zone), ZONE)
    found = {each["name"]: each["id"] for each in imports("edge", _wanted(), live) if "ruleset:" in each["type"]}
    assert found == {"edge-http-ratelimit": f"zones/{ZONE}/own"}
    assert "left alone: ruleset of the phase http_request_origin" in list(report(_wanted(), live))


def test_a_tenant_imports_records_only(zone: Zone) -> None:
    settings, site = neurmatic("staging")
    zone.rulesets = [{"id": "own", "kind": "zone", "phase": "http_ratelimit"}]
    zone.records = [_record("A", site.api, IPV4)]
    found = imports("edge", Wanted(settings, site, IPV4), read(_ask(zone), ZONE))
    assert [each["name"] for each in found] == [f"edge-a-{site.api}"]


@pytest.mark.parametrize(
    ("base", "token", "sentence"),
    [
        ("http://api.example", "good", "is not https"),
        ("http://127.0.0.1:1", "good", "could not be asked"),
        ("", "bad", "answers 403 to /zones/.*: the token is wrong"),
    ],
)
def test_what_goes_wrong_is_a_sentence_without_the_token(zone: Zone, base: str, token: str, sentence: str) -> None:
    with pytest.raises(LiveError, match=sentence) as caught:
        read(client(token, base or f"http://127.0.0.1:{zone.port}"), ZONE)
    assert token not in str(caught.value).split()


def _command(zone: Zone, *words: str, sent: str | None = None) -> subprocess.CompletedProcess[str]:
    token, base = zone.token if sent is None else sent, f"http://127.0.0.1:{zone.port}"
    environment = {**os.environ, "CLOUDFLARE_API_TOKEN": token, "CLOUDFLARE_BASE_URL": base}
    command = [sys.executable, "-m", "ops.edge.live", str(PRODUCTION["neurmatic"]), *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT, check=False)


def test_the_command_fails_where_the_stack_file_is_wrong_about_the_zone(zone: Zone) -> None:
    assert _command(zone).returncode == 0
    zone.plan = "free"
    done = _command(zone)
    assert (done.returncode, done.stdout.splitlines()[0]) == (
        1,
        "edge.plan: given pro, but the account pays for free",
    )


def test_the_command_prints_what_pulumi_imports(zone: Zone) -> None:
    found = json.loads(_command(zone, "--imports").stdout)
    assert found["nameTable"]["cloudflare"].startswith(
        "urn:pulumi:production::neurmatic::pulumi:providers:cloudflare::"
    )
    assert found["resources"][0] == {"type": "infra:edge:CloudflareEdge", "name": "edge", "component": True}
    assert all(each["parent"] == "edge" for each in found["resources"][1:])


@pytest.mark.parametrize(("token", "sentence"), [("", "CLOUDFLARE_API_TOKEN is not set"), ("bad", "answers 403")])
def test_the_command_answers_in_sentences(zone: Zone, token: str, sentence: str) -> None:
    done = _command(zone, sent=token)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
