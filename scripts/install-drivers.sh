#!/bin/bash
# Installs what the suites of testing/drivers need: packages of Python and Node below the target
# directory, drivers of other languages from this machine's own Debian; builds those of Rust and Go.
#
#   scripts/install-drivers.sh
#
# What is there already is left alone.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/apt.sh"

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
suites=$root/testing/drivers
home=$(mkdir -p "${CARGO_TARGET_DIR:-$root/target}/drivers" && cd "${CARGO_TARGET_DIR:-$root/target}/drivers" && pwd)

packages=()
has php || packages+=(php-cli)
php -m 2>/dev/null | grep -q pdo_mysql || packages+=(php-mysql)
perl -MDBD::mysql -e1 2>/dev/null || packages+=(libdbd-mysql-perl)
perl -MDBD::MariaDB -e1 2>/dev/null || packages+=(libdbd-mariadb-perl)
has go || packages+=(golang-go)
[ -d /usr/share/gocode/src/github.com/go-sql-driver/mysql ] \
  || packages+=(golang-github-go-sql-driver-mysql-dev)
has sysbench || packages+=(sysbench)
has node || packages+=(nodejs npm)
if [ ${#packages[@]} -gt 0 ]; then apt_install "${packages[@]}"; fi

# The plugin of MariaDB's servers that Debian packs with the service.
if [ ! -f "$home/mariadb-plugins/auth_ed25519.so" ]; then
  mkdir -p "$home/mariadb-plugins"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  (cd "$work" && apt-get -qq -o APT::Sandbox::User=root download mariadb-server \
    && dpkg-deb -x mariadb-server_*.deb tree)
  cp "$work/tree/usr/lib/mysql/plugin/auth_ed25519.so" "$home/mariadb-plugins/"
fi

if [ ! -x "$home/venv/bin/python" ]; then
  python3 -m venv "$home/venv"
fi
"$home/venv/bin/pip" install --quiet --disable-pip-version-check -r "$suites/python/requirements.txt"

if [ ! -d "$home/node/node_modules/mysql2" ]; then
  mkdir -p "$home/node"
  cp "$suites/node/package.json" "$home/node/"
  (cd "$home/node" && npm install --silent --no-audit --no-fund)
fi

(cd "$suites/go" && GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE="$home/go-cache" \
  go build -o "$home/go-suite" ./*.go)
cargo build --quiet --manifest-path "$suites/rust/Cargo.toml" --target-dir "$home/rust"
# The proxy of the servers that the sandbox does not run.
cargo build --quiet --manifest-path "$root/Cargo.toml" -p mainstay-proxy --example one_server
