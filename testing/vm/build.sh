#!/bin/bash
# Makes a virtual machine of Debian's own kernel, with the modules that balancing needs, in $1:
# `vmlinux` and `initrd.gz`. Everything else comes from the host's root, read-only.
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
work=$1
mkdir -p "$work/deb"

# Packages are fetched and unpacked, not installed: a machine keeps what it has.
fetch() {
  (cd "$work/deb" && apt-get -qq -o APT::Sandbox::User=root download "$@")
}
unpack() {
  for deb in "$work"/deb/"$1"_*.deb; do dpkg-deb -x "$deb" "$2"; done
}

package=$(apt-cache depends linux-image-amd64 | awk '/Depends: linux-image/ { print $2; exit }')
version=${package#linux-image-}
fetch "$package" busybox-static
rm -rf "$work/kernel" "$work/root" "$work/busybox"
unpack "$package" "$work/kernel"
unpack busybox-static "$work/busybox"
depmod -b "$work/kernel" "$version"

# qemu with the libraries that this machine lacks.
if ! command -v qemu-system-x86_64 >/dev/null; then
  apt-get -s install --no-install-recommends qemu-system-x86 |
    awk '$1 == "Inst" { print $2 }' >"$work/packages"
  xargs -a "$work/packages" bash -c 'cd "$0/deb" && apt-get -qq -o APT::Sandbox::User=root download "$@"' "$work"
  while read -r name; do unpack "$name" "$work/qemu"; done <"$work/packages"
fi

root=$work/root
mkdir -p "$root"/{bin,proc,sys,dev,host,overlay,new}
cp "$work/busybox/bin/busybox" "$root/bin/"
for name in sh mount mkdir modprobe insmod poweroff chroot cat; do
  ln -s busybox "$root/bin/$name"
done
modules=(virtio_pci 9p 9pnet_virtio overlay veth bridge ipip nf_conntrack ip_vs ip_vs_rr ip_vs_wrr
  ip_vs_lc ip_vs_wlc ip_vs_sh ip_vs_dh)
for module in "${modules[@]}"; do
  modprobe -d "$work/kernel" -S "$version" --show-depends "$module" |
    awk '$1 == "insmod" { print $2 }'
done | awk '!seen[$0]++' >"$work/order"
# In this order every module finds what it depends on.
while read -r file; do
  cp "$file" "$root/"
  echo "/${file##*/}"
done <"$work/order" >"$root/modules"
cp "$here/init" "$root/init"
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$work/initrd.gz"

# The kernel itself, unpacked: qemu boots it at once, and an emulated processor unpacks slowly.
python3 - "$work/kernel/boot/vmlinuz-$version" "$work/vmlinux" <<'PY'
import lzma, sys
packed = open(sys.argv[1], "rb").read()
start = packed.find(b"\xfd7zXZ\x00")
open(sys.argv[2], "wb").write(lzma.LZMADecompressor().decompress(packed[start:]))
PY
