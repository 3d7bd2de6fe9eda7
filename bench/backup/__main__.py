"""How long a backup and the load of a restore take, beside what everybody types: pg_dump | gzip -9, zcat | psql.

    python -m bench.backup [MEGABYTES]

All of it on one database, one after the other, twice, and the better of two: on a machine with neighbours that is the
fairer figure for both sides.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from components.backup.onhost import dumpfile, scratch
from components.backup.onhost.database import Server
from components.backup.onhost.engine import needed
from components.backup.onhost.prepare import create_database, drop_database, size_of
from components.backup.onhost.restore import LOADING
from components.backup.onhost.settings import Settings
from components.backup.onhost.shelf import Shelf
from components.backup.onhost.take import Taker
from rehearsal.images import ensure_image
from rehearsal.images.throwaway import throwaway

MEGABYTES = 1000
ROWS_OF_A_MEGABYTE = 4400
TIMES = 2
USER, DATABASE = "prod", "shop"
# Words, numbers, times and what does not compress: as a product's tables are, rather than pgbench's empty fillers.
FILL = """
CREATE TABLE account
  (id bigserial PRIMARY KEY, mail text UNIQUE, name text, made timestamptz, score numeric, key bytea);
INSERT INTO account (mail, name, made, score, key)
  SELECT n || '@example.org', initcap(md5(n::text)), '2020-01-01'::timestamptz + n * interval '1 minute',
         random() * 1000, decode(md5((n * 7)::text), 'hex')
  FROM generate_series(1, {rows}) n;
CREATE INDEX ON account (made);
"""


class Bench:
    def __init__(self, folder: Path, container: str) -> None:
        self.settings = Settings(
            system="neurmatic",
            container=container,
            database=DATABASE,
            user=USER,
            folder=str(folder / "backups"),
            scratch=str(folder / "scratch"),
            log=str(folder / "log"),
            notify="/bin/true",
            bucket="",
            prefix="",
            region="",
            key_file="",
            scratch_memory=1024,
        )
        self.folder, self.server = folder, Server(container, USER)
        Path(self.settings.folder).mkdir()

    def plain_dump(self) -> None:
        self._shell(
            f"docker exec {self.server.container} pg_dump -U {USER} {DATABASE} | gzip -9 >{self.folder}/plain.gz"
        )

    def our_dump(self) -> None:
        """Dump, description, checksum and compression: what stands for the line above."""
        taker = Taker(self.settings, Shelf(self.settings.folder, "neurmatic"), lambda _: None)
        self.told = taker.dump(self.server, Path(self.settings.folder) / "neurmatic_20260101_000000.sql.gz", "bench")

    def proof(self) -> None:
        live = needed(self.server.container, USER)
        scratch.proven(self.settings, live, Path(self.settings.folder) / self.told.name, self.told)

    def plain_load(self) -> None:
        self.server.ask("postgres", "CREATE DATABASE plain TEMPLATE template0")
        self._shell(f"zcat {self.folder}/plain.gz | docker exec -i {self.server.container} psql -Xq -U {USER} -d plain")

    def our_load(self) -> None:
        create_database(self.server, "ours", self.told.portrait)
        checking = dumpfile.Check("ours")
        with dumpfile.opened(Path(self.settings.folder) / self.told.name) as pieces:
            self.server.load("ours", checking.reading(pieces), LOADING)
        checking.manifest()

    def tidy(self) -> None:
        for name in ("plain", "ours"):
            drop_database(self.server, name)

    def _shell(self, line: str) -> None:
        subprocess.run(["bash", "-o", "pipefail", "-c", f"{line} >/dev/null" if "psql" in line else line], check=True)


def seconds(action: Callable[[], None]) -> float:
    started = time.monotonic()
    action()
    return time.monotonic() - started


def measured(bench: Bench) -> dict[str, float]:
    steps = {
        "pg_dump, gzip -9": bench.plain_dump,
        "backup: dump, description, checksum, gzip -9": bench.our_dump,
        "proof: restored on trial and compared": bench.proof,
        "zcat, psql": bench.plain_load,
        "restore: load": bench.our_load,
    }
    best: dict[str, float] = {}
    for _ in range(TIMES):
        for name, step in steps.items():
            # Nobody pays for what the step before has left to be written.
            bench.server.ask("postgres", "CHECKPOINT")
            took = seconds(step)
            best[name] = min(took, best.get(name, took))
        bench.tidy()
    return best


def main(megabytes: int) -> int:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        folder.chmod(0o755)
        name = f"bench-backup-{uuid.uuid4().hex[:8]}"
        given = [
            f"--env=POSTGRES_{key}={value}" for key, value in (("USER", USER), ("DB", DATABASE), ("PASSWORD", "x"))
        ]
        flags = [*given, "--name", name, "--user", "70:70", "--shm-size", "256m"]
        options = ("-c", "shared_buffers=512MB", "-c", "max_wal_size=1GB", "-c", "maintenance_work_mem=128MB")
        with throwaway(ensure_image("postgres").tag, *options, flags=flags) as postgres:
            ready = ("pg_isready", "-q", "-h", "127.0.0.1", "-U", USER)
            postgres.wait_until(lambda: postgres.run(*ready) == "", "PostgreSQL answers")
            bench = Bench(folder, name)
            bench.server.ask(DATABASE, FILL.format(rows=megabytes * ROWS_OF_A_MEGABYTE))
            size = size_of(bench.server, DATABASE) >> 20
            best = measured(bench)
    print(f"A database of {size} MB, load average {os.getloadavg()[0]:.1f} at the end; the better of {TIMES}:\n")
    print("| what | seconds | of the one before |\n|---|---|---|")
    anchors = ["pg_dump, gzip -9"] * 3 + ["zcat, psql"] * 2
    for (what, took), anchor in zip(best.items(), anchors, strict=True):
        print(f"| {what} | {took:.1f} | {took / best[anchor]:.2f} of `{anchor}` |")
    slower = [each for each, anchor in zip(list(best), anchors, strict=True) if best[each] > best[anchor]]
    return 1 if any(not each.startswith("proof") for each in slower) else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else MEGABYTES))
