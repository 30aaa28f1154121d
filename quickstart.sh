#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From a bare Debian 12 to a local model that answers.
#   ./quickstart.sh                  install, build, serve configs/quickstart.yaml on 127.0.0.1:8080
#   ./quickstart.sh --once "TEXT"    install, build, print one answer and exit
set -euo pipefail
cd "$(dirname "$0")"
. .ci/packages.sh

usage() { sed -n '3,5s/^# \{0,1\}//p' "$0"; }
once=""
case "${1-}" in
  "") ;;
  --once)
    once="${2-}"
    [ -n "$once" ] && [ $# -eq 2 ] || { usage >&2; exit 2; }
    ;;
  -h | --help) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
esac

# shellcheck disable=SC2086
install_packages $BUILD_PACKAGES
mkdir -p build
say "building a release (build/release)"
cmake --preset release -Wno-dev >build/release.log 2>&1 || { cat build/release.log >&2; exit 1; }
cmake --build --preset release >&2
backplane=build/release/bin/backplane

if [ -n "$once" ]; then
  # A free port, so that a server that is already up does not matter.
  file="configs/.once.$$.yaml"
  trap 'rm -f "$file"' EXIT
  sed 's/127\.0\.0\.1:8080/127.0.0.1:0/' configs/quickstart.yaml >"$file"
  "$backplane" chat --serve "$file" --once "$once"
  exit 0
fi

say "serving configs/quickstart.yaml; Ctrl-C ends. In another terminal, try:"
cat >&2 <<'END'
  curl -N http://127.0.0.1:8080/v1/chat/completions -H 'content-type: application/json' -d '
    {"model": "tiny-chat", "stream": true,
     "messages": [{"role": "user", "content": "Tell me a story about a fox"}]}'
or
  build/release/bin/backplane chat
END
exec "$backplane" serve configs/quickstart.yaml
