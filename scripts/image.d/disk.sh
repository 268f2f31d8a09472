# The root's image with its hash tree, the boot partition, and the disk of both slots. Sourced.

# Sizes in MiB: bootctl, boot A and B, root A and B, data.
SIZES=(32 64 64 192 192 256)
NAMES=(bootctl boot_a boot_b root_a root_b data)

# make_slot OUT: OUT/root.img, its hash and OUT/boot.img.
make_slot() {
  local out=$1 size hash
  said 'the root image and its hash tree'
  rm -rf "$out"
  mkdir -p "$out"
  in_builder mksquashfs /work/root "/work/${out#"$WORK"/}/root.img" -comp zstd -Xcompression-level "${CHEVET_SQUASH_LEVEL:-15}" -b 256K \
    -noappend -quiet -no-progress
  size=$(stat -c %s "$out/root.img")
  size=$(((size + 4095) / 4096 * 4096))
  truncate -s "$size" "$out/root.img"
  hash=$(in_builder veritysetup format "/work/${out#"$WORK"/}/root.img" "/work/${out#"$WORK"/}/root.img" --hash-offset="$size" --salt=- \
    --uuid=00000000-0000-4000-8000-000000000000 | sed -n 's/^Root hash:[[:space:]]*//p')
  [ "${#hash}" = 64 ] || die 'the hash tree has no root'
  echo "$hash" >"$out/version"
  echo "cmdline=console=tty0 console=$CONSOLE panic=5 quiet vt.global_cursor_default=0 systemd.show_status=0 chevet.root=$hash chevet.tree=$size" >"$out/cmdline.txt"
  truncate -s "${SIZES[1]}M" "$out/boot.img"
  in_builder bash -c "cd /work/${out#"$WORK"/} && mkfs.vfat --invariant -i 00000002 -n BOOT boot.img >/dev/null && touch -d @$SOURCE_DATE_EPOCH /work/initrd-$BOARD.zst cmdline.txt && mcopy -m -i boot.img /work/kernel-$BOARD/boot/vmlinuz-$KERNEL_VERSION ::Image && mcopy -m -i boot.img /work/initrd-$BOARD.zst ::initrd && mcopy -m -i boot.img cmdline.txt ::cmdline.txt"
}

# make_disk SLOT OUT: a disk that starts that slot as A; B is empty.
make_disk() {
  local slot=$1 out=$2 at=0 total=2 arguments=() size
  said 'the disk'
  for size in "${SIZES[@]}"; do total=$((total + size)); done
  rm -f "$out"
  truncate -s "$((total + 1))M" "$out"
  for at in "${!SIZES[@]}"; do
    arguments+=("-n$((at + 1)):0:+${SIZES[at]}M" "-c$((at + 1)):${NAMES[at]}")
  done
  arguments+=(-t1:ef00)
  in_builder sgdisk --clear "${arguments[@]}" "/work/${out#"$WORK"/}" >/dev/null
  sed "s/@DEVTYPE@/${BOOT_DEVICE% *}/; s/@DEVNUM@/${BOOT_DEVICE#* }/" scripts/image.d/boot/boot.cmd >"$WORK/boot.cmd"
  truncate -s "${SIZES[0]}M" "$WORK/bootctl.img.new"
  in_builder bash -c 'cd /work && mkimage -A arm64 -T script -C none -n chevet -d boot.cmd boot.scr >/dev/null && mkfs.vfat -i 00000001 -n BOOTCTL bootctl.img.new >/dev/null && mcopy -i bootctl.img.new boot.scr ::boot.scr'
  mv "$WORK/bootctl.img.new" "$WORK/bootctl.img"
  put "$WORK/bootctl.img" 1 "$out"
  put "$slot/boot.img" 2 "$out"
  put "$slot/root.img" 4 "$out"
}

# put FILE PARTITION DISK
put() {
  local start
  start=$(in_builder sgdisk -i "$2" "/work/${3#"$WORK"/}" | sed -n 's/^First sector: \([0-9]*\).*/\1/p')
  dd if="$1" of="$3" bs=1M seek="$((start * 512))" oflag=seek_bytes conv=notrunc,sparse status=none
}
