#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Checks that clang-format 14, Debian 12's, would change nothing.
set -eu
cd "$(dirname "$0")/.."
if ! clang-format --version 2>/dev/null | grep -q 'version 14\.'; then
  echo "skipped: clang-format 14 is not installed; other versions format differently" >&2
  [ "${MXFEED_NO_SKIP:-0}" = 0 ] && exit 77
  exit 1
fi
find common milters postfix-conf tests \( -name '*.cpp' -o -name '*.h' \) -exec \
  clang-format --dry-run --Werror {} +
