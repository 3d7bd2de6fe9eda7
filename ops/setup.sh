#!/bin/sh
# Makes or refreshes .venv; `setup.sh dev` adds what tests and linters need. Does nothing when all is in place.
set -eu
root=$(cd -P -- "$(dirname -- "$0")/.." && pwd)
kind=${1:-runtime}
ready=$root/.venv/.ready-$kind

is_current() {
    [ -f "$ready" ] && [ "$(cat "$ready")" = "$root" ] && [ -x "$root/.venv/bin/python" ] || return 1
    for file in requirements.txt requirements-dev.txt pyproject.toml; do
        # Not POSIX, but in every sh of the systems that are supported (dash, bash, busybox, macOS).
        # shellcheck disable=SC3013
        [ "$ready" -nt "$root/$file" ] || return 1
    done
}

find_python() {
    for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11 python3.10; do
        [ -n "$candidate" ] || continue
        "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null && echo "$candidate" && return
    done
    echo "Python 3.10 or newer is needed and none was found: install python3 and python3-venv," \
        "or name one in PYTHON." >&2
    return 1
}

is_current || {
    python=$(find_python)
    exec "$python" "$root/ops/setup.py" "$kind"
}
