# The trixie chroot that everything is made in: a cross compiler, and what writes file systems and disks. Sourced.

BUILDER_PACKAGES=(
  # Rust for arm64, by Debian's own cross packages.
  rustc/trixie-backports cargo/trixie-backports libstd-rust-dev/trixie-backports libstd-rust-dev:arm64/trixie-backports
  gcc g++ make cmake perl pkg-config libc6-dev gcc-aarch64-linux-gnu g++-aarch64-linux-gnu libc6-dev:arm64
  libpcsclite-dev:arm64 libfontconfig-dev:arm64 libxkbcommon-dev:arm64 libinput-dev:arm64 libudev-dev:arm64
  # File systems, boot, update.
  squashfs-tools cryptsetup-bin mtools dosfstools e2fsprogs gdisk cpio zstd xz-utils kmod fdisk
  u-boot-tools u-boot-qemu rauc openssl libubootenv-tool systemd systemd-repart udev binutils
  # A board to try it on.
  qemu-system-arm qemu-utils ipxe-qemu
  # Who reads what its screen shows.
  python3 python3-pil tesseract-ocr tesseract-ocr-fra
)

make_builder() {
  local wanted stamp=$BUILDER/packages
  wanted=$(printf '%s\n' "${SOURCES[@]}" "${BUILDER_PACKAGES[@]}")
  if [ -e "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then return 0; fi
  said 'the builder: trixie, its cross compiler and its tools'
  rm -rf --one-file-system "$BUILDER"
  mkdir -p "$WORK"
  local list
  list=$(IFS=,; echo "ca-certificates,${BUILDER_PACKAGES[*]}")
  mmdebstrap --quiet --variant=apt --mode=root --architectures=amd64,arm64 "${APT_OPTIONS[@]}" --include="$list" \
    trixie "$BUILDER" "${SOURCES[@]}" >"$WORK/builder.log" 2>&1 || { tail -n 20 "$WORK/builder.log" >&2; die 'the builder could not be made'; }
  cp /etc/resolv.conf "$BUILDER/etc/resolv.conf"
  # Crates come through the authorities that this machine trusts.
  cp /etc/ssl/certs/ca-certificates.crt "$BUILDER/etc/ssl/certs/ca-certificates.crt"
  in_builder apt-get -qq -o Acquire::Check-Valid-Until=false update >"$WORK/builder.log" 2>&1 || die "the builder's package lists could not be read"
  printf '%s\n' "$wanted" >"$stamp"
}
