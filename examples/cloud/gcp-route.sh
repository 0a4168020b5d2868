#!/bin/bash
# Google Cloud: a route to the address leads to a virtual machine with the name of the server, which
# has the address on lo and may forward. GCP_NETWORK and GCP_ZONE say where.
set -euo pipefail
route=mainstay-${MAINSTAY_ADDRESS//./-}
gcloud --quiet compute routes delete "$route" 2>/dev/null || true
exec gcloud --quiet compute routes create "$route" --network="${GCP_NETWORK:?}" \
  --destination-range="$MAINSTAY_ADDRESS/32" --next-hop-instance="$MAINSTAY_SERVER" \
  --next-hop-instance-zone="${GCP_ZONE:?}"
