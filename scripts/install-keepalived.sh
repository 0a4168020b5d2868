#!/bin/bash
# Installs what the tests of floating addresses need: keepalived, nft, and ip for namespaces.
# No service of it is left running. Uses no network when they are there.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/apt.sh"

missing=()
has keepalived || missing+=(keepalived)
has ip || missing+=(iproute2)
has nft || missing+=(nftables)
[ ${#missing[@]} -gt 0 ] || exit 0
one_at_a_time
apt_install "${missing[@]}"
# The package brings a service. Where there was none before, none shall stay.
if [[ " ${missing[*]} " == *" keepalived "* ]] && [ -d /run/systemd/system ]; then
  as_root systemctl disable --quiet --now keepalived \
    || say "the service keepalived could not be stopped"
fi
has keepalived || die "the package was installed, but there is no keepalived"
has ip || die "the package was installed, but there is no ip"
has nft || die "the package was installed, but there is no nft"
