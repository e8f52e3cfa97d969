#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Checks the order of the tree: who may include whom, where third-party headers belong,
# that no two types share a name, and that every source names its licence.  The tables must be true in both directions: a
# folder or file they name exists.
set -eu
cd "$(dirname "$0")/.."
bad=0
complain() { echo "$*" >&2; bad=1; }

# Each line: a folder, then what it may include besides itself and the standard library.  A
# folder stands for its own files, not for those of its sub-folders.
table="
common/base
common/mail common/base
common/mail/mime common/base common/mail
common/net common/base common/mail
common/store common/base
common/policy common/base common/mail
common/program common/base common/policy common/store
common/command common/base common/program
common/milter common/base common/mail common/policy common/program
milters/greylist common/base common/mail common/net common/policy common/program common/milter common/store milters/greylist/stores
milters/greylist/stores common/base common/store milters/greylist
milters/greylist/import common/base common/mail common/net common/policy common/store milters/greylist
milters/greylist/simulation common/base common/mail common/net common/policy milters/greylist milters/greylist/stores
milters/greylist/commands common/base common/command common/mail common/net common/policy common/program milters/greylist milters/greylist/import milters/greylist/simulation milters/greylist/stores
milters/virus common/base common/mail common/policy common/milter milters/virus/protocol
milters/virus/protocol common/base common/policy
milters/virus/commands common/base common/command common/policy milters/virus milters/virus/protocol
milters/virus/scan common/base common/mail common/mail/mime common/policy common/program milters/virus/protocol milters/virus/scan/attachments milters/virus/scan/formats
milters/virus/scan/attachments common/base common/policy milters/virus/protocol
milters/virus/scan/formats common/base common/mail/mime
milters/spam common/base common/mail common/mail/mime common/net common/policy common/milter milters/spam/engine milters/spam/evidence milters/spam/lists milters/spam/model
milters/spam/evidence common/base common/mail common/mail/mime
milters/spam/engine common/base common/mail common/net common/policy common/store milters/spam/evidence
milters/spam/lists common/base common/mail common/net common/policy common/store milters/spam/evidence
milters/spam/model common/base common/mail common/policy common/store milters/spam/evidence
milters/spam/commands common/base common/command common/mail common/mail/mime common/net common/policy common/program common/store milters/spam milters/spam/evidence milters/spam/lists milters/spam/model
postfix-conf postfix-conf/commands postfix-conf/quarantine common/base common/command common/store milters/greylist/commands milters/spam/commands milters/virus/commands
postfix-conf/config common/base common/mail common/policy postfix-conf/config/settings
postfix-conf/config/settings common/base common/mail common/policy common/store postfix-conf/config
postfix-conf/generate common/base common/mail common/policy postfix-conf/config
postfix-conf/postfix common/base common/mail postfix-conf/generate
postfix-conf/queue common/base common/mail common/net common/store postfix-conf/config postfix-conf/generate postfix-conf/postfix
postfix-conf/postfix/attach common/base postfix-conf/generate postfix-conf/postfix
postfix-conf/mailbox common/base common/mail common/net common/store postfix-conf/generate postfix-conf/postfix
postfix-conf/init common/base common/mail postfix-conf/postfix postfix-conf/postfix/attach
postfix-conf/verify common/base common/mail common/net common/policy postfix-conf/config
postfix-conf/quarantine common/base common/mail common/net common/policy common/program common/store
postfix-conf/recipients common/base common/mail common/net common/policy common/program common/store
postfix-conf/commands common/base common/command common/mail common/net common/policy common/program postfix-conf/config postfix-conf/generate postfix-conf/init postfix-conf/postfix postfix-conf/postfix/attach postfix-conf/mailbox postfix-conf/verify postfix-conf/quarantine postfix-conf/queue
"
for dir in $(find common milters postfix-conf \( -name '*.cpp' -o -name '*.h' \) -exec dirname {} + |
  sort -u); do
  printf '%s' "$table" | grep -q "^$dir\( \|\$\)" || complain "$dir is not in the table of $0"
done
while read -r dir may; do
  [ -n "$dir" ] || continue
  [ -d "$dir" ] || { complain "$dir does not exist"; continue; }
  found=$(grep -shoE '^ *# *include "[^"]+"' "$dir"/*.cpp "$dir"/*.h |
    sed 's/.*include "//; s/"$//' | sort -u) || true
  for file in $found; do
    case $file in
      */*) ;;
      *) complain "$dir: write the whole path of \"$file\""; continue ;;
    esac
    [ -f "$file" ] || complain "$dir includes $file, which does not exist"
    for allowed in $dir $may; do
      [ "${file%/*}" != "$allowed" ] || continue 2
    done
    complain "$dir must not include $file"
  done
done <<END
$table
END

# Each line: a third-party header and the one file that includes it; the do-nothing milter
# and the bare libraries of the bench are to have nothing of ours.
while read -r header file; do
  [ -f "$file" ] || complain "$file does not exist"
  hits=$(grep -rlE --include='*.cpp' --include='*.h' "^ *# *include <$header" \
    common milters postfix-conf tests | grep -vx -e "$file" -e tests/bench/raw_milter.cpp \
      -e tests/bench/bare_sqlite.cpp -e tests/bench/bare_clamav.cpp) || true
  for hit in $hits; do complain "<$header...> belongs in $file only, not in $hit"; done
done <<END
libmilter/ common/milter/libmilter.cpp
clamav.h milters/virus/scan/engine_clamav.cpp
sqlite3.h common/store/sqlite.cpp
hiredis/ common/store/redis_connection.cpp
toml++/ postfix-conf/config/toml.cpp
idn2.h common/mail/address.cpp
iconv.h common/mail/charset.cpp
sodium.h common/base/digest.cpp
sodium/ common/base/password.cpp
curl/ common/net/http.cpp
openssl/ common/net/tls_client.cpp
ares.h common/net/dns_channel.cpp
archive.h milters/virus/scan/formats/archive.cpp
archive_entry.h milters/virus/scan/formats/archive.cpp
zlib.h milters/virus/scan/formats/decompress.cpp
bzlib.h milters/virus/scan/formats/decompress.cpp
lzma.h milters/virus/scan/formats/decompress.cpp
zstd.h milters/virus/scan/formats/decompress.cpp
libpsl.h common/net/organisation.cpp
seccomp.h milters/virus/scan/sandbox.cpp
yaml-cpp/ tests/unit/net/spf_suite_test.cpp
END

# Tests include Catch2 by one header of ours; its main() is compiled once.
hits=$(grep -rlE '^ *# *include <catch2/|CATCH_CONFIG_MAIN' --include='*.cpp' --include='*.h' tests |
  grep -vx -e tests/support/catch.h -e tests/support/catch_main.cpp) || true
for hit in $hits; do complain "$hit: include tests/support/catch.h"; done

# A name in a namespace is that of one type: the compiler sees one of two, but the linker
# takes the functions of either for both, and they damage each other's objects.
twice=$(find common milters postfix-conf \( -name '*.h' -o -name '*.cpp' \) -exec awk '
  FNR == 1 { depth = 0 }
  /^(inline )?namespace.*\{$/ {
    name = $0
    sub(/^(inline )?namespace */, "", name)
    sub(/ *\{$/, "", name)
    spaces[++depth] = name == "" ? FILENAME : name
  }
  /^\} *\/\/ namespace/ { --depth }
  /^(struct|class|enum|enum class) [A-Za-z_0-9]+ *(final )?(:[^:]|\{)/ && !/[A-Za-z_0-9];$/ &&
    previous !~ /^template/ {
    line = $0
    sub(/^(struct|enum class|class|enum) /, "", line)
    sub(/[^A-Za-z_0-9].*/, "", line)
    full = ""
    for (i = 1; i <= depth; ++i) full = full spaces[i] "::"
    print full line, FILENAME
  }
  { previous = $0 }' {} + | sort -u | awk '$1 == last { print $1 " is in " file " and in " $2 } { last = $1; file = $2 }')
[ -z "$twice" ] || complain "two types of one name: $twice"

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
