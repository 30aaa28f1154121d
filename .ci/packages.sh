# SPDX-License-Identifier: Apache-2.0
# What building and testing need from Debian 12; sourced by the set-up scripts.

BUILD_PACKAGES="g++ cmake ninja-build ccache libboost1.81-dev libboost-filesystem1.81-dev
  libboost-json1.81-dev libyaml-cpp-dev libspdlog-dev libsimdjson-dev libssl-dev libnghttp2-dev
  zlib1g-dev libpcre2-dev libutf8proc-dev libcli11-dev libcurl4-openssl-dev prometheus-cpp-dev
  libhwy-dev libsecp256k1-dev libsodium-dev libsqlite3-dev libpq-dev
  ca-certificates"
TEST_PACKAGES="$BUILD_PACKAGES libgtest-dev libgmock-dev openssl curl python3 clang-format-14
  postgresql-15"
FUZZ_PACKAGES="$TEST_PACKAGES clang-14 libclang-rt-14-dev"

say() { printf '\033[1m==> %s\033[0m\n' "$*" >&2; }

# install_packages NAME...: those that are missing, by apt; sudo where needed.
install_packages() {
  local missing="" name as_root=""
  for name in "$@"; do
    dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q "ok installed" ||
      missing="$missing $name"
  done
  [ -z "$missing" ] && return 0
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
      say "these packages are missing and neither root nor sudo is at hand:$missing"
      return 1
    }
    as_root="sudo"
  fi
  say "installing$missing"
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2
  # shellcheck disable=SC2086
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    $missing >&2
}

# Node.js only where there is none: a newer one than Debian's may be in use.
install_node() {
  command -v node >/dev/null && command -v npm >/dev/null && return 0
  install_packages nodejs npm
}
