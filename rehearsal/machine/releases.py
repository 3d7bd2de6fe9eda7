"""Which servers can be rehearsed: the releases a provider delivers, and where their packages come from."""

from __future__ import annotations

import os
from dataclasses import dataclass

from rehearsal import RehearsalError

# What the images of the large providers bring, as far as it matters here; nothing that this project installs.
DELIVERED = (
    "apt-utils,ca-certificates,cron,curl,dbus,gnupg,iproute2,iputils-ping,kmod,less,libpam-systemd,logrotate,"
    "netbase,openssh-server,procps,python3,sudo,systemd,systemd-sysv,systemd-timesyncd,tzdata,wget"
)
UBUNTU_KEYRING = "pool/main/u/ubuntu-keyring/ubuntu-keyring_2021.03.26_all.deb"
UBUNTU_KEYRING_SHA256 = "0d0e7ed6b112f5d03eabf3c7eb01ebdacf9c57714b279e90495cfc58c8c4520f"


@dataclass(frozen=True)
class Release:
    """One operating system as a provider delivers it."""

    name: str
    suite: str
    user: str
    components: str
    mirror: str
    """Empty: the distribution's own archive, as debootstrap knows it."""
    keyring_path: str = ""
    keyring_sha256: str = ""
    packages: str = DELIVERED

    def build_arguments(self) -> list[str]:
        """In the order that build-base.sh reads them."""
        return [
            self.suite,
            self.mirror,
            self.components,
            self.user,
            self.packages,
            self.keyring_path,
            self.keyring_sha256,
        ]


def _debian(name: str, suite: str) -> Release:
    return Release(name, suite, "debian", "main", _mirror("REHEARSAL_DEBIAN_MIRROR"))


def _ubuntu(name: str, suite: str) -> Release:
    mirror = _mirror("REHEARSAL_UBUNTU_MIRROR")
    return Release(name, suite, "ubuntu", "main universe", mirror, UBUNTU_KEYRING, UBUNTU_KEYRING_SHA256)


def _mirror(variable: str) -> str:
    return os.environ.get(variable, "").rstrip("/")


def releases() -> dict[str, Release]:
    known = (
        _debian("debian-12", "bookworm"),
        _ubuntu("ubuntu-22.04", "jammy"),
        _ubuntu("ubuntu-24.04", "noble"),
    )
    return {release.name: release for release in known}


def find_release(name: str) -> Release:
    known = releases()
    if name not in known:
        raise RehearsalError(f"There is no release '{name}' to rehearse on: take one of {', '.join(known)}.")
    return known[name]
