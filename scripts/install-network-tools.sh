#!/bin/bash
# Installs what the tests of balancing and of names need: nft, ip and dig. Uses no network when
# they are there.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/apt.sh"

missing=()
has nft || missing+=(nftables)
has ip || missing+=(iproute2)
has dig || missing+=(bind9-dnsutils)
[ ${#missing[@]} -gt 0 ] || exit 0
one_at_a_time
apt_install "${missing[@]}"
