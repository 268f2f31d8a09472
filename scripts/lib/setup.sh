# Shared by scripts/*: what a bare Debian machine needs. Sourced, never run.
# Says nothing when there is nothing to do; says what it installs; names what it could not.

set -euo pipefail

die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 3
}

# Runs as root: already, or by sudo.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null 2>&1; then
    sudo "$@"
  else
    die "this needs root or sudo: $*"
  fi
}

# need_packages NAME...: installs the Debian packages that are not there.
need_packages() {
  local missing=() name
  for name in "$@"; do
    dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q '^install ok installed' || missing+=("$name")
  done
  [ "${#missing[@]}" -eq 0 ] && return 0
  command -v apt-get >/dev/null 2>&1 || die "this is not Debian; install by hand: ${missing[*]}"
  printf 'installing: %s\n' "${missing[*]}"
  local log
  log=$(mktemp)
  if ! { as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    rm -f "$log"
    die "these packages could not be installed: ${missing[*]}"
  fi
  rm -f "$log"
}

cargo_is_new_enough() {
  local version
  command -v cargo >/dev/null 2>&1 || return 1
  version=$(cargo --version 2>/dev/null | sed -n 's/^cargo \([0-9]*\.[0-9]*\).*/\1/p')
  [ -n "$version" ] && [ "$(printf '%s\n1.92\n' "$version" | sort -V | head -n 1)" = 1.92 ]
}

# An existing cargo of 1.92 or later; else rustup where it can be reached; on Debian 13 rustc from backports.
need_rust() {
  [ -d "$HOME/.cargo/bin" ] && PATH="$HOME/.cargo/bin:$PATH"
  [ -d /usr/lib/rust-1.92/bin ] && PATH="/usr/lib/rust-1.92/bin:$PATH"
  export PATH
  cargo_is_new_enough && return 0
  need_packages ca-certificates curl
  if ! command -v rustup >/dev/null 2>&1 && curl -fsSI --max-time 10 https://sh.rustup.rs >/dev/null 2>&1; then
    echo 'installing: Rust, by rustup'
    curl -fsSL --proto '=https' --tlsv1.2 https://sh.rustup.rs | sh -s -- -y -q --profile minimal -c clippy -c rustfmt >/dev/null 2>&1 || true
    export PATH="$HOME/.cargo/bin:$PATH"
    cargo_is_new_enough && return 0
  fi
  if command -v rustup >/dev/null 2>&1; then
    rustup toolchain install stable --profile minimal -c clippy -c rustfmt >/dev/null 2>&1 || true
    rustup default stable >/dev/null 2>&1 || true
    cargo_is_new_enough && return 0
  fi
  if grep -q '^VERSION_CODENAME=trixie' /etc/os-release; then
    echo 'installing: Rust, from trixie-backports'
    local list=/etc/apt/sources.list.d/chevet-backports.list
    [ -e "$list" ] || echo 'deb http://deb.debian.org/debian trixie-backports main' | as_root tee "$list" >/dev/null
    { as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq -t trixie-backports cargo rustc rust-clippy rustfmt; } >/dev/null 2>&1 || true
    cargo_is_new_enough && return 0
  fi
  die 'Rust 1.92 or later is needed, and neither rustup nor trixie-backports could be reached. Install it, then run this again.'
}

# To compile: a C compiler and the headers of PC/SC, fonts and keyboards.
BUILD_PACKAGES=(gcc g++ make cmake pkg-config libpcsclite-dev libfontconfig1-dev libxkbcommon-dev)
# To run the sandbox: the card service, its virtual reader, and what the window loads at run time.
SANDBOX_PACKAGES=(pcscd vsmartcard-vpcd util-linux mount perl-base fontconfig fonts-dejavu-core libxkbcommon-x11-0 libx11-xcb1 libxcursor1 libxi6 libxrandr2)
# The tests' witnesses.
TEST_PACKAGES=(espeak-ng opensc openssl xvfb gdb swtpm tpm2-tools libxml2-utils iproute2 nftables poppler-utils xmlsec1)
