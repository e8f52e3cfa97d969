# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034
#
# The list of the Debian packages with which mxfeed is built, run and tested, and functions
# that install them.  Sourced by bash scripts with `set -eu`.
#
# An entry "package/command" is not installed if the command exists already.

build_packages=(g++ cmake ninja-build pkg-config ccache libmilter-dev libclamav-dev
  libfmt-dev catch2 libtomlplusplus-dev libsqlite3-dev libidn2-dev
  libsodium-dev libc-ares-dev libssl-dev libcurl4-openssl-dev libhiredis-dev
  libicu-dev nlohmann-json3-dev libpsl-dev libseccomp-dev publicsuffix zlib1g-dev libarchive-dev libbz2-dev liblzma-dev
  libzstd-dev libyaml-cpp-dev)
gateway_packages=(postfix postfix-cdb)
tool_packages=(python3/python3 procps util-linux)
test_packages=(npm/npm ca-certificates clang-format clamav-testfiles iproute2 openssl/openssl
  dovecot-core dovecot-lmtpd dovecot-pop3d dovecot-imapd opendkim redis-server strace gnupg/gpg lzip jq
  # What makes and opens the mails of tests/evasions.
  mpack ripmime uudeview zip unzip p7zip-full libarchive-tools cpio zstd lz4 xz-utils bzip2
  binutils qpdf rspamd spamd)
# Servers that the tests start by themselves.  Their packages would start a resolver or
# replace the mail system, so they are only unpacked; their libraries are installed.
# Nor is clamscan's, which would fetch signatures.
aside_packages=(unbound exim4-daemon-light postgrey db5.3-util clamav)
# What benches compare with; unpacked in the same way, by the bench itself.
bench_packages=(postgrey clamav-daemon clamav-milter)

# Prints those of the packages that are missing, one on each line.
missing_packages() {
  local entry
  for entry; do
    if [[ $entry == */* ]] && command -v "${entry#*/}" >/dev/null; then continue; fi
    dpkg-query -W -f '${Status}' "${entry%%/*}" 2>/dev/null | grep -q ' installed$' ||
      printf '%s\n' "${entry%%/*}"
  done
}

# Gets apt's package lists if it has none, as on a fresh machine.
update_lists() {
  apt-cache show "$1" >/dev/null 2>&1 || apt-get -q update >&2
}

# Installs what is missing.  Needs root.  Starts no service and removes no package, so a
# mail system that the host has stays; an existing Postfix is left as it is.
install_packages() {
  local missing policy=
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  printf 'installing: %s\n' "${missing[*]}" >&2
  update_lists "${missing[-1]}"
  # invoke-rc.d asks this file whether to start a service; while we install it says no.
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    policy=/usr/sbin/policy-rc.d
    # shellcheck disable=SC2064
    trap "rm -f $policy" EXIT INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  case " ${missing[*]} " in
    *" postfix "*)
      [ -x /usr/bin/debconf-set-selections ] &&
        echo 'postfix postfix/main_mailer_type select No configuration' |
        debconf-set-selections
      ;;
  esac
  DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends --no-remove \
    -o Dpkg::Use-Pty=0 install "${missing[@]}" >&2
  if [ -n "$policy" ]; then
    rm -f "$policy"
    trap - EXIT INT TERM
  fi
}

# Unpacks each package into a folder of its name in the directory, unless it is there
# already, and installs the libraries that it depends on.  Needs root.
unpack_aside() {
  local directory package work libraries
  mkdir -p "$1"
  directory=$(cd "$1" && pwd)
  shift
  for package; do
    [ -d "$directory/$package" ] && continue
    update_lists "$package"
    mapfile -t libraries < <(apt-cache depends -i "$package" | sed -n 's/^ *Depends: \(lib.*\)/\1/p')
    install_packages "${libraries[@]}"
    work=$(mktemp -d "$directory/unpack.XXXXXX")
    (cd "$work" && apt-get -q -o APT::Sandbox::User=root download "$package" >&2 &&
      dpkg-deb -x ./*.deb "$work/root")
    chmod 755 "$work/root"
    mv "$work/root" "$directory/$package"
    rm -rf "$work"
  done
}
