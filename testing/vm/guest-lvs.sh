#!/bin/bash
# In the virtual machine: a balancer, two real servers and a client, on hosts that are network
# namespaces; each scheduler and each way of forwarding. $1 is mainstay, $2 the server of the tests.
set -u
mainstay=$1
server=$2
failed=0
vip=10.77.1.100:3306
config=/tmp/mainstay.toml

check() {
  if [ "$2" = "$3" ]; then echo "ok: $1: $2"; else
    echo "FAILED: $1: \"$2\", expected \"$3\""
    failed=1
  fi
}

# A bridge on the balancer, which is the machine itself: IPVS sees what comes in by it.
ip link set lo up
ip link add br0 type bridge
ip link set br0 up
ip addr add 10.77.0.1/16 dev br0
ip addr add 10.77.1.100/32 dev br0
sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0 \
  net.ipv4.conf.br0.send_redirects=0 net.ipv4.vs.expire_nodest_conn=1
host() {
  ip netns add "$1"
  ip link add "p-$1" type veth peer name eth0 netns "$1"
  ip link set "p-$1" master br0 up
  ip -n "$1" link set lo up
  ip -n "$1" addr add "$2/16" dev eth0
  ip -n "$1" link set eth0 up
}
host cl 10.77.0.50
host r1 10.77.0.21
host r2 10.77.0.22
declare -A pids
serve() {
  ip netns exec "$1" "$server" serve "$1" 0.0.0.0:3306 &
  pids[$1]=$!
}
for name in r1 r2; do serve $name; done

# How many of $1 connections each server got: "r1=3 r2=3".
counts() {
  ip netns exec cl "$server" ask $vip "$1" | sort | uniq -c | awk '{ print $2 "=" $1 }' | xargs
}

balancer=
balance() { # options, weights
  cat >$config <<TOML
[balancer]
engine = "ipvs"
[[virtual_server]]
name = "mysql"
address = "$vip"
$1
[virtual_server.probe]
kind = "tcp"
interval = "200ms"
fall = 1
rise = 1
[[virtual_server.real_server]]
address = "10.77.0.21:3306"
weight = $2
[[virtual_server.real_server]]
address = "10.77.0.22:3306"
weight = $3
[api]
password = "secret"
TOML
  "$mainstay" serve --config $config &
  balancer=$!
  for _ in $(seq 300); do
    [ "$(grep -c '^  ->' /proc/net/ip_vs)" -ge 3 ] && return
    sleep 0.1
  done
  echo "FAILED: no services"
  failed=1
}
stop() {
  kill $balancer
  wait $balancer
  check "nothing is left of $1" "$(grep -c TCP /proc/net/ip_vs)" 0
}
# Waits until each of six connections is answered by $1.
only() {
  for _ in $(seq 100); do
    [ "$(counts 6)" = "$1=6" ] && break
    sleep 0.2
  done
  check "only $1 answers" "$(counts 6)" "$1=6"
}

# NAT: the way back leads through the balancer.
for name in r1 r2; do ip -n $name route add 10.77.0.50/32 via 10.77.0.1; done
for scheduler in rr lc wlc; do
  balance "scheduler = \"$scheduler\"" 1 1
  answers=$(counts 6)
  case $scheduler in
  rr) check "NAT $scheduler" "$answers" "r1=3 r2=3" ;;
  *) check "NAT $scheduler" "${answers//[0-9= r]/}${answers:+answered}" answered ;;
  esac
  grep -q " $scheduler " /proc/net/ip_vs
  check "the kernel schedules by $scheduler" $? 0
  stop $scheduler
done
balance 'scheduler = "wrr"' 3 1
check "NAT wrr" "$(counts 8)" "r1=6 r2=2"
kill "${pids[r1]}"
only r2
serve r1
for _ in $(seq 100); do [ "$(counts 8)" = "r1=6 r2=2" ] && break; done
check "r1 is back" "$(counts 8)" "r1=6 r2=2"
stop wrr
for scheduler in sh dh; do
  balance "scheduler = \"$scheduler\"" 1 1
  check "NAT $scheduler" "$(counts 6 | wc -w)" 1
  stop $scheduler
done
balance 'scheduler = "rr"
persistence = "60s"' 1 1
check "NAT with persistence" "$(counts 6 | wc -w)" 1
stop persistence
for name in r1 r2; do ip -n $name route del 10.77.0.50/32; done

# Direct routing and tunnels: the real servers have the address too, and keep silent about it.
for name in r1 r2; do
  ip netns exec $name sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2 \
    net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0
  ip -n $name link set tunl0 up
  ip netns exec $name sysctl -qw net.ipv4.conf.tunl0.rp_filter=0
  ip -n $name addr add 10.77.1.100/32 dev lo
done
for forwarding in dr tun; do
  balance "forwarding = \"$forwarding\"" 1 1
  check "$forwarding" "$(counts 6)" "r1=3 r2=3"
  stop $forwarding
done

[ $failed = 0 ] && echo "LVS: all is well"
exit $failed
