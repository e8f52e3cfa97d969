# SPDX-License-Identifier: GPL-2.0-or-later
# The configuration directories of the Postfix instances that use our maps or filters.
attached() {
  postmulti -l 2>/dev/null | while read -r _ _ _ directory; do
    if postconf -c "$directory" -n 2>/dev/null |
      grep -q -e /var/lib/mxfeed/ -e 'unix:mxfeed/'; then
      echo "$directory"
    fi
  done
}
refuse_if_attached() {
  for directory in $(attached); do
    echo "$1: refused, Postfix uses it: $directory/main.cf." >&2
    echo "First: mxfeed postfix detach --postfix-config $directory" >&2
    exit 1
  done
}
