#!/bin/bash
# Balancing by the kernel's IPVS, in a virtual machine: `make lvs`. MAINSTAY_BIN is the binary.
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
mainstay=$(readlink -f "$MAINSTAY_BIN")
server=$(readlink -f "$NAMED_SERVER_BIN")
work=${VM_DIR:-${TMPDIR:-/tmp}/mainstay-vm}
[ -e "$work/initrd.gz" ] || "$here/build.sh" "$work"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# No acceleration: a stock kernel does not start everywhere where there is a /dev/kvm.
qemu=(qemu-system-x86_64)
if [ -d "$work/qemu" ]; then
  libraries=$work/qemu/usr/lib/x86_64-linux-gnu:$work/qemu/lib/x86_64-linux-gnu
  qemu=(env "LD_LIBRARY_PATH=$libraries" "$work/qemu/usr/bin/qemu-system-x86_64"
    -L "$work/qemu/usr/share/qemu" -L "$work/qemu/usr/share/seabios")
fi
timeout 300 "${qemu[@]}" -accel tcg,thread=multi -M q35 -cpu qemu64 -m 512 -smp 1 \
  -nodefaults -no-user-config -no-reboot -display none -serial stdio \
  -kernel "$work/vmlinux" -initrd "$work/initrd.gz" \
  -append "console=ttyS0 quiet panic=-1 mitigations=off tsc=unstable random.trust_cpu=on \
script=$here/guest-lvs.sh arguments=$mainstay,$server" \
  -virtfs local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap \
  </dev/null 2>&1 | tee "$log"
grep -q 'LVS: all is well' "$log"
