# Shared by the parts of scripts/image. Sourced, never run.

. scripts/lib/setup.sh

# Where everything is made; nothing of it is in the repository.
WORK=target/image
BUILDER=$WORK/builder
DEBS=$WORK/debs
MIRROR=http://deb.debian.org/debian
SECURITY=http://deb.debian.org/debian-security
SOURCES=(
  "deb $MIRROR trixie main non-free-firmware"
  "deb $SECURITY trixie-security main non-free-firmware"
  "deb $MIRROR trixie-backports main non-free-firmware"
)
# Lists that are a few days old are good enough: what is taken is pinned by version in the SBOM.
APT_OPTIONS=(
  --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='APT::Install-Recommends "false"'
  --aptopt='Acquire::Languages "none"' --aptopt='Acquire::Retries "3"'
)

# in_builder COMMAND...: runs it in the trixie chroot, with the repository at /chevet and the work folder at /work.
in_builder() {
  unshare --mount -- bash -euo pipefail -c '
    builder=$1 repository=$2 work=$3
    shift 3
    mkdir -p "$builder"/{chevet,work,root/.cargo}
    mount -t proc proc "$builder/proc"
    mount --rbind /dev "$builder/dev"
    mount --bind "$repository" "$builder/chevet"
    mount --bind "$work" "$builder/work"
    mkdir -p "$work/cargo"
    mount --bind "$work/cargo" "$builder/root/.cargo"
    exec chroot "$builder" env -i PATH=/usr/sbin:/usr/bin HOME=/root LC_ALL=C.UTF-8 SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-0}" "$@"
  ' in_builder "$PWD/$BUILDER" "$PWD" "$PWD/$WORK" "$@"
}

# said STEP: one line a step, with the time since the beginning.
said() {
  printf '%4d s  %s\n' "$SECONDS" "$*"
}
