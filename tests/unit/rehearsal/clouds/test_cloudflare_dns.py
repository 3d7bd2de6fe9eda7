"""Zones and DNS records, as the API keeps them, and what it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cloud_clients import Cloudflare, new_zone

from rehearsal.clouds.cloudflare.errors import ERRORS
from rehearsal.clouds.servers import Clouds, Zone

A = {"name": "www", "type": "A", "content": "192.0.2.1"}


def create(cloudflare: Cloudflare, zone: Zone, **record: Any) -> Any:
    return cloudflare("POST", f"zones/{zone.id}/dns_records", {**A, **record})


def test_a_record_is_kept_as_the_api_keeps_it(cloudflare: Cloudflare, zone: Zone) -> None:
    made = create(cloudflare, zone, name="WWW", proxied=True, ttl=300, comment="mine").result
    expected = {"name": f"www.{zone.name}", "ttl": 1, "proxied": True, "proxiable": True, "comment": "mine", "tags": []}
    assert {key: made[key] for key in expected} == expected
    assert cloudflare("GET", f"zones/{zone.id}/dns_records/{made['id']}").result == made
    assert create(cloudflare, zone, name="@").result["name"] == zone.name
    long = create(cloudflare, zone, name=f"deep.er.{zone.name}.", type="AAAA", content="2001:DB8::0:1").result
    assert (long["name"], long["content"]) == (f"deep.er.{zone.name}", "2001:db8::1")


def test_the_provider_s_calls_create_update_and_delete(cloudflare: Cloudflare, zone: Zone) -> None:
    path = f"zones/{zone.id}/dns_records"
    made = create(cloudflare, zone).result
    put = cloudflare("PUT", f"{path}/{made['id']}", {**A, "content": "192.0.2.2", "ttl": 120}).result
    assert (put["id"], put["content"], put["ttl"]) == (made["id"], "192.0.2.2", 120)
    patched = cloudflare("PATCH", f"{path}/{made['id']}", {"comment": "x"}).result
    assert (patched["content"], patched["comment"], patched["ttl"]) == ("192.0.2.2", "x", 120)
    assert cloudflare("DELETE", f"{path}/{made['id']}").result == {"id": made["id"]}
    for method in ("GET", "PUT", "DELETE"):
        assert cloudflare(method, f"{path}/{made['id']}", A).error == (404, 81044, "Record does not exist.")


def test_data_becomes_content(cloudflare: Cloudflare, zone: Zone) -> None:
    data = {"flags": 0, "tag": "issue", "value": "letsencrypt.org"}
    caa = create(cloudflare, zone, name="@", type="CAA", content=None, data=data).result
    assert caa["content"] == '0 issue "letsencrypt.org"'
    assert caa["data"]["value"] == "letsencrypt.org"
    assert create(cloudflare, zone, type="MX", content="mx.example.org", priority=10).result["priority"] == 10


# what is there already, what is asked for, the code and words of the refusal
CLASHES: list[tuple[str, dict[str, Any], dict[str, Any], int]] = [
    ("identical", A, A, 81058),
    ("identical but proxied", A, {**A, "proxied": True}, 81058),
    ("CNAME beside A", A, {"name": "www", "type": "CNAME", "content": "a.example"}, 81053),
    ("CNAME beside CNAME", {"name": "www", "type": "CNAME", "content": "a.example"},
     {"name": "www", "type": "CNAME", "content": "b.example"}, 81053),
    ("A beside CNAME", {"name": "www", "type": "CNAME", "content": "a.example"}, A, 81054),
    ("AAAA beside CNAME", {"name": "www", "type": "CNAME", "content": "a.example"},
     {"name": "www", "type": "AAAA", "content": "2001:db8::1"}, 81054),
]  # fmt: skip


@pytest.mark.parametrize("case", CLASHES, ids=[case[0] for case in CLASHES])
def test_records_that_cannot_stand_beside_each_other(cloudflare: Cloudflare, zone: Zone, case: Any) -> None:
    _, first, second, code = case
    create_path = f"zones/{zone.id}/dns_records"
    made = cloudflare("POST", create_path, first).result
    assert cloudflare("POST", create_path, second).error[:2] == (400, code)
    other = cloudflare("POST", create_path, {**A, "name": "other"}).result
    assert cloudflare("PUT", f"{create_path}/{other['id']}", second).error[:2] == (400, code)
    assert [r["id"] for r in cloudflare("GET", create_path + "?name=www." + zone.name).result] == [made["id"]]


def test_two_addresses_of_one_name_are_no_clash(cloudflare: Cloudflare, zone: Zone) -> None:
    for record in ({}, {"content": "192.0.2.2"}, {"type": "TXT", "content": '"x"'}, {"type": "AAAA", "content": "::1"}):
        assert create(cloudflare, zone, **record).result


@pytest.mark.parametrize(
    ("record", "name"),
    [
        ({"content": "not-an-address"}, "record-a"),
        ({"content": "2001:db8::1"}, "record-a"),
        ({"type": "AAAA"}, "record-aaaa"),
        ({"type": "CNAME", "content": "192.0.2.1"}, "record-cname"),
        ({"type": "TXT", "content": " "}, "record-content"),
        ({"type": "TXT", "content": "x", "proxied": True}, "record-proxied"),
        ({"type": "MX", "content": "mx.example.org"}, "record-priority"),
        ({"type": "CAA", "content": None, "data": {"flags": 0, "tag": "issue"}}, "record-data"),
        ({"content": "192.168.1.1", "proxied": True}, "record-target"),
        ({"content": "127.0.0.1", "proxied": True}, "record-target"),
        ({"type": "AAAA", "content": "::1", "proxied": True}, "record-target"),
        ({"type": "SPAM"}, "record-type"),
        ({"ttl": 30}, "record-ttl"),
        ({"ttl": 86401}, "record-ttl"),
        ({"ttl": "long"}, "record-ttl"),
        ({"name": "a b"}, "record-name"),
        ({"name": ""}, "record-name"),
    ],
)
def test_records_that_are_none(cloudflare: Cloudflare, zone: Zone, record: dict[str, Any], name: str) -> None:
    answer = create(cloudflare, zone, **record)
    assert answer.error[:2] == (ERRORS[name].status, ERRORS[name].code)
    assert cloudflare("GET", f"zones/{zone.id}/dns_records").result == []


def test_lists_come_in_pages(cloudflare: Cloudflare, zone: Zone) -> None:
    for number in range(5):
        create(cloudflare, zone, name=f"n{number}")
    answer = cloudflare("GET", f"zones/{zone.id}/dns_records?per_page=2&page=3")
    assert [record["name"].split(".")[0] for record in answer.result] == ["n4"]
    assert answer.body["result_info"] == {"page": 3, "per_page": 2, "count": 1, "total_count": 5, "total_pages": 3}
    assert cloudflare("GET", f"zones/{zone.id}/dns_records?per_page=x").status == 400


def test_a_free_zone_has_room_for_200_records(clouds: Clouds, cloudflare: Cloudflare) -> None:
    zone = new_zone(clouds, "free")
    path = f"zones/{zone.id}/dns_records"
    for number in range(200):
        assert cloudflare("POST", path, {**A, "name": f"n{number}"}).status == 200
    assert cloudflare("POST", path, A).error == (400, 81045, "Record quota exceeded.")


def test_tokens(clouds: Clouds, cloudflare: Cloudflare, zone: Zone) -> None:
    said = cloudflare("GET", "user/tokens/verify").body["messages"][0]
    assert said["message"] == "This API Token is valid and active"
    wrong = Cloudflare(clouds, "x" * 40)
    assert wrong("GET", "user/tokens/verify").error == (401, 1000, "Invalid API Token")
    assert wrong("GET", f"zones/{zone.id}").error[:2] == (403, 9109)
    assert wrong("GET", f"zones/{zone.id}/rulesets").error == (403, 10000, "Authentication error")
    malformed = Cloudflare(clouds, "short")("GET", "user")
    assert malformed.error[:2] == (400, 6003)
    assert malformed.body["errors"][0]["error_chain"][0]["code"] == 6111
    nobody = Cloudflare(clouds)
    nobody.headers.clear()
    assert nobody("GET", "user").error == (400, 1001, 'Missing "Authorization" header')


def test_places_that_are_none(cloudflare: Cloudflare, zone: Zone) -> None:
    assert cloudflare("GET", "zones/nonsense").error[1:] == (
        7003,
        "Could not route to /client/v4/zones/nonsense, perhaps your object identifier is invalid?",
    )
    assert cloudflare("GET", "zones/" + "f" * 32).status == 404
    assert cloudflare("GET", f"zones/{zone.id}/workers").error[1:] == (7000, "No route for that URI")
    assert cloudflare("DELETE", f"zones/{zone.id}/rulesets").status == 405


def test_zones_are_found_by_name(cloudflare: Cloudflare, zone: Zone) -> None:
    found = cloudflare("GET", f"zones?name={zone.name}").result
    assert [(one["id"], one["plan"]["legacy_id"], one["account"]["id"]) for one in found] == [
        (zone.id, "pro", zone.account_id)
    ]
    assert cloudflare("GET", f"zones/{zone.id}").result == found[0]


def test_every_refusal_says_how_sure_it_is() -> None:
    assert {entry.known for entry in ERRORS.values()} == {"documented", "seen", "guess"}
    assert json.dumps([entry.message for entry in ERRORS.values()])
