#!/bin/sh
# Makes sure that what sparsec builds on is there: Swift and some C libraries. Installs missing Debian
# packages when run by root; for anybody else it prints the one command to run. Silent if all is well.
set -eu

if ! command -v swift > /dev/null; then
  echo "setup: there is no swift on the search path; install Swift 6.3 from https://swift.org/install" >&2
  exit 1
fi

missing=
# need FILE PACKAGE: the package is missing unless the file is there.
need() {
  [ -e "$1" ] || missing="$missing $2"
}
need /usr/include/jpeglib.h libjpeg-dev
need /usr/include/png.h libpng-dev
need /usr/include/zlib.h zlib1g-dev
need /usr/include/lmdb.h liblmdb-dev
need /usr/include/leveldb/c.h libleveldb-dev
need /usr/include/hdf5/serial/hdf5.h libhdf5-dev
need /usr/include/cairo/cairo.h libcairo2-dev
need /usr/include/oneapi/dnnl/dnnl.h libdnnl-dev
need /usr/include/llvm-c/Core.h llvm-dev
need /usr/lib/x86_64-linux-gnu/libLLVM-14.so llvm-14-dev
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
  echo "setup: some libraries are missing; run: sudo apt-get install -y$missing" >&2
  exit 1
fi

echo "setup: installing$missing" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
# A fresh machine has no package lists yet; the word splitting of $missing is meant.
# shellcheck disable=SC2086
if ! { apt-get update && apt-get install -y --no-install-recommends $missing; } > "$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "setup: could not install$missing" >&2
  exit 1
fi
