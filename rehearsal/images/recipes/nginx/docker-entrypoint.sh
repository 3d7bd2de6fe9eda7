#!/bin/sh
# Runs what lies in /docker-entrypoint.d in version order, then becomes the given command.
set -eu

say() { [ -n "${NGINX_ENTRYPOINT_QUIET_LOGS-}" ] || echo "$0: $*"; }

prepare() {
    # A list in the shell's own words, not a pipe: what an .envsh exports has to last.
    for file in $(find /docker-entrypoint.d/ -follow -type f | sort -V); do
        if [ ! -x "$file" ]; then
            say "Ignoring $file, not executable"
            continue
        fi
        case $file in
            *.envsh)
                say "Sourcing $file"
                # shellcheck source=/dev/null
                . "$file" ;;
            *.sh)
                say "Launching $file"
                "$file" ;;
            *) say "Ignoring $file" ;;
        esac
    done
    say "Configuration complete; ready for start up"
}

case ${1-} in
    nginx | nginx-debug) prepare ;;
esac
exec "$@"
