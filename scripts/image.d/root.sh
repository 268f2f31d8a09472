# The system's root for arm64. Unpacked and never run: what maintainer scripts would have done is done here, by this machine's
# own tools, so that no foreign program runs. Sourced.

ROOT=$WORK/root
ROOT_PACKAGES=(
  base-files base-passwd dash coreutils util-linux mount sed grep libc-bin libpam-runtime passwd
  systemd systemd-sysv udev dbus kmod systemd-cryptsetup cryptsetup-bin e2fsprogs libnss-systemd
  pcscd libccid polkitd
  libinput10 libinput-bin libxkbcommon0 xkb-data libfontconfig1 fontconfig-config fonts-dejavu-core libudev1
  rauc rauc-service nftables iproute2
)
# Never read on the device.
ROOT_EXCLUDED=(
  '/usr/share/doc/*' '/usr/share/man/*' '/usr/share/locale/*' '/usr/share/info/*' '/usr/share/bash-completion/*'
  '/usr/share/zsh/*' '/usr/share/lintian/*' '/usr/share/bug/*' '/usr/lib/python3*' '/usr/share/perl*' '/usr/lib/*/gconv/*'
  '/usr/lib/*/perl*' '/usr/share/pixmaps/*' '/usr/share/i18n/*' '/usr/share/gettext/*' '/etc/cron*' '/etc/init.d/*'
)

# Nobody logs in, and nothing is made at the start that was made here.
ROOT_MASKED=(
  getty.target getty@.service serial-getty@.service console-getty.service container-getty@.service debug-shell.service
  emergency.service rescue.service ctrl-alt-del.target systemd-firstboot.service systemd-hwdb-update.service systemd-update-done.service ldconfig.service
  systemd-journal-catalog-update.service systemd-sysusers.service e2scrub_reap.service e2scrub_all.timer dpkg-db-backup.timer
  fstrim.timer
)

# unpack_root: the packages, as they come.
unpack_root() {
  local wanted stamp=$WORK/root.packages excluded=() path list
  wanted=$(printf '%s\n' "${SOURCES[@]}" "${ROOT_PACKAGES[@]}" "${ROOT_EXCLUDED[@]}")
  if [ -e "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then return 0; fi
  said 'the root: packages for arm64'
  rm -rf --one-file-system "$WORK/unpacked"
  for path in "${ROOT_EXCLUDED[@]}"; do excluded+=("--dpkgopt=path-exclude=$path"); done
  list=$(IFS=,; echo "${ROOT_PACKAGES[*]}")
  mmdebstrap --quiet --variant=extract --mode=root --architectures=arm64 "${APT_OPTIONS[@]}" "${excluded[@]}" --include="$list" \
    trixie "$WORK/unpacked" "${SOURCES[@]:0:2}" >"$WORK/root.log" 2>&1 || { tail -n 20 "$WORK/root.log" >&2; die 'the root could not be unpacked'; }
  printf '%s\n' "$wanted" >"$stamp"
}

# make_root BINARY: the tree as the device has it.
make_root() {
  said 'the root: settings, users, units'
  rm -rf --one-file-system "$ROOT"
  cp -a "$WORK/unpacked" "$ROOT"
  local path
  for path in "${ROOT_EXCLUDED[@]}"; do (cd "$ROOT" && eval "rm -rf .$path"); done
  rm -rf "$ROOT"/var/lib/{apt,dpkg} "$ROOT"/var/cache/* "$ROOT"/usr/share/doc "$ROOT"/boot/* "$ROOT"/usr/lib/systemd/boot
  install -D -m 755 "$1" "$ROOT/usr/bin/chevet"
  # Whoever checked the repository out, and with whatever umask.
  tar --owner=0 --group=0 --mode='u=rwX,go=rX' -C scripts/image.d/root -cf - . | tar -C "$ROOT" -xpf -
  # What base-passwd, the units' sysusers and udev's hardware database would have been made into.
  cp "$ROOT"/usr/share/base-passwd/passwd.master "$ROOT/etc/passwd"
  cp "$ROOT"/usr/share/base-passwd/group.master "$ROOT/etc/group"
  : >"$ROOT/etc/machine-id"
  in_builder systemd-sysusers --root=/work/root
  in_builder systemd-hwdb --root=/work/root update --usr
  in_builder systemctl --root=/work/root --quiet preset-all
  in_builder systemctl --root=/work/root --quiet mask "${ROOT_MASKED[@]}"
  # What the kiosk's unit leaves open, on systemd's scale of 0 to 10: at most 2.0.
  in_builder systemd-analyze security --offline=yes --threshold=20 --no-pager --root=/work/root chevet.service >"$WORK/exposure.log" ||
    die "the kiosk's unit leaves more open than it may: $(tail -n 1 "$WORK/exposure.log")"
  # Nobody logs in: there is no password, and no shell to start.
  sed -i 's/^root:[^:]*:/root:!*:/' "$ROOT/etc/shadow"
}
