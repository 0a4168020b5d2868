#!/bin/bash
# AWS, one zone: a secondary private address goes to the network interface of a server.
# Each server's interface stands in /etc/mainstay/aws-interfaces, a line for each: db1 eni-0123456789abcdef0
# Needs the right ec2:AssignPrivateIpAddresses. Running it twice does no harm.
set -euo pipefail
interface=$(awk -v server="$MAINSTAY_SERVER" '$1 == server { print $2 }' /etc/mainstay/aws-interfaces)
exec aws ec2 assign-private-ip-addresses --allow-reassignment \
  --network-interface-id "${interface:?no interface of $MAINSTAY_SERVER}" \
  --private-ip-addresses "$MAINSTAY_ADDRESS"
