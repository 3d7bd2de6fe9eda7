"""What must be true between sections. The parameters of a check name the sections it needs."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from components.backup.config import BackupSettings, RcloneBackup
from components.containers.config import ContainersSettings
from components.edge.config import EdgeSettings, Record, RecordType
from components.edge.plan import plan_findings
from components.host.config import HostSettings
from components.mistakes import Mistake
from components.publish.config import PublishSettings
from components.site import SiteSettings
from components.storage.config import StorageSettings
from components.values import (
    ArchiveClass,
    DataPolicy,
    Environment,
    is_ipv4,
    is_ipv6,
)

_FINDING = re.compile(r"((?:edge|site)(?:\.[a-z_]+)*): (.*)", re.DOTALL)
_PLAN_RESTS_ON = (
    *(("edge", each) for each in ("plan", "on_misfit", "waf", "bots")),
    *(("site", each) for each in ("limits", "caching", "admin")),
)
# S3 charges an object for so many days at least, so deleting it earlier saves nothing.
SHORTEST_ARCHIVE = {ArchiveClass.GLACIER_IR: 90, ArchiveClass.GLACIER: 90, ArchiveClass.DEEP_ARCHIVE: 180}
WIDEST_ADMIN = {4: 8, 6: 20}


def data_is_protected(environment: Environment, data: DataPolicy, rehearsal: bool) -> Iterable[Mistake]:
    if environment is Environment.PRODUCTION and data is DataPolicy.DISPOSABLE and not rehearsal:
        yield Mistake(("data",), 'given "disposable"; allowed in production is protected', about=(("environment",),))


def names_in_zone(site: SiteSettings, edge: EdgeSettings) -> Iterable[Mistake]:
    for field in ("apex", "www", "api"):
        name, path, about = getattr(site, field), ("site", field), (("edge", "zone"),)
        if name != edge.zone and not name.endswith(f".{edge.zone}"):
            yield Mistake(path, f'given "{name}"; allowed is a name in the zone {edge.zone}', about=about)
        elif name.removesuffix(edge.zone).count(".") > 1 and not edge.advanced_certificate:
            yield Mistake(
                path,
                f'given "{name}"; Cloudflare\'s certificate covers one label below {edge.zone} only: allowed is such a'
                " name, or set edge.advanced_certificate",
                about=(*about, ("edge", "advanced_certificate")),
            )


def names_differ(site: SiteSettings) -> Iterable[Mistake]:
    if len(set(site.names)) < 3:
        paths = (("site", "www"), ("site", "api"))
        yield Mistake(("site", "apex"), "apex, www and api have to be three different names", about=paths)


def admin_is_narrow(site: SiteSettings) -> Iterable[Mistake]:
    for index, text in enumerate(site.admin.addresses):
        network = ipaddress.ip_network(text)
        if network.prefixlen < WIDEST_ADMIN[network.version]:
            yield Mistake(
                ("site", "admin", "addresses", index),
                f'given "{text}"; the admin paths are for known addresses: allowed is /{WIDEST_ADMIN[network.version]}'
                " or narrower",
            )


def edge_fits_plan(site: SiteSettings, edge: EdgeSettings) -> Iterable[Mistake]:
    """What the edge's own builders find; each sentence begins with the setting that it is about."""
    for finding in plan_findings(edge, site):
        found = _FINDING.fullmatch(finding)
        path, text = (tuple(found[1].split(".")), found[2]) if found else (("edge",), finding)
        yield Mistake(path, text, about=_PLAN_RESTS_ON)


def records_are_sound(edge: EdgeSettings) -> Iterable[Mistake]:
    for index, record in enumerate(edge.records):
        allowed = _record_wrong(record)
        if allowed:
            yield Mistake(("edge", "records", index), f"{record.type.value} record {record.name}: {allowed}")
    aliases = {record.name for record in edge.records if record.type is RecordType.CNAME}
    for name in sorted(aliases):
        if sum(record.name == name for record in edge.records) > 1:
            yield Mistake(("edge", "records"), f"{name}: beside a CNAME record there can be no other of that name")


def _record_wrong(record: Record) -> str | None:
    if record.type is RecordType.A and not is_ipv4(record.content):
        return "its content has to be an IPv4 address"
    if record.type is RecordType.AAAA and not is_ipv6(record.content):
        return "its content has to be an IPv6 address"
    if (record.type is RecordType.MX) != (record.priority is not None):
        return "an MX record needs a priority, and no other has one"
    if record.type is RecordType.CAA and len(record.content.split(" ", 2)) != 3:
        return "its content has to be flags, tag and value, such as 0 issue letsencrypt.org"
    return None


def mail_is_complete(edge: EdgeSettings) -> Iterable[Mistake]:
    if (edge.mail.sendgrid_subdomain is None) != (edge.mail.sendgrid_account is None):
        yield Mistake(("edge", "mail"), "sendgrid_subdomain and sendgrid_account belong together: set both or neither")


def notifications_have_account(edge: EdgeSettings) -> Iterable[Mistake]:
    if edge.notifications.emails and edge.account_id is None:
        yield Mistake(("edge", "account_id"), "not set; edge.notifications belong to an account")


def host_is_reachable(host: HostSettings, rehearsal: bool) -> Iterable[Mistake]:
    for field in ("ipv4", "ipv6"):
        text = getattr(host, field)
        if text is not None and ipaddress.ip_address(text).is_private and not rehearsal:
            yield Mistake(("host", field), f'given "{text}"; allowed is a public address, visitors come here')


def host_paths_apart(host: HostSettings) -> Iterable[Mistake]:
    if f"{host.data}/".startswith(f"{host.root}/") or f"{host.root}/".startswith(f"{host.data}/"):
        yield Mistake(
            ("host", "data"),
            f'given "{host.data}"; allowed is a path apart from root, {host.root}',
            about=(("host", "root"),),
        )


def production_is_redundant(environment: Environment, containers: ContainersSettings) -> Iterable[Mistake]:
    if environment is Environment.PRODUCTION and containers.backend.count < 2:
        yield Mistake(
            ("containers", "backend", "count"), "given 1; allowed in production is a whole number from 2 to 8"
        )


def images_are_fixed(environment: Environment, containers: ContainersSettings) -> Iterable[Mistake]:
    """A tag that moves is for finding a release, not for running one."""
    release = containers.release
    for name in ("postgres", "redis", "backend", "frontend", "nginx"):
        image = getattr(containers, name).image.at(getattr(release, name) if release else None)
        moving = (image.tag or "").split("-")[-1] == "latest"
        if environment is Environment.PRODUCTION and moving and not image.pinned:
            yield Mistake(
                ("containers", name, "image"),
                f'given "{image}"; allowed in production is a tag that stays or a digest',
                about=(("containers", "release"),),
            )


def buckets_differ(storage: StorageSettings, publish: PublishSettings) -> Iterable[Mistake]:
    seen: set[str] = set()
    for path, name in bucket_names(storage, publish):
        if name in seen:
            yield Mistake(path, f'given "{name}"; allowed is a bucket that nothing else uses')
        seen.add(name)


def bucket_names(storage: StorageSettings, publish: PublishSettings) -> list[tuple[tuple[str, ...], str]]:
    """Every bucket of a stack, by the setting that names it."""
    names = {
        ("storage", "media", "name"): storage.media.name,
        ("storage", "backups", "name"): storage.backups.name,
        ("storage", "access_logs", "bucket"): storage.access_logs.bucket if storage.access_logs else None,
        ("storage", "replica", "media"): storage.replica.media if storage.replica else None,
        ("storage", "replica", "backups"): storage.replica.backups if storage.replica else None,
        ("publish", "bucket"): publish.bucket,
    }
    return [(path, name) for path, name in names.items() if name is not None]


def lifecycle_in_order(storage: StorageSettings) -> Iterable[Mistake]:
    bucket = storage.backups
    path, about = ("storage", "backups", "delete_after"), (("storage", "backups", "archive_after"),)
    shortest = SHORTEST_ARCHIVE[bucket.archive_class]
    if bucket.delete_after < bucket.archive_after + shortest:
        yield Mistake(
            path,
            f"given {bucket.delete_after}d; {bucket.archive_after}d until the archive + {shortest}d that"
            f" {bucket.archive_class.value} charges at least = {bucket.archive_after + shortest}d, the least allowed",
            about=(*about, ("storage", "backups", "archive_class")),
        )
    if bucket.archive_after < 30:
        yield Mistake(
            about[0], f"given {bucket.archive_after}d; STANDARD_IA charges 30 days at least: allowed is 30d or later"
        )
    if bucket.object_lock and bucket.object_lock.days > bucket.delete_after:
        yield Mistake(
            ("storage", "backups", "object_lock", "days"),
            f"given {bucket.object_lock.days}d; allowed is up to delete_after, {bucket.delete_after}d",
            about=(path,),
        )


def alarm_after_schedule(backup: BackupSettings) -> Iterable[Mistake]:
    if backup.max_age <= 24 * 3600:
        yield Mistake(("backup", "max_age"), "allowed is more than 24h: a dump is made once a day")


def dumps_are_direct(backup: RcloneBackup) -> Iterable[Mistake]:
    host = backup.database.host
    if host.split(".")[0].endswith("-pooler"):
        text = f'given "{host}"; dumps need a direct connection: allowed is the same name without -pooler'
        yield Mistake(("backup", "database", "host"), text)


def release_note(containers: ContainersSettings) -> Iterable[str]:
    if containers.release is None:
        yield "No release yet: backends and frontend are left out; containers.release names one (docs/application.md)."
