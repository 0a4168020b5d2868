#!/bin/bash
# AWS, across zones: a route to an address outside of the VPC's networks leads to a server, which
# has the address on lo. Its network interface must not check sources and destinations.
# AWS_ROUTE_TABLES holds the route tables. Needs the right ec2:ReplaceRoute; the routes must exist.
set -euo pipefail
interface=$(awk -v server="$MAINSTAY_SERVER" '$1 == server { print $2 }' /etc/mainstay/aws-interfaces)
for table in ${AWS_ROUTE_TABLES:?}; do
  aws ec2 replace-route --route-table-id "$table" \
    --destination-cidr-block "$MAINSTAY_ADDRESS/32" \
    --network-interface-id "${interface:?no interface of $MAINSTAY_SERVER}"
done
