# Sourced by the installers: messages, root, one at a time, and Debian's packages without questions.
# shellcheck shell=bash

# A user's PATH often lacks these.
PATH=$PATH:/usr/sbin:/sbin
umask 022

say() { printf '%s\n' "$*" >&2; }

die() {
  say "${0##*/}: $*"
  exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

# Root already, or by sudo: without a password, or with somebody there to type it.
can_be_root() {
  [ "$(id -u)" = 0 ] || { has sudo && { sudo -n true || : </dev/tty; }; } 2>/dev/null
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Two installations at once would trip over each other's files: the second waits.
one_at_a_time() {
  local folder=/run/lock
  [ "$(id -u)" = 0 ] || folder=${XDG_RUNTIME_DIR:-$HOME}
  exec 9>"$folder/mainstay-install.lock"
  flock 9
}

# Installs packages of this machine's own Debian. Removes none: a conflict is an error.
apt_install() {
  has apt-get || die "there is no apt-get here; install by hand: $*"
  can_be_root || die "root is needed to install $*; run this as root, or install sudo"
  say "installing $*"
  local log
  log=$(mktemp)
  # Without the update there may be no lists at all. It fails for any one source that does not
  # answer, which may be none of Debian's: whether the packages can be had, the install tells.
  as_root apt-get -qq -o Acquire::Retries=3 update </dev/null >"$log" 2>&1 || true
  if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y \
    --no-install-recommends --no-remove -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 "$@" \
    </dev/null >>"$log" 2>&1; then
    tail -n 15 "$log" >&2
    rm -f "$log"
    die "apt-get could not install: $*"
  fi
  rm -f "$log"
}
