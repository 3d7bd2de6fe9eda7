"""Records as Cloudflare's API answers them: anything else is a diff at every update."""

from __future__ import annotations

import pytest
from systems import IPV4, IPV6, neurmatic, neuropilot

from components.edge.config import EdgeSettings, Mail, Record, RecordType
from components.edge.dns import Entry, records


def _records(**edge: object) -> list[Entry]:
    settings, site = neurmatic(**edge)
    return records(settings, site, IPV4, IPV6)


def _one(role: str, entries: list[Entry]) -> dict[str, object]:
    (found,) = [entry.properties() for entry in entries if entry.role == role]
    return found


def test_neurmatics_names_lead_to_the_server_through_the_proxy() -> None:
    proxied = [entry for entry in _records() if entry.proxied]
    assert {(entry.name, entry.type, entry.content) for entry in proxied} == {
        (name, kind, address)
        for name in ("neurmatic.com", "www.neurmatic.com", "api.neurmatic.com")
        for kind, address in (("A", IPV4), ("AAAA", IPV6))
    }


def test_proxied_records_have_the_automatic_ttl_and_others_the_one_asked_for() -> None:
    assert {entry.ttl for entry in _records() if entry.proxied} == {1}
    assert {entry.ttl for entry in _records() if not entry.proxied} == {300}


def test_a_server_without_ipv6_has_no_such_record() -> None:
    settings, site = neurmatic()
    assert not [entry for entry in records(settings, site, IPV4, None) if entry.type == "AAAA"]


def test_neuropilots_names_lead_to_the_platforms_and_the_apex_nowhere() -> None:
    settings, site = neuropilot()
    found = {entry.name: (entry.type, entry.content) for entry in records(settings, site, None, None) if entry.proxied}
    assert found == {
        site.api: ("CNAME", settings.api_target),
        site.www: ("CNAME", "cname.vercel-dns.com"),
        site.apex: ("AAAA", "100::"),
    }


def test_a_zone_that_sends_no_mail_says_so() -> None:
    entries = _records()
    assert _one("spf", entries)["content"] == '"v=spf1 -all"'
    assert _one("dmarc", entries)["name"] == "_dmarc.neurmatic.com"


def test_sendgrid() -> None:
    entries = _records(mail=Mail(sendgrid_subdomain="em1234", sendgrid_account="u1234567.wl123"))
    assert _one("spf", entries)["content"] == '"v=spf1 include:sendgrid.net -all"'
    aliases = {entry.name: entry.content for entry in entries if entry.role.startswith("sendgrid")}
    assert aliases == {
        "em1234.neurmatic.com": "u1234567.wl123.sendgrid.net",
        "s1._domainkey.neurmatic.com": "s1.domainkey.u1234567.wl123.sendgrid.net",
        "s2._domainkey.neurmatic.com": "s2.domainkey.u1234567.wl123.sendgrid.net",
    }
    assert not [entry for entry in entries if entry.role.startswith("sendgrid") and entry.proxied]


def _further(**record: object) -> dict[str, object]:
    entry = records(*_with(record), None, None)[0]
    return {key: value for key, value in entry.properties().items() if key in ("name", "content", "data", "priority")}


def _with(record: dict[str, object]) -> tuple[EdgeSettings, object]:
    settings, site = neurmatic(records=(Record.model_validate(record),))
    return settings, site


@pytest.mark.parametrize(
    ("record", "made"),
    [
        (
            {"name": "@", "type": RecordType.MX, "content": "mx.example.net.", "priority": 10},
            {"name": "neurmatic.com", "content": "mx.example.net", "priority": 10},
        ),
        (
            {"name": "_proof", "type": RecordType.TXT, "content": 'say "hi"'},
            {"name": "_proof.neurmatic.com", "content": '"say \\"hi\\""'},
        ),
        (
            {"name": "@", "type": RecordType.TXT, "content": "x" * 300},
            {"name": "neurmatic.com", "content": f'"{"x" * 255}" "{"x" * 45}"'},
        ),
        (
            {"name": "@", "type": RecordType.CAA, "content": "0 iodef mailto:admin@neurmatic.com"},
            {"name": "neurmatic.com", "data": {"flags": 0, "tag": "iodef", "value": "mailto:admin@neurmatic.com"}},
        ),
    ],
)
def test_further_records(record: dict[str, object], made: dict[str, object]) -> None:
    assert _further(**record) == made


def test_roles_are_unique_and_do_not_depend_on_the_order() -> None:
    texts = [Record.model_validate({"name": "@", "type": RecordType.TXT, "content": text}) for text in ("one", "two")]
    roles = [entry.role for entry in _records(records=tuple(texts))]
    assert len(roles) == len(set(roles))
    assert set(roles) == {entry.role for entry in _records(records=tuple(reversed(texts)))}


def test_a_tenant_has_its_own_names_and_nothing_of_the_zone() -> None:
    settings, site = neurmatic("staging")
    entries = records(settings, site, IPV4, None)
    assert {entry.name for entry in entries} == set(site.names)
    assert all(entry.proxied for entry in entries)
