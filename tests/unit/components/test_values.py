"""Every kind of value: what it accepts, in which normal form, and that nothing else than a refusal ever happens."""

import ipaddress
import typing

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from components import values
from components.leaves import Leaf, NotAllowedError, Quantity, Text, Written
from components.values import KILOBYTES, MEGABYTES, SECONDS, ImageRef, Rate, is_ipv4, is_ipv6


def leaves() -> dict[str, Leaf]:
    found = {}
    for name, kind in vars(values).items():
        metadata = getattr(kind, "__metadata__", ())
        if metadata and isinstance(metadata[0], Leaf):
            found[name] = metadata[0]
        elif isinstance(kind, type) and issubclass(kind, Written) and kind is not Written:
            found[name] = kind.kind()
    return found


LEAVES = leaves()
TEXTS = {name: leaf for name, leaf in LEAVES.items() if isinstance(leaf, Text)}
ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.lists(st.text()), st.just({})
)


def accepts(name: str, value: object) -> bool:
    try:
        LEAVES[name].read(value)
    except NotAllowedError:
        return False
    return True


def test_all_kinds_are_found() -> None:
    assert len(LEAVES) > 40
    assert {"Fqdn", "Port", "Megabytes", "ImageRef", "Rate"} <= set(LEAVES)


@pytest.mark.parametrize("name", LEAVES)
@settings(max_examples=30)
@given(value=ANYTHING)
def test_a_kind_accepts_or_refuses_and_does_nothing_else(name: str, value: object) -> None:
    accepts(name, value)


@pytest.mark.parametrize("name", TEXTS)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_what_a_kind_accepts_its_schema_accepts_and_its_normal_form_is_stable(name: str, data: st.DataObject) -> None:
    leaf = TEXTS[name]
    text = data.draw(st.from_regex(leaf.pattern, fullmatch=True))
    if accepts(name, text):
        jsonschema.validate(text, leaf.json_schema())
        once = leaf.read(text)
        assert leaf.read(once) == once


LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)


@given(st.lists(LABEL, min_size=1, max_size=4), st.sampled_from(["com", "net", "xn--p1ai"]))
def test_names_of_the_dns_are_names(labels: list[str], top: str) -> None:
    name = ".".join([*labels, top])
    assert accepts("Fqdn", name)
    assert not accepts("Fqdn", f"{name}.")
    assert not accepts("Fqdn", name.upper())
    assert not accepts("Fqdn", f"-{name}")
    assert not accepts("Fqdn", f"*.{name}")
    assert not accepts("Fqdn", f"{name}\n")


@pytest.mark.parametrize("text", ["localhost", "a..com", "a_b.com", "1.2.3.4", "é.com", "a." * 130 + "com", ""])
def test_what_is_no_full_name(text: str) -> None:
    assert not accepts("Fqdn", text)


@given(st.ip_addresses())
def test_addresses(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    text = str(address)
    assert is_ipv4(text) == (address.version == 4)
    assert is_ipv6(text) == (address.version == 6)
    assert accepts("Ipv4", text) == (address.version == 4)
    assert accepts("Ipv6", text) == (address.version == 6)
    assert accepts("HostAddress", text)
    assert accepts("Cidr", text)


@given(st.ip_addresses(v=4), st.integers(1, 31))
def test_a_range_has_no_host_bits(address: ipaddress.IPv4Address, bits: int) -> None:
    network = ipaddress.ip_network(f"{address}/{bits}", strict=False)
    assert accepts("Cidr", str(network))
    assert accepts("Cidr", f"{address}/{bits}") == (address == network.network_address)


def test_ipv6_has_one_form() -> None:
    assert LEAVES["Ipv6"].read("2001:0DB8::0001") == "2001:db8::1"
    assert not accepts("Ipv6", "fe80::1%eth0")


@given(st.integers(0, 2**40), st.sampled_from([MEGABYTES, KILOBYTES, SECONDS]))
def test_a_quantity_is_written_as_it_is_read(value: int, kind: Quantity) -> None:
    assert kind.read(kind.write(value)) == value


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (MEGABYTES, "512MB", 512),
        (MEGABYTES, "2gb", 2048),
        (MEGABYTES, "2 GB", 2048),
        (KILOBYTES, "2621kB", 2621),
        (KILOBYTES, "16MB", 16384),
        (SECONDS, "15m", 900),
        (SECONDS, "7d", 604800),
    ],
)
def test_quantities_as_people_write_them(kind: Quantity, text: str, value: int) -> None:
    assert kind.read(text) == value


@pytest.mark.parametrize("text", ["512", "-1MB", "1.5GB", "512 mb extra", "٣MB", "1" * 16 + "MB", "MB", 512, None])
def test_a_stack_file_gives_quantities_with_their_unit(text: object) -> None:
    with pytest.raises(NotAllowedError):
        MEGABYTES.read(text)


def test_bounds_of_a_quantity_hold_for_code_and_for_stack_files() -> None:
    kind = MEGABYTES.between("16MB", "1GB")
    assert kind.admit(1024) == kind.read("1GB") == 1024
    for wrong in (15, 1025):
        with pytest.raises(NotAllowedError):
            kind.admit(wrong)
    with pytest.raises(NotAllowedError):
        kind.read("2GB")


@given(st.integers(1, 10**6), st.integers(1, 9999), st.sampled_from([1, 60, 3600]))
def test_a_rate_is_written_as_it_is_read(requests: int, count: int, unit: int) -> None:
    rate = Rate(requests, min(count * unit, 9999))
    assert Rate.kind().read(str(rate)) == rate


def test_rates_of_the_specs() -> None:
    assert Rate.kind().read("10/s") == Rate(10, 1)
    assert Rate.kind().read("300/10min") == Rate(300, 600)
    for wrong in ("0/s", "10", "10/0s", "1/day", "-1/s", 10):
        assert not accepts("Rate", wrong)


@given(
    st.from_regex(r"[a-z0-9]{1,9}(/[a-z0-9]{1,9}){0,2}", fullmatch=True),
    st.none() | st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True),
    st.none() | st.from_regex(r"sha256:[0-9a-f]{64}", fullmatch=True),
)
def test_an_image_is_written_as_it_is_read(repository: str, tag: str | None, digest: str | None) -> None:
    image = ImageRef(repository, tag, digest)
    assert ImageRef.kind().read(str(image)) == image
    assert image.pinned == (digest is not None)


def test_images_with_a_registry_and_a_port() -> None:
    image = ImageRef.kind().read("ghcr.io:443/alexbaum-ai/neurm-backend:1.4.2")
    assert (image.repository, image.tag) == ("ghcr.io:443/alexbaum-ai/neurm-backend", "1.4.2")
    assert str(image.at("sha256:" + "a" * 64)).endswith(":1.4.2@sha256:" + "a" * 64)
    for wrong in ("Postgres:15", "postgres:", "postgres@sha256:abc", "-x", "a//b", ""):
        assert not accepts("ImageRef", wrong)


ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


def test_a_key_names_its_own_type() -> None:
    assert accepts("HostKey", ED25519)
    assert accepts("SshPublicKey", f"{ED25519} somebody@laptop")
    assert not accepts("HostKey", ED25519.replace("ssh-ed25519", "ssh-rsa"))
    assert not accepts("HostKey", f"{ED25519} comment")
    assert not accepts("SshPublicKey", ED25519.replace("AAAAC3", "BBBBC3"))
    assert not accepts("SshPublicKey", f"{ED25519}\n{ED25519}")
    assert not accepts("SshPublicKey", "-----BEGIN OPENSSH PRIVATE KEY-----")


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("Email", "admin@neurmatic.com", "admin@neurmatic"),
        ("Email", "a.b+c@neurmatic.com", "a..b@neurmatic.com"),
        ("HttpsUrl", "https://api.neurmatic.com/x?y=1", "https://user:word@api.neurmatic.com"),
        ("HttpsUrl", "https://api.neurmatic.com", "http://api.neurmatic.com"),
        ("Origin", "https://neurmatic.com", "https://neurmatic.com/"),
        ("AbsolutePath", "/opt/neurmatic", "/opt/../etc"),
        ("AbsolutePath", "/mnt/data", "/mnt/data/"),
        ("RelativePath", "infrastructure/nginx", "../nginx"),
        ("BucketName", "neurmatic-backups", "Neurmatic_Backups"),
        ("BucketName", "abc", "xn--abc"),
        ("AwsRegion", "eu-west-1", "eu-west"),
        ("AwsRegion", "ap-southeast-2", "europe-west1"),
        ("SemanticVersion", "1.4.2", "1.4"),
        ("SemanticVersion", "1.0.0-rc.1", "01.0.0"),
        ("ZoneId", "0123456789abcdef" * 2, "0123456789abcdef"),
        ("TimeOfDay", "02:00", "24:00"),
        ("Slug", "neurmatic-network", "neurmatic--network"),
        ("SqlName", "neurmatic_prod", "neurmatic-prod"),
        ("CountryCode", "KP", "kp"),
        ("HeaderValue", "default-src 'self'; img-src *", 'a"; add_header b "c'),
        ("HeaderValue", "max-age=1", "$http_cookie"),
        ("HeaderValue", "nosniff", "a\nb"),
        ("HttpMethod", "GET", "get"),
        ("Port", 443, 65536),
        ("Port", 1, True),
        ("Percent", 100, 101),
        ("Cpus", 0.5, 0),
        ("Days", "90d", "12h"),
    ],
)
def test_one_of_each_kind(name: str, good: object, bad: object) -> None:
    assert accepts(name, good)
    assert not accepts(name, bad)


def test_a_refusal_says_what_is_allowed_and_not_what_was_given() -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(typing.cast(typing.Any, values.Port)).validate_python("{secret}")
    assert caught.value.errors()[0]["msg"] == "a whole number from 1 to 65535"
