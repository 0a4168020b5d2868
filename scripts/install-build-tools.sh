#!/bin/bash
# Makes sure that a C compiler is here: two of the libraries that Mainstay is built with need one.
# Uses no network when it is.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/apt.sh"

has cargo || die "there is no cargo; install Rust first"
if ! has cc; then
  one_at_a_time
  has cc || apt_install gcc libc6-dev
fi
