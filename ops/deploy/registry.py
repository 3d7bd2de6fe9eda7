"""What a tag stands for, asked of the image registry by the API that Docker and OCI share."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import urllib3

from ops.errors import OperatorError

INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
MANIFESTS = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
DOCKER_HUB = "registry-1.docker.io"
TIMEOUT = urllib3.Timeout(connect=10, read=30)
RETRIES = urllib3.Retry(
    total=2, redirect=5, backoff_factor=0.5, status_forcelist=(502, 503, 504), raise_on_status=False
)


@dataclass(frozen=True)
class Login:
    user: str
    token: str


@dataclass(frozen=True)
class Found:
    """An image by its digest, and what its author has written on it."""

    digest: str
    labels: Mapping[str, str]


@dataclass
class Registry:
    """One registry. `address` is where it really is, when its name leads elsewhere from here; then `authority` too."""

    host: str
    login: Login | None = None
    address: str | None = None
    authority: str | None = None
    _bearer: dict[str, str] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        special: dict[str, Any] = {}
        if self.address:
            special = {"assert_hostname": self.host, "server_hostname": self.host, "ca_cert_data": self.authority}
        self._pool = urllib3.PoolManager(timeout=TIMEOUT, retries=RETRIES, **special)

    def find(self, repository: str, tag: str) -> Found:
        """One sentence when there is no such tag, no such login or no such registry."""
        body, digest = self._manifest(repository, tag)
        manifest = json.loads(body)
        if manifest.get("mediaType") in INDEXES or "manifests" in manifest:
            manifest = json.loads(self._manifest(repository, _chosen(manifest, f"{repository}:{tag}"))[0])
        config = json.loads(self._get(f"/v2/{repository}/blobs/{manifest['config']['digest']}", repository, "").data)
        return Found(digest, (config.get("config") or {}).get("Labels") or {})

    def _manifest(self, repository: str, reference: str) -> tuple[bytes, str]:
        path = f"/v2/{repository}/manifests/{reference}"
        answer = self._get(path, repository, ", ".join((*INDEXES, *MANIFESTS)))
        if answer.status == 404:
            raise OperatorError(f"{self.host} has no {repository}:{reference}: has its pipeline pushed that version?")
        digest = "sha256:" + hashlib.sha256(answer.data).hexdigest()
        said = answer.headers.get("Docker-Content-Digest", digest)
        if said != digest:
            raise OperatorError(f"{self.host} says {said} of {repository}:{reference}, but what it sent is {digest}.")
        return answer.data, digest

    def _get(self, path: str, repository: str, accept: str) -> urllib3.BaseHTTPResponse:
        answer = self._send(path, repository, accept)
        if answer.status == 401 and repository not in self._bearer:
            self._bearer[repository] = self._authorization(answer.headers.get("WWW-Authenticate", ""), repository)
            answer = self._send(path, repository, accept)
        if answer.status in (401, 403):
            whose = f"for {self.login.user}" if self.login else "(there is none)"
            raise OperatorError(
                f"{self.host} lets nobody see {repository} with the secret registry_token {whose}: it answered "
                f"{answer.status}. Does the token have read:packages, and is it still valid?"
            )
        if answer.status not in (200, 404):
            raise OperatorError(f"{self.host} answered {answer.status} when asked for {repository}: try again later.")
        return answer

    def _send(self, path: str, repository: str, accept: str) -> urllib3.BaseHTTPResponse:
        headers = {"Host": self.host, **({"Accept": accept} if accept else {})}
        if repository in self._bearer:
            headers["Authorization"] = self._bearer[repository]
        return self._request(f"https://{self.address or self.host}{path}", headers)

    def _request(self, url: str, headers: Mapping[str, str], **fields: Any) -> urllib3.BaseHTTPResponse:
        try:
            return self._pool.request("GET", url, headers=dict(headers), **fields)
        except urllib3.exceptions.HTTPError as error:
            reason = getattr(error, "reason", None) or error
            raise OperatorError(
                f"The registry {self.host} cannot be reached ({_plainly(reason)}): nothing was changed. "
                "`./infra rollback` needs no registry."
            ) from None

    def _authorization(self, challenge: str, repository: str) -> str:
        """As the registry asks for it: the login itself, or a token that its own server gives for the login."""
        basic = urllib3.make_headers(basic_auth=f"{self.login.user}:{self.login.token}") if self.login else {}
        if not challenge.lower().startswith("bearer"):
            return basic.get("authorization", "")
        said = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        fields = {
            "scope": f"repository:{repository}:pull",
            **({"service": said["service"]} if "service" in said else {}),
        }
        answer = self._request(said.get("realm", ""), basic, fields=fields)
        granted = json.loads(answer.data) if answer.status == 200 else {}
        return f"Bearer {granted.get('token') or granted.get('access_token') or ''}"


def _chosen(index: Mapping[str, Any], name: str) -> str:
    """Of an image for many machines, the one for servers."""
    for each in index["manifests"]:
        platform = each.get("platform", {})
        if (platform.get("os"), platform.get("architecture")) == ("linux", "amd64"):
            return str(each["digest"])
    raise OperatorError(f"{name} has no image for linux/amd64.")


def _plainly(reason: object) -> str:
    return re.sub(r"^<[^>]*>: |^[^:]*object at 0x\w+>?: ", "", str(reason)).strip()


def place_of(repository: str) -> tuple[str, str]:
    """The registry of an image, and what the image is called there."""
    host, _, rest = repository.partition("/")
    if "." in host or ":" in host or host == "localhost":
        return host, rest
    return DOCKER_HUB, repository if rest else f"library/{repository}"
