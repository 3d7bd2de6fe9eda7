#!/bin/bash
# Prepares an empty data directory as the official image does, then becomes the given command.
set -Eeuo pipefail

say() { printf '%s\n' "$*" >&2; }

# NAME or NAME_FILE, never both; exported, so that scripts of /docker-entrypoint-initdb.d see it.
setting() {
    local name=$1 default=${2-} file_name="$1_FILE" value
    if [ -n "${!name-}" ] && [ -n "${!file_name-}" ]; then
        say "error: both $name and $file_name are set (but are exclusive)"
        exit 1
    fi
    value=${!name-}
    if [ -n "${!file_name-}" ]; then
        value=$(cat "${!file_name}")
    fi
    export "$name=${value:-$default}"
    unset "$file_name"
}

read_settings() {
    setting POSTGRES_PASSWORD
    setting POSTGRES_USER postgres
    setting POSTGRES_DB "$POSTGRES_USER"
    setting POSTGRES_INITDB_ARGS
}

make_directories() {
    mkdir -p "$PGDATA"
    chmod 0700 "$PGDATA" || say "note: the mode of $PGDATA stays as it is"
    mkdir -p /var/run/postgresql
    chmod 3775 /var/run/postgresql || say "note: the mode of /var/run/postgresql stays as it is"
    if [ -n "${POSTGRES_INITDB_WALDIR-}" ]; then
        mkdir -p "$POSTGRES_INITDB_WALDIR"
        chmod 0700 "$POSTGRES_INITDB_WALDIR"
    fi
}

# Root only prepares; the server itself refuses to run as root.
become_postgres() {
    local place
    for place in "$PGDATA" /var/run/postgresql ${POSTGRES_INITDB_WALDIR:+"$POSTGRES_INITDB_WALDIR"}; do
        find "$place" ! -user postgres -exec chown postgres {} +
    done
    exec gosu postgres "$0" "$@"
}

require_a_password() {
    if [ -z "$POSTGRES_PASSWORD" ] && [ "${POSTGRES_HOST_AUTH_METHOD-}" != trust ]; then
        say "Error: Database is uninitialized and superuser password is not specified." \
            "Set POSTGRES_PASSWORD (or POSTGRES_PASSWORD_FILE) to a non-empty value."
        exit 1
    fi
    if [ "${POSTGRES_HOST_AUTH_METHOD-}" = trust ]; then
        say "WARNING: POSTGRES_HOST_AUTH_METHOD is trust: anyone who reaches the port may log in."
    fi
}

# initdb wants the current uid to have a name; `docker run --user 1234` has none.
name_this_uid() {
    getent passwd "$(id -u)" > /dev/null && return
    NSS_WRAPPER_PASSWD=$(mktemp)
    NSS_WRAPPER_GROUP=$(mktemp)
    LD_PRELOAD=libnss_wrapper.so
    export NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP LD_PRELOAD
    echo "postgres:x:$(id -u):$(id -g):PostgreSQL:$PGDATA:/bin/false" > "$NSS_WRAPPER_PASSWD"
    echo "postgres:x:$(id -g):" > "$NSS_WRAPPER_GROUP"
}

forget_the_name() {
    [ -n "${NSS_WRAPPER_PASSWD-}" ] || return 0
    unset LD_PRELOAD
    rm -f "$NSS_WRAPPER_PASSWD" "$NSS_WRAPPER_GROUP"
    unset NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP
}

init_data_directory() {
    local words=()
    # Quotes inside POSTGRES_INITDB_ARGS count, as in the official image.
    eval "words=($POSTGRES_INITDB_ARGS)"
    if [ -n "${POSTGRES_INITDB_WALDIR-}" ]; then
        words+=(--waldir "$POSTGRES_INITDB_WALDIR")
    fi
    name_this_uid
    initdb --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") ${words[@]+"${words[@]}"}
    forget_the_name
}

# initdb trusts the socket and loopback; every other address has to show the password.
allow_hosts() {
    local method=${POSTGRES_HOST_AUTH_METHOD-}
    [ "$1" = postgres ] && shift
    [ -n "$method" ] || method=$(postgres -C password_encryption "$@")
    printf '\nhost all all all %s\n' "$method" >> "$PGDATA/pg_hba.conf"
}

start_on_the_socket_only() {
    [ "$1" = postgres ] && shift
    PGUSER=${PGUSER:-$POSTGRES_USER} \
        pg_ctl -D "$PGDATA" -w -o "$(printf '%q ' "$@" -c "listen_addresses=" -p "${PGPORT:-5432}")" start
}

sql() {
    PGHOST='' PGHOSTADDR='' psql -v ON_ERROR_STOP=1 --no-psqlrc --no-password --username "$POSTGRES_USER" "$@"
}

create_database() {
    local found
    found=$(sql --dbname postgres --tuples-only --no-align --set name="$POSTGRES_DB" \
        <<< "SELECT 1 FROM pg_database WHERE datname = :'name';")
    [ -n "$found" ] || sql --dbname postgres --set name="$POSTGRES_DB" <<< 'CREATE DATABASE :"name";'
}

run_init_file() {
    case $1 in
        *.sh) if [ -x "$1" ]; then "$1"; else
            # shellcheck source=/dev/null
            . "$1"
        fi ;;
        *.sql) sql --dbname "$POSTGRES_DB" -f "$1" ;;
        *.sql.gz) gunzip -c "$1" | sql --dbname "$POSTGRES_DB" ;;
        *.sql.xz) xzcat "$1" | sql --dbname "$POSTGRES_DB" ;;
        *.sql.zst) zstd -dc "$1" | sql --dbname "$POSTGRES_DB" ;;
        *) say "ignoring $1" ;;
    esac
}

initialise() {
    local file
    require_a_password
    init_data_directory
    allow_hosts "$@"
    export PGPASSWORD=${PGPASSWORD:-$POSTGRES_PASSWORD}
    start_on_the_socket_only "$@"
    create_database
    for file in /docker-entrypoint-initdb.d/*; do
        [ -e "$file" ] || continue
        say "$0: $file"
        run_init_file "$file"
    done
    PGUSER=${PGUSER:-postgres} pg_ctl -D "$PGDATA" -m fast -w stop
    unset PGPASSWORD
    printf '\nPostgreSQL init process complete; ready for start up.\n\n'
}

only_asks() {
    local word
    for word in "$@"; do
        case $word in '-?' | --help | --describe-config | -V | --version) return 0 ;; esac
    done
    return 1
}

[ "${1:0:1}" != - ] || set -- postgres "$@"
if [ "${1-}" = postgres ] && ! only_asks "$@"; then
    read_settings
    make_directories
    [ "$(id -u)" != 0 ] || become_postgres "$@"
    if [ -s "$PGDATA/PG_VERSION" ]; then
        printf '\nPostgreSQL Database directory appears to contain a database; Skipping initialization\n\n'
    else
        initialise "$@"
    fi
fi
exec "$@"
