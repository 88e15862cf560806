#!/usr/bin/env bash
# check.sh PREFIX WORK: is what was installed under PREFIX enough for an outside project, and does the library export
# nothing but graft? Builds in WORK. Stops at the first thing that is wrong.
set -euo pipefail
prefix=$1 work=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# Every exported name is graft's own: a function, a type's description, or a guard of a static.
library=$(find "$prefix" -name libgraft.so)
foreign=$(nm -DC --defined-only "$library" | cut -d ' ' -f 3- |
  grep -vE '^((typeinfo|typeinfo name|vtable|VTT|construction vtable|guard variable|TLS (init|wrapper) function) for )?graft::' |
  grep -vE '^(non-)?virtual thunk to graft::' |
  grep -vE '> graft::[a-z_:]+<.*>\(' || true)  # a template's name begins with what it returns
eigen=$(nm -DC --defined-only "$library" | grep Eigen || true)
if [ -n "$foreign$eigen" ]; then
  echo "install-check: libgraft.so exports names that are not graft's:" >&2
  { printf '%s\n%s\n' "$foreign" "$eigen"; } | sed '/^$/d' | sort -u | cut -c 1-120 | head -n 20 >&2
  exit 1
fi
[ "$(nm -DC --defined-only "$library" | grep -c 'typeinfo for graft::ShapeError')" = 1 ] ||
  { echo "install-check: libgraft.so does not export the type of graft::ShapeError" >&2; exit 1; }
echo "exports: $(nm -D --defined-only "$library" | wc -l) names, all of them graft's"

# The package must work from wherever it was moved to, and name no folder of the machine that built it.
mv "$prefix" "$prefix-moved"
prefix=$prefix-moved
quiet() { "$@" >"$work.log" 2>&1 || { cat "$work.log" >&2; echo "install-check: failed: $*" >&2; exit 1; }; }
quiet cmake -S "$here" -B "$work" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$prefix"
quiet cmake --build "$work"
"$work/plain"
(cd "$work" && ./lab)
(cd "$work" && ./fine_tune)
"$work/with_eigen"
"$prefix/bin/graft" --version
echo "install-check: passed"
