#!/bin/sh
# /etc/nginx/templates/*.template become /etc/nginx/conf.d/*, with the variables of the environment filled in.
set -eu

templates=${NGINX_ENVSUBST_TEMPLATE_DIR:-/etc/nginx/templates}
suffix=${NGINX_ENVSUBST_TEMPLATE_SUFFIX:-.template}
output=${NGINX_ENVSUBST_OUTPUT_DIR:-/etc/nginx/conf.d}

[ -d "$templates" ] || exit 0
if [ ! -w "$output" ]; then
    echo "$0: $templates exists, but $output is not writable" >&2
    exit 0
fi

# Only names that exist are replaced: nginx's own $host and $uri must survive.
names=$(env -0 | sed -z 's/=.*//' | tr '\0' '\n' | grep -E "${NGINX_ENVSUBST_FILTER:-.}" | sed 's/.*/${&}/' | tr '\n' ' ')

find "$templates" -follow -type f -name "*$suffix" | while read -r template; do
    target=${template#"$templates/"}
    target=$output/${target%"$suffix"}
    mkdir -p "$(dirname "$target")"
    envsubst "$names" < "$template" > "$target"
done
