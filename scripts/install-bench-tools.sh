#!/bin/bash
# Installs what `make bench-proxy` compares with and drives load with: HAProxy and sysbench.
# No service of them is left running. Uses no network when they are there.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/apt.sh"

missing=()
has haproxy || missing+=(haproxy)
has sysbench || missing+=(sysbench)
[ ${#missing[@]} -gt 0 ] || exit 0
one_at_a_time
apt_install "${missing[@]}"
# The package brings a service. Where there was none before, none shall stay.
if [[ " ${missing[*]} " == *" haproxy "* ]] && [ -d /run/systemd/system ]; then
  as_root systemctl disable --quiet --now haproxy || say "the service haproxy could not be stopped"
fi
for tool in "${missing[@]}"; do
  has "$tool" || die "the packages were installed, but there is no $tool"
done
