# A bad line as a machine of its own, for tests/peers/line: Debian's kernel with netem, busybox, tc. Sourced, never run.
# Nothing of it is installed here: the packages are unpacked.

# make_line FOLDER: FOLDER/kernel and FOLDER/initrd, and how they were made in FOLDER/made.
make_line() {
  need_packages qemu-system-x86 cpio xz-utils iproute2 util-linux
  local kernel=linux-image-cloud-amd64 folder made packages root
  [ -n "$(apt-cache depends "$kernel" 2>/dev/null)" ] || as_root apt-get update -qq
  kernel=$(apt-cache depends "$kernel" 2>/dev/null | sed -n 's/^ *Depends: \(linux-image-[^ ]*\)$/\1/p' | head -n 1)
  [ -n "$kernel" ] || die 'no kernel with netem is known to apt: is its list there, and is this an x86-64 Debian?'
  made="$kernel $(dpkg-query -W -f='${Version}' iproute2) $(cat tests/peers/line/init scripts/lib/line.sh | sha256sum)"
  [ -e "$1/made" ] && [ "$(cat "$1/made")" = "$made" ] && return 0
  echo "unpacking: $kernel, busybox-static"
  rm -rf "$1"
  mkdir -p "$1/packages" "$1/root"/{proc,sys,dev}
  folder=$(cd "$1" && pwd)
  packages=$folder/packages root=$folder/root
  (cd "$packages" && apt-get download -qq "$kernel" busybox-static 2>/dev/null) || die "$kernel and busybox-static could not be fetched"
  dpkg-deb --fsys-tarfile "$packages"/busybox-static_*.deb | tar -x -C "$root" --wildcards '*/busybox'
  [ -e "$root/bin/busybox" ] || { mkdir -p "$root/bin" && mv "$root/usr/bin/busybox" "$root/bin/"; }
  dpkg-deb --fsys-tarfile "$packages"/linux-image-*.deb | tar -x -C "$packages" --wildcards '*/vmlinuz-*' '*/modules.*' \
    '*/kernel/net/bridge/bridge.ko*' '*/kernel/net/802/*' '*/kernel/net/llc/*' '*/kernel/net/core/*' '*/kernel/net/sched/sch_netem.ko*' \
    '*/kernel/drivers/net/*virtio_net.ko*' '*/kernel/drivers/net/net_failover.ko*' '*/kernel/drivers/virtio/*'
  mv "$packages"/boot/vmlinuz-* "$folder/kernel"
  mkdir -p "$root/lib"
  mv "$packages"/usr/lib/modules "$root/lib/" 2>/dev/null || mv "$packages"/lib/modules "$root/lib/"
  find "$root/lib/modules" -name '*.ko.xz' -exec xz -d {} +
  "$root/bin/busybox" depmod -b "$root" "$(ls "$root/lib/modules")"
  # This machine's own tc, with what it needs.
  local tc
  tc=$(command -v tc || echo /sbin/tc)
  cp -L "$tc" "$root/tc"
  ldd "$tc" | grep -o '/[^ ]*' | xargs -I{} cp --parents -L {} "$root"
  install -m 755 tests/peers/line/init "$root/init"
  (cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$folder/initrd"
  rm -rf "$packages" "$root"
  echo "$made" >"$1/made"
}
