#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what the tests need, builds, and runs all of them.
#   ./test.sh            a release build with warnings as errors, every test
#   ./test.sh PRESET     the same under another preset of CMakePresets.json: asan, tsan, dev
set -euo pipefail
cd "$(dirname "$0")"
. .ci/packages.sh

preset="${1-test}"
case "$preset" in
  test | asan | tsan | dev) ;;
  -h | --help) sed -n '3,5s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) sed -n '3,5s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac

# shellcheck disable=SC2086
install_packages $TEST_PACKAGES
install_node
mkdir -p build
say "configuring and building (build/$preset)"
log="build/$preset.log"
cmake --preset "$preset" -Wno-dev >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
cmake --build --preset "$preset" >&2
say "installing the clients that the end-to-end tests use"
(cd tests/end_to_end && npm install --silent --no-audit --no-fund --no-package-lock)
say "running the tests"
ctest --preset "$preset" -j 2
