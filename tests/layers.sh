#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Checks the order of the tree: who may include whom, where third-party headers belong,
# and that every source names its licence.  The tables must be true in both directions: a
# folder or file they name exists.
set -eu
cd "$(dirname "$0")/.."
bad=0
complain() { echo "$*" >&2; bad=1; }

# Each line: a folder, then what it may include besides itself and the standard library.
while read -r dir may; do
  [ -d "$dir" ] || { complain "$dir does not exist"; continue; }
  found=$(grep -rhoE --include='*.cpp' --include='*.h' '^ *# *include "[^"]+"' "$dir" |
    sed 's/.*include "//; s/"$//' | sort -u) || true
  for file in $found; do
    case $file in
      */*) ;;
      *) complain "$dir: write the whole path of \"$file\""; continue ;;
    esac
    [ -f "$file" ] || complain "$dir includes $file, which does not exist"
    for allowed in $dir $may; do
      case $file in "$allowed"/*) continue 2 ;; esac
    done
    complain "$dir must not include $file"
  done
done <<END
common/base
common/mail common/base
common/store common/base
common/policy common/base common/mail
common/milter common/base common/mail common/policy
milters/greylist common/base common/mail common/store common/policy common/milter
milters/virus common/base common/mail common/policy common/milter
milters/spam common/base common/mail common/store common/policy common/milter
postfix-conf common/base common/mail common/store common/policy
END

# Each line: a third-party header and the one file that includes it; the do-nothing milter
# of the bench is to have nothing of ours.
while read -r header file; do
  [ -f "$file" ] || complain "$file does not exist"
  hits=$(grep -rlE --include='*.cpp' --include='*.h' "^ *# *include <$header" \
    common milters postfix-conf tests | grep -vx -e "$file" -e tests/bench/raw_milter.cpp) || true
  for hit in $hits; do complain "<$header...> belongs in $file only, not in $hit"; done
done <<END
libmilter/ common/milter/libmilter.cpp
clamav.h milters/virus/scan/engine_clamav.cpp
sqlite3.h common/store/sqlite.cpp
cdb.h common/policy/constdb.cpp
toml++/ postfix-conf/config_toml.cpp
CLI/ postfix-conf/main.cpp
idn2.h common/mail/address.cpp
iconv.h common/mail/header.cpp
sodium.h common/base/digest.cpp
sodium.h common/base/digest.cpp
END

# Catch2's main is compiled once; every source folder is in the first table.
hits=$(grep -rl --include='*.cpp' 'CATCH_CONFIG_MAIN' tests | grep -vx tests/unit/main.cpp) || true
[ -z "$hits" ] || complain "CATCH_CONFIG_MAIN belongs in tests/unit/main.cpp only: $hits"

# The licence is named in the first three lines.
find common milters postfix-conf tests packaging .ci -type f |
  while read -r file; do
    case $file in
      *.cpp | *.h | *.py | *.sh) echo "$file" ;;
      *.*) ;;
      *) head -c 2 "$file" | grep -q '^#!' && echo "$file" ;;
    esac || true
  done >"${TMPDIR:-/tmp}/layers.$$"
trap 'rm -f "${TMPDIR:-/tmp}/layers.$$"' EXIT
while read -r file; do
  head -n 3 "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0-or-later$' ||
    complain "$file does not name its licence"
done <"${TMPDIR:-/tmp}/layers.$$"

exit $bad
