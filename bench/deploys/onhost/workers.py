"""Says when nginx's workers come and go, a line each; runs on the server, standard library only.

    <seconds since 1970> <+ or -> <pid>

A dot now and then, so that it ends when nobody listens any more.
"""

import time
from pathlib import Path

TICK = 0.05
SIGN = 1.0


def workers() -> set[int]:
    """The load balancer's: the frontends are nginx, too."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes().startswith(b"nginx: worker process") and b"/etc/stack/" in master_of(path.parent):
                found.add(int(path.parent.name))
        except OSError:  # it has gone meanwhile
            continue
    return found


def master_of(process: Path) -> bytes:
    parent = (process / "stat").read_text().rpartition(") ")[2].split()[1]
    return Path(f"/proc/{parent}/cmdline").read_bytes()


def main() -> None:
    before, signed = workers(), 0.0
    for pid in sorted(before):
        print(f"{time.time()} + {pid}", flush=True)
    while True:
        now = workers()
        for pid in sorted(now - before):
            print(f"{time.time()} + {pid}", flush=True)
        for pid in sorted(before - now):
            print(f"{time.time()} - {pid}", flush=True)
        before = now
        if time.monotonic() - signed > SIGN:
            signed = time.monotonic()
            print(".", flush=True)
        time.sleep(TICK)


if __name__ == "__main__":
    main()
