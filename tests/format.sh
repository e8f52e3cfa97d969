#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Checks that clang-format would change nothing.
set -eu
cd "$(dirname "$0")/.."
if ! command -v clang-format >/dev/null; then
  echo "skipped: clang-format is not installed" >&2
  [ "${MXFEED_NO_SKIP:-0}" = 0 ] && exit 77
  exit 1
fi
find common milters postfix-conf tests \( -name '*.cpp' -o -name '*.h' \) -exec \
  clang-format --dry-run --Werror {} +
