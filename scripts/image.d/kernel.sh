# The kernel and those of its modules that a board needs. Sourced.

# fetch_kernel: unpacks it below $WORK/kernel-$BOARD; no maintainer script runs, so no initrd is made for nobody.
fetch_kernel() {
  local stamp=$WORK/kernel-$BOARD/version name
  if [ -e "$stamp" ]; then
    KERNEL_VERSION=$(cat "$stamp")
    return 0
  fi
  said "the kernel: $KERNEL_PACKAGE from $KERNEL_SUITE"
  rm -rf "$WORK/kernel-$BOARD"
  mkdir -p "$WORK/kernel-$BOARD"
  name=$(in_builder apt-cache -t "$KERNEL_SUITE" depends "$KERNEL_PACKAGE:arm64" | sed -n 's/^ *Depends: \(linux-image-[0-9][^:]*\).*/\1/p')
  [ -n "$name" ] || die "no kernel stands behind $KERNEL_PACKAGE"
  in_builder bash -c "cd /work/kernel-$BOARD && apt-get -qq -o APT::Sandbox::User=root -t $KERNEL_SUITE download $name:arm64 && dpkg-deb -x $name*.deb . && rm $name*.deb" >/dev/null
  KERNEL_VERSION=${name#linux-image-}
  in_builder depmod -b "/work/kernel-$BOARD/usr" "$KERNEL_VERSION"
  echo "$KERNEL_VERSION" >"$stamp"
}

# module_files MODULE...: the files of these modules and of all that they need, in the order in which they load; what is built in
# has none.
module_files() {
  local module
  for module in "$@"; do
    in_builder modprobe -d "/work/kernel-$BOARD/usr" -S "$KERNEL_VERSION" --show-depends "$module" 2>/dev/null || true
  done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

# put_modules: what the board needs, into the root.
put_modules() {
  local file
  said 'the root: modules'
  while read -r file; do
    install -D -m 644 "$WORK/kernel-$BOARD${file#"/work/kernel-$BOARD"}" "$ROOT/usr/lib/modules/$KERNEL_VERSION/${file#*"/$KERNEL_VERSION/"}"
  done < <(module_files "${INITRD_MODULES[@]}" "${ROOT_MODULES[@]}")
  cp "$WORK/kernel-$BOARD/usr/lib/modules/$KERNEL_VERSION"/modules.{builtin,builtin.modinfo,order} "$ROOT/usr/lib/modules/$KERNEL_VERSION/"
  in_builder depmod -b /work/root "$KERNEL_VERSION"
}
