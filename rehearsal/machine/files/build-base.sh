#!/bin/sh
# Writes the file system of a freshly delivered server to stdout, as a tar stream.
# It works in a tmpfs of a mount namespace of its own: a build that is killed leaves nothing mounted and no file.
# usage: build-base.sh SUITE MIRROR COMPONENTS USER PACKAGES KEYRING_PATH KEYRING_SHA256
# An empty MIRROR is the distribution's own archive, as debootstrap knows it. A KEYRING_PATH says that it is Ubuntu's.
set -eu

suite=$1 mirror=$2 components=$3 user=$4 packages=$5 keyring_path=$6 keyring_sha256=$7

# debootstrap may not know the newest Ubuntu by name, but all of them are built by the same script.
script=/usr/share/debootstrap/scripts/$suite
[ -e "$script" ] || script=/usr/share/debootstrap/scripts/gutsy

ubuntus_archive() {
    case $(dpkg --print-architecture) in amd64 | i386) ports=-v ;; *) ports=-e ;; esac
    sed -n 's/^[[:space:]]*default_mirror //p' "$script" | grep -v old-releases | grep "$ports" ports | head -n 1
}

if [ -z "$mirror" ] && [ -n "$keyring_path" ]; then
    mirror=$(ubuntus_archive)
elif [ -z "$mirror" ]; then
    mirror=$(sed -n 's/^DEF_MIRROR="\(.*\)"$/\1/p' "$(command -v debootstrap)")
fi
# Debian keeps its security updates beside its archive, Ubuntu in it.
if [ -n "$keyring_path" ]; then security=$mirror; else security=$mirror-security; fi

exec 3>&1 1>&2
mount -t tmpfs -o mode=0755,size=3g rehearsal-base /mnt
root=/mnt/root
mkdir "$root"

# debootstrap's wget knows nothing of apt's proxy, and tries an archive that does not answer for many minutes.
proxy=
eval "$(apt-config shell proxy Acquire::http::Proxy)"
if [ -n "$proxy" ]; then export http_proxy="$proxy"; fi
/usr/lib/apt/apt-helper -o Acquire::http::Timeout=20 -o Acquire::Retries=1 \
    download-file "$mirror/dists/$suite/Release" /mnt/release || { echo "E: no answer from $mirror"; exit 3; }

# A Debian does not trust Ubuntu's archive by itself: the key comes from there, pinned by its checksum.
if [ -n "$keyring_path" ]; then
    /usr/lib/apt/apt-helper download-file "$mirror/$keyring_path" /mnt/keyring.deb "SHA256:$keyring_sha256"
    dpkg-deb --extract /mnt/keyring.deb /mnt/keyring
    keyring=/mnt/keyring/usr/share/keyrings/ubuntu-archive-keyring.gpg
else
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
fi

debootstrap --variant=minbase --keyring="$keyring" --components="$(echo "$components" | tr ' ' ',')" \
    --include="$packages" "$suite" "$root" "$mirror" "$script"

cat > "$root/etc/apt/sources.list" <<LIST
deb $mirror $suite $components
deb $mirror $suite-updates $components
deb $security $suite-security $components
LIST

# How this machine reaches its archive (a proxy, a certificate authority) holds for the one inside as well.
apt-config dump | grep -E '^Acquire::(http|https|ftp|Retries|ForceIPv|Check-Date|Check-Valid-Until)' \
    > "$root/etc/apt/apt.conf.d/90underneath" || true
if ls /usr/local/share/ca-certificates/*.crt > /dev/null 2>&1; then
    cp /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/"
    chroot "$root" update-ca-certificates
fi
# The disk is thrown away: waiting for it after every package would only cost time.
echo force-unsafe-io > "$root/etc/dpkg/dpkg.cfg.d/90throw-away"

chroot "$root" useradd --create-home --shell /bin/bash --groups sudo "$user"
chroot "$root" install -d -m 0700 -o "$user" -g "$user" "/home/$user/.ssh"
echo "$user ALL=(ALL) NOPASSWD:ALL" > "$root/etc/sudoers.d/90-cloud-init-users"
chmod 0440 "$root/etc/sudoers.d/90-cloud-init-users"

# Identity belongs to a machine, not to its image.
rm -f "$root"/etc/ssh/ssh_host_*
: > "$root/etc/machine-id"
rm -f "$root/var/lib/dbus/machine-id"
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/archives/*.deb

tar --directory "$root" --create --file - . >&3
