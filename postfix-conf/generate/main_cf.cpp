// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/generate/main_cf.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "common/base/text.h"

namespace mxfeed {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

// Postfix's own default; RFC 5321, 4.5.4.1: give up after at least four to five days.
constexpr seconds kLeastLifetime = hours(120);
// The default of mailbox_size_limit and virtual_mailbox_limit: delivery agents refuse to
// run if message_size_limit is above it.
constexpr std::uint64_t kMailboxLimit = 51'200'000;

// Parameters that other mail of the same Postfix may depend on: only replaced on demand.
constexpr std::string_view kOthers[] = {"relay_domains", "relay_recipient_maps",
                                        "transport_maps", "smtpd_milters",
                                        "smtpd_discard_ehlo_keywords"};

// The text in single quotes, for a shell.
std::string shell_quoted(std::string_view text) {
  std::string all = "'";
  for (const char c : text) {
    if (c == '\'') {
      all += "'\\''";
    } else {
      all += c;
    }
  }
  return all + "'";
}

std::string without_blanks(std::string text) {
  std::erase(text, ' ');
  return text;
}

// The part of the script that finds what Attachment (attachment.h) reports as bypassing
// the filters.
std::string bypass_checks(const Generated& generated) {
  const auto ours = [&](std::string_view wanted) {
    for (const auto& [name, value] : generated.main_cf) {
      if (name == wanted) return shell_quoted(without_blanks(value));
    }
    return shell_quoted("");
  };
  return fmt::format(
      R"(main=$(postconf -c "$directory" -x smtpd_milter_maps receive_override_options)
services=$(postconf -c "$directory" -x -P)
while read -r name equals value; do
  case $name in
    smtp/inet/* | 25/inet/* | *:smtp/inet/* | *:25/inet/* | */pass/*)
      place="$directory/master.cf: ${{name%/*}}: -o ${{name##*/}}=$value" ;;
    */*) continue ;;
    *) place="$directory/main.cf: $name=$value" ;;
  esac
  case $(printf '%s' "${{name##*/}}=$value" | tr -d ' ') in
    smtpd_milters=*{0}* | smtpd_relay_restrictions={1} | smtpd_milter_maps=) ;;
    smtpd_milters=* | receive_override_options=*no_milters*)
      bypass "$place" "mail bypasses the filters" ;;
    smtpd_milter_maps=*)
      bypass "$place" "clients that it names bypass the filters" ;;
    smtpd_relay_restrictions=*)
      bypass "$place" "relaying is not restricted as generated" ;;
  esac
done <<END
$main
$services
END
)",
      ours("smtpd_milters"), ours("smtpd_relay_restrictions"));
}

}  // namespace

std::vector<std::pair<std::string, std::string>> main_cf_parameters(
    const std::string& state, seconds longest_lifetime, std::uint64_t largest_message,
    bool smtputf8, const HostConfig* local) {
  const std::string maps = fmt::format("cdb:{}/current-postfix/", state);
  std::vector<std::pair<std::string, std::string>> all = {
      // Which domains are accepted, and where their mail goes.  Mail of a domain without
      // a route waits.
      {"relay_domains", maps + "relay_domains"},
      {"relay_recipient_maps", ""},
      {"transport_maps", maps + "transport"},
      {"relay_transport", "retry:4.3.5 no route configured for this domain"},
      {"parent_domain_matches_subdomains",
       "debug_peer_list, fast_flush_domains, mynetworks, permit_mx_backup_networks, "
       "qmqpd_authorized_clients, smtpd_access_maps"},
      {"smtpd_relay_restrictions",
       "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination"},
      {"smtp_fallback_relay", ""},
      // The queue.
      {"enable_long_queue_ids", "yes"},
      {"maximal_queue_lifetime",
       format_duration(std::max(longest_lifetime, kLeastLifetime))},
      {"bounce_queue_lifetime",
       format_duration(std::max(longest_lifetime, kLeastLifetime))},
      {"message_size_limit", std::to_string(largest_message)},
      // Clients.
      {"smtpd_forbid_bare_newline", "normalize"},
      {"smtpd_forbid_unauth_pipelining", "yes"},
      {"smtpd_etrn_restrictions", "reject"},
      // Mail accepted with SMTPUTF8 bounces at a server without it, so it is not offered.
      // smtputf8_enable stays on: "no" would bounce queued mail to U-labels.
      {"smtputf8_enable", "yes"},
      {"smtpd_discard_ehlo_keywords", smtputf8 ? "" : "silent-discard, smtputf8"},
      // A recipient of another content class gets 452, which Postfix counts as an error:
      // such a client must not be disconnected before DATA.
      {"smtpd_recipient_limit", "1000"},
      {"smtpd_soft_error_limit", "1100"},
      {"smtpd_hard_error_limit", "1200"},
      // The filters.  The sockets are named as a chrooted smtpd sees them.
      {"milter_protocol", "6"},
      {"milter_default_action", "tempfail"},
      {"smtpd_milters",
       "{ unix:mxfeed/greylist.sock, default_action=accept, connect_timeout=5s, "
       "command_timeout=10s, content_timeout=20s }, "
       "{ unix:mxfeed/virus.sock, default_action=tempfail, connect_timeout=10s, "
       "command_timeout=20s, content_timeout=300s }, "
       "{ unix:mxfeed/spam.sock, default_action=accept, connect_timeout=5s, "
       "command_timeout=10s, content_timeout=60s }"},
  };
  if (largest_message > kMailboxLimit) {
    all.emplace_back("mailbox_size_limit", "0");
    all.emplace_back("virtual_mailbox_limit", "0");
  }
  if (local == nullptr) return all;
  const auto bind = [&](const char* name, bool v4) {
    const auto found =
        std::find_if(local->addresses.begin(), local->addresses.end(),
                     [v4](const IpAddress& address) { return address.is_v4() == v4; });
    if (found != local->addresses.end()) all.emplace_back(name, found->str());
  };
  bind("smtp_bind_address", true);
  bind("smtp_bind_address6", false);
  return all;
}

std::vector<std::string> master_cf_services() {
  // Treats a customer's 5xx like a 4xx.
  return {
      "relaysoft unix - - y - - smtp -o syslog_name=postfix/$service_name "
      "-o soft_bounce=yes"};
}

std::string attach_script(const Generated& generated) {
  std::string text = R"(#!/bin/sh
# Written by mxfeed: makes a Postfix use this gateway's maps and filters.
# Usage: sh attach.sh [--replace] [CONFIG_DIRECTORY]
# Without --replace it changes nothing if other maps or filters are in place there, or if
# something lets mail bypass the filters, which --replace does not change either.  The old
# main.cf and master.cf are kept beside the new ones.
set -eu
replace=no
if [ "${1:-}" = --replace ]; then
  replace=yes
  shift
fi
directory=${1:-/etc/postfix}
conflicts=0
check() {
  had=$(postconf -c "$directory" -n "$1")
  case $had in
    "" | "$1 =" | "$1 = $2") ;;
    *)
      echo "in place: $had" >&2
      conflicts=$((conflicts + 1))
      ;;
  esac
}
bypasses=0
bypass() {
  echo "in place: $1: $2" >&2
  bypasses=$((bypasses + 1))
}
)";
  for (const auto& [name, value] : generated.main_cf) {
    if (std::find(std::begin(kOthers), std::end(kOthers), name) != std::end(kOthers)) {
      text += fmt::format("check {} {}\n", name, shell_quoted(value));
    }
  }
  text += bypass_checks(generated);
  text += R"(if [ $((conflicts + bypasses)) -gt 0 ] && [ "$replace" = no ]; then
  echo "attach.sh: $directory/main.cf: nothing was changed, since other mail may depend" \
    "on these settings. To replace them: sh $0 --replace $directory" >&2
  [ "$bypasses" -eq 0 ] || echo "attach.sh: settings that bypass the filters or the relay" \
    "restrictions are not replaced: remove them first" >&2
  exit 1
fi
for file in main.cf master.cf; do
  [ -e "$directory/$file.before-mxfeed" ] ||
    cp -p "$directory/$file" "$directory/$file.before-mxfeed"
done
postconf -c "$directory" -e)";
  for (const auto& [name, value] : generated.main_cf) {
    text += " \\\n  " + shell_quoted(fmt::format("{} = {}", name, value));
  }
  text += "\n";
  for (const auto& line : generated.master_cf) {
    const auto name = line.substr(0, line.find(' '));
    text += fmt::format("postconf -c \"$directory\" -M -e {}\n",
                        shell_quoted(fmt::format("{}/unix={}", name, line)));
  }
  text += "postfix -c \"$directory\" reload\n";
  return text;
}

}  // namespace mxfeed
