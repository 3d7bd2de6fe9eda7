# Says whether every rule is loaded, and what the kernel's rules lack or somebody added, one line each.
# With `repair`: puts that right.
# The right rules are made by the firewall's own programs from its files, in a network namespace with nothing in it.
set -u

# What runs in both places.
rules=$(
    cat <<'END'
for program in iptables ip6tables; do
    "$program-save" | awk -v program="$program" '
        /^[*]/ { table = substr($1, 2) }
        /^:/ && $2 != "-" && $2 != "ACCEPT" { print program, "-t", table, "-P", substr($1, 2), $2 }
        /^-A/ { print program, "-t", table, $0 }'
done
nft -s list table inet infra_containers 2>/dev/null
END
)

# What programs put there while they work: Docker for its networks, fail2ban for those it bans.
others='-A (DOCKER|DOCKER-[A-TV-Z][A-Z0-9-]*|f2b-[^ ]+) '
others="$others|-A DOCKER-USER -j RETURN\$"
others="$others|-j (DOCKER[A-Z0-9-]*|f2b-[^ ]+)\$"
others="$others|-t filter -A FORWARD .*-[io] (docker0|docker_gwbridge|br-[0-9a-f]+)( |\$)"
others="$others|-t nat -A POSTROUTING .*! -o (docker0|docker_gwbridge|br-[0-9a-f]+) -j MASQUERADE\$"
others="$others|-t nat -A POSTROUTING -s ([^ ]+) -d \\6 .*-j MASQUERADE\$"
others="$others|-t nat -A POSTROUTING .*-o (docker0|docker_gwbridge|br-[0-9a-f]+) .*--src-type LOCAL -j MASQUERADE\$"
# An engine from 28 on refuses there what is not meant for it.
others="$others|-t raw -A PREROUTING .*! -i [^ ]+ .*-j DROP\$"

known='ip6? (filter|nat|mangle|raw|security|docker-bridges)|inet (f2b-table|infra_containers)'

differences() {
    is=$(sh -c "$rules" | grep -Ev -e "$others")
    should_be=$(unshare --net sh -c "{ /lib/ufw/ufw-init start; nft -f /etc/infra/containers.nft; } >/dev/null 2>&1; $rules")
    printf '%s\n' "$is" |
        diff --old-line-format='missing: %L' --new-line-format='added: %L' --unchanged-line-format='' /dev/fd/3 - 3<<END
$should_be
END
    nft list tables | grep -Ev "^table ($known)\$" | sed 's/^/added: /'
}

# Line by line: emptying the tables would take Docker's and fail2ban's rules along.
repair() {
    nft -f /etc/infra/containers.nft
    found=$(differences)
    printf '%s\n' "$found" | sed -n 's/^added: \(ip6\{0,1\}tables\) -t \([a-z]*\) -A /\1 -t \2 -D /p' | xargs -r -L 1 env
    printf '%s\n' "$found" | sed -n 's/^added: table /nft delete table /p' | xargs -r -L 1 env
    if printf '%s\n' "$found" | grep -q '^missing: ip'; then
        /lib/ufw/ufw-init force-stop
        /lib/ufw/ufw-init start
    fi
}

if [ "${1-}" = repair ]; then
    repair >&2
elif [ -e /etc/infra/containers.nft ]; then
    found=$(differences)
    printf '%s\n' "$found" | grep -q '^missing' || echo "every rule is loaded"
    printf '%s\n' "$found"
fi
exit 0
