#!/bin/bash
# Installs what `make lvs` needs to make a small initial ramdisk. qemu, busybox and the kernel are
# fetched by testing/vm/build.sh, and not installed. Uses no network when they are there.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/apt.sh"

missing=()
has depmod || missing+=(kmod)
has cpio || missing+=(cpio)
has ip || missing+=(iproute2)
[ ${#missing[@]} -gt 0 ] || exit 0
one_at_a_time
apt_install "${missing[@]}"
