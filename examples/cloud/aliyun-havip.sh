#!/bin/bash
# Alibaba Cloud: a HaVip goes to the machine of a server. It needs no call where the machines speak
# VRRP with `peers`: the HaVip follows gratuitous ARP. ALIYUN_HAVIP is its id; each server's machine
# stands in /etc/mainstay/aliyun-machines, a line for each: db1 i-bp1234567890abcdefgh
set -euo pipefail
machine=$(awk -v server="$MAINSTAY_SERVER" '$1 == server { print $2 }' /etc/mainstay/aliyun-machines)
while read -r _ other; do
  [ "$other" = "$machine" ] ||
    aliyun vpc UnassociateHaVip --HaVipId "${ALIYUN_HAVIP:?}" --InstanceId "$other" || true
done </etc/mainstay/aliyun-machines
exec aliyun vpc AssociateHaVip --HaVipId "${ALIYUN_HAVIP:?}" \
  --InstanceId "${machine:?no machine of $MAINSTAY_SERVER}"
