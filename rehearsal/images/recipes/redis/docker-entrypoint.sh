#!/bin/sh
# Options alone mean "redis-server with these options"; root hands over to the user redis.
set -eu

case ${1-} in
    -* | *.conf) set -- redis-server "$@" ;;
esac

# The official image is compiled with protected-mode off, Debian's with it on. The last word stays with the
# person: whoever sets protected-mode, as an option or in the file, keeps what they set.
sets_protected_mode() {
    for word in "$@"; do
        case $word in --protected-mode*) return 0 ;; esac
    done
    [ -r "${2-}" ] && grep -qiE '^[[:space:]]*protected-mode' "$2"
}

if [ "${1-}" = redis-server ]; then
    if [ "$(id -u)" = 0 ]; then
        find . ! -user redis -exec chown redis {} +
        exec gosu redis "$0" "$@"
    fi
    [ "$(umask)" != 0022 ] || umask 0077
    case " $* " in
        *' --version '* | *' -v '* | *' --help '* | *' -h '* | *' --check-system '*) ;;
        *) sets_protected_mode "$@" || set -- "$@" --protected-mode no ;;
    esac
fi
exec "$@"
