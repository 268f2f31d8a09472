# The program for arm64, by Debian's cross compiler. Sourced.

BINARY=$WORK/cargo-target/aarch64-unknown-linux-gnu/release/chevet

clean_binary() {
  in_builder env CARGO_TARGET_DIR=/work/cargo-target bash -c 'cd /chevet && cargo clean --quiet --release --target aarch64-unknown-linux-gnu -p chevet -p chevet-ui'
}

make_binary() {
  said 'the program'
  in_builder env CARGO_TARGET_DIR=/work/cargo-target \
    CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
    CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc CXX_aarch64_unknown_linux_gnu=aarch64-linux-gnu-g++ AR_aarch64_unknown_linux_gnu=aarch64-linux-gnu-ar \
    PKG_CONFIG_ALLOW_CROSS=1 PKG_CONFIG_PATH= PKG_CONFIG_LIBDIR=/usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig \
    CARGO_TERM_COLOR=never \
    bash -c 'cd /chevet && cargo build --quiet --locked --release --no-default-features --features appliance --target aarch64-unknown-linux-gnu --bin chevet'
}
