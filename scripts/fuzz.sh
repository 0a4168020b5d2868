#!/bin/bash
# Fuzzes every target for some seconds, guided by coverage where libFuzzer can be built (it needs a
# C++ compiler, but no nightly toolchain), else by changes at random.
#
#   scripts/fuzz.sh [SECONDS] [TARGET...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=${1:-10}
shift || true
target_dir=${CARGO_TARGET_DIR:-target}/fuzz
targets=("$@")
if [ ${#targets[@]} = 0 ]; then
  for file in testing/fuzz/libfuzzer/fuzz_targets/*.rs; do
    targets+=("$(basename "$file" .rs)")
  done
fi

# What `cargo fuzz --sanitizer none` passes to the compiler.
flags="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4"
flags+=" -Cllvm-args=-sanitizer-coverage-inline-8bit-counters"
flags+=" -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares"
flags+=" --cfg fuzzing -Ccodegen-units=1"

# With --target, build scripts are not built with those flags.
host=$(rustc -vV | sed -n 's/^host: //p')
if ! command -v c++ >/dev/null \
  || ! RUSTFLAGS=$flags cargo build --quiet --release --target "$host" --target-dir "$target_dir" \
    --manifest-path testing/fuzz/libfuzzer/Cargo.toml; then
  echo "libFuzzer could not be built: inputs are changed at random, without coverage" >&2
  exec cargo run --release --quiet -p mainstay-fuzz -- --seconds "$seconds" "${targets[@]}"
fi

for target in "${targets[@]}"; do
  corpus=$target_dir/corpus/$target
  mkdir -p "$corpus"
  echo "$target: $seconds s"
  log=$(mktemp)
  # What is found goes to the corpus of the tests: they run it from then on.
  if ! "$target_dir/$host/release/$target" "$corpus" "testing/fuzz/corpus/$target" \
    -max_total_time="$seconds" -max_len=8192 -timeout=20 \
    -artifact_prefix="testing/fuzz/corpus/$target/" >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    echo "$target is broken; the input is in testing/fuzz/corpus/$target;" \
      "replay: cargo test -p mainstay-fuzz" >&2
    rm -f "$log"
    exit 1
  fi
  grep -E "DONE|stat::number" "$log" | tail -n 1 || true
  rm -f "$log"
done
