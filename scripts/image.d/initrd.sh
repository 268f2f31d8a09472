# The initrd: busybox, veritysetup, and the modules that the root needs. Sourced.

make_initrd() {
  local tree=$WORK/initrd-$BOARD libraries=usr/lib/aarch64-linux-gnu file
  said 'the initrd'
  rm -rf "$tree"
  mkdir -p "$tree"/{bin,sbin,proc,sys,dev,new,run,modules,lib,"$libraries"}
  if [ ! -e "$WORK/busybox" ]; then
    in_builder bash -c 'mkdir -p /work/bb && cd /work/bb && apt-get -qq -o APT::Sandbox::User=root download busybox-static:arm64 && dpkg-deb -x busybox-static*.deb . && cp usr/bin/busybox /work/busybox && rm -rf /work/bb' >/dev/null
  fi
  cp "$WORK/busybox" "$tree/bin/busybox"
  cp "$WORK/unpacked/usr/sbin/veritysetup" "$tree/sbin/"
  with_libraries "$tree/sbin/veritysetup" "$tree/$libraries"
  cp -L "$WORK/unpacked/usr/lib/ld-linux-aarch64.so.1" "$tree/lib/"
  module_files "${INITRD_MODULES[@]}" >"$WORK/initrd-modules"
  while read -r file; do
    in_builder bash -c "case $file in *.xz) xz -dc $file ;; *.zst) zstd -qdc $file ;; *) cat $file ;; esac" >"$tree/modules/$(basename "${file%%.ko*}").ko"
    echo "$(basename "${file%%.ko*}").ko" >>"$tree/modules/order"
  done <"$WORK/initrd-modules"
  install -m 755 scripts/image.d/initrd/init "$tree/init"
  find "$tree" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
  in_builder bash -c "cd /work/initrd-$BOARD && find . | sort | cpio --quiet --reproducible -o -H newc -R 0:0 | zstd -q -19 -f -o /work/initrd-$BOARD.zst"
}

# with_libraries PROGRAM FOLDER: copies all that the program loads, and what that loads.
with_libraries() {
  local name source
  for name in $(in_builder readelf -d "/work/${1#"$WORK"/}" 2>/dev/null | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
    [ -e "$2/$name" ] && continue
    source=$(find "$WORK/unpacked/usr/lib" -name "$name" | head -n 1)
    [ -n "$source" ] || die "the initrd needs $name, and the root has none"
    cp -L "$source" "$2/$name"
    with_libraries "$2/$name" "$2"
  done
}
