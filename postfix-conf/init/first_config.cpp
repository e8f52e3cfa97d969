// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/init/first_config.h"

#include <fmt/format.h>

#include <optional>
#include <string_view>

#include "common/base/text.h"
#include "common/base/toml_string.h"
#include "postfix-conf/postfix/attach/known_milters.h"
#include "postfix-conf/postfix/settings.h"

namespace mxfeed {
namespace {

constexpr std::string_view kExampleName = "mx1.isp.example";

constexpr std::string_view kTop =
    R"(# The gateways: mxfeed.toml, the same file on each of them.
# Every key is explained in mxfeed.toml(5).  After a change: mxfeed check, mxfeed apply.
# A line that begins with "#" and a key shows an example or the default.

# The gateways that the MX records of a feed point to, and the second MX record of a backup.
)";

constexpr std::string_view kNetworks = R"(
# Clients that are never greylisted, and on whose mail no spam action is taken, such as the
# other gateways or monitoring.  Default: none.
#trusted_networks = ["198.51.100.0/28"]

# Private networks in which a customer's server may be, reached over a private line.
# Default: none.
#allow_private = ["10.20.0.0/16"]

# This host.  Write a [[host]] for each other gateway too.  Postfix delivers from the first
# IPv4 and the first IPv6 address: customers must allow these on port 25 of their servers.
)";

constexpr std::string_view kNoAddress =
    R"(# No public address was found.  Behind NAT leave this out: Postfix then delivers from the
# address that the system chooses.
)";

constexpr std::string_view kFilters = R"(
# Defaults for all domains: most keys of [[domain]].
#[defaults]
#greylist = { when = "always", delay = "3m" }
#[defaults.virus]
#infected = "delete"
#[defaults.spam]
#enabled = true

[greylist]
# A retry is accepted from `delay` to `retry_window` after the first try.
#delay        = "3m"
#retry_window = "1d"
# How long a sender that has passed is remembered after its last mail.
#keep         = "36d"

[virus]
# Where freshclam(1) keeps the signatures.
#database      = "/var/lib/clamav"
# The number of scanning processes; 0 means one for each core.
#workers       = 0

[spam]
# The probability of spam at which each level begins.
#thresholds = { low = 0.5, med = 0.9, high = 0.99 }

[postfix]
)";

constexpr std::string_view kDedicated =
    R"(# This Postfix has no other use, so its global parameters are set too: the queue lifetime,
# the message size and what is refused.  Write false before you give it another use.
dedicated = true
)";

constexpr std::string_view kMilterLists = R"(
# The milters in smtpd_milters.  Those that verify come before the filters of mxfeed, those
# that sign or seal after them.  Check this, then remove the "#".
)";

constexpr std::string_view kDomains =
    R"(# Customers and their domains.  Each file in this directory has at most one customer and any
# number of domains.  Every key is explained in mxfeed.toml(5); a longer example is in
# /usr/share/doc/mxfeed/examples.  Remove the "#" of what you need, then: mxfeed check,
# mxfeed apply.

#[customer]
#id       = "acme"
#contacts = ["postmaster@acme-holding.example"]

# A feed.  The MX records of the domain point here; its mail is filtered and relayed to these
# servers, which are tried in this order.
#[[domain]]
#name       = "acme.example"
#deliver_to = ["203.0.113.7", "[2001:db8::7]:2525"]
#greylist   = true
#spam       = { enabled = true }

# A backup.  Its second MX record points here; mail waits while the server is away.
#[[domain]]
#name       = "acme-holding.example"
#service    = "backup"
#requested  = "2026-11-02, ticket 4711"
#acknowledged = "2026-11-03, by telephone"
#deliver_to = ["203.0.113.8"]
)";

// A list of strings in TOML.
std::string toml_list(const std::vector<std::string>& items) {
  std::vector<std::string> quoted;
  for (const auto& item : items) quoted.push_back(toml_string(item));
  return fmt::format("[{}]", fmt::join(quoted, ", "));
}

std::vector<std::string> texts_of(const std::vector<IpAddress>& addresses) {
  std::vector<std::string> texts;
  for (const auto& address : addresses) texts.push_back(address.str());
  return texts;
}

std::string endpoint_of(const std::string& item) {
  const auto entries = milters_in(item);
  return entries.empty() ? std::string() : entries.front().endpoint;
}

std::string name_lines(const HostFacts& host) {
  const bool is_known = host.has_full_name();
  const std::string_view mark = is_known ? "" : "#";
  const std::string list = toml_list({is_known ? host.name : std::string(kExampleName)});
  return fmt::format("{0}mx        = {1}\n{0}backup_mx = {1}\n", mark, list);
}

std::string host_table(const HostFacts& host) {
  if (!host.has_full_name()) {
    return fmt::format(
        "# The full name of this host is not known.\n"
        "#[[host]]\n#name      = \"{}\"\n#addresses = {}\n",
        kExampleName,
        toml_list(host.addresses.empty() ? std::vector<std::string>{"203.0.113.2"}
                                         : texts_of(host.addresses)));
  }
  const std::string name = fmt::format("[[host]]\nname      = \"{}\"\n", host.name);
  if (host.addresses.empty()) {
    return fmt::format("{}{}#addresses = [\"203.0.113.2\"]\n", name, kNoAddress);
  }
  return fmt::format("{}addresses = {}\n", name, toml_list(texts_of(host.addresses)));
}

std::string milter_lines(const HostFacts& host) {
  if (host.milters.empty()) return {};
  std::string text(kMilterLists);
  std::vector<std::string> verifiers, sealers;
  for (const auto& item : host.milters) {
    const auto endpoint = endpoint_of(item);
    const KnownMilter* known = recognise_milter(endpoint);
    if (known == nullptr) {
      text += fmt::format("# {}: unknown; one of the two lists must have it.\n",
                          escape_untrusted(endpoint));
    } else {
      text +=
          fmt::format("# {}: looks like {}.\n", escape_untrusted(endpoint), known->name);
    }
    // The configuration takes nothing else, in a comment neither.
    if (escape_line(item) != item || !is_ascii(item)) continue;
    (known != nullptr && known->list == "sealers" ? sealers : verifiers).push_back(item);
  }
  return text + fmt::format("#verifiers = {}\n#sealers   = {}\n", toml_list(verifiers),
                            toml_list(sealers));
}

std::string postfix_table(const HostFacts& host) {
  if (!host.postfix_fault.empty()) {
    return "# Postfix could not be examined.  True if it has no other use.\n"
           "#dedicated = true\n";
  }
  if (host.is_dedicated()) return std::string(kDedicated);
  std::string text =
      "# This Postfix has other uses, so its global parameters are left alone:\n";
  for (const auto& use : host.other_uses) text += fmt::format("#   {}\n", use);
  return text +
         "# If it has none, write true; mxfeed.toml(5) tells what that sets.\n"
         "#dedicated = true\n" +
         "# Whether mail for domains that are not configured here is scanned too.\n"
         "#scan_other_mail = false\n" +
         milter_lines(host);
}

// A thing that must be there, and what to do if it is not.
std::string state_line(bool is_there, std::string_view there, std::string_view missing) {
  return is_there ? fmt::format("ok: {}\n", there)
                  : fmt::format("missing: {}\n", missing);
}

std::string postfix_state(const HostFacts& host) {
  if (!host.postfix_fault.empty()) {
    return fmt::format(
        "missing: Postfix was not examined: {}; apt-get install postfix "
        "postfix-cdb, if it is not installed\n",
        host.postfix_fault);
  }
  std::string text = state_line(
      host.has_cdb, "Postfix supports maps of the type cdb",
      "Postfix does not support maps of the type cdb; apt-get install postfix-cdb");
  if (host.listens_on_loopback_only) {
    text +=
        "missing: Postfix listens on the loopback interface only; postconf -e "
        "inet_interfaces=all; systemctl restart postfix\n";
  }
  return text;
}

std::string dns_step(const HostFacts& host) {
  const std::string_view name =
      host.has_full_name() ? std::string_view(host.name) : kExampleName;
  std::string text;
  for (const auto& address : host.addresses) {
    text += fmt::format("       {}.  {}  {}\n", name, address.is_v4() ? "A" : "AAAA",
                        address.str());
  }
  text += fmt::format("       acme.example.  MX  10 {}.\n", name);
  if (host.addresses.empty()) return text;
  return text + fmt::format("     and PTR records of {} that name {}.\n",
                            fmt::join(texts_of(host.addresses), ", "), name);
}

}  // namespace

bool HostFacts::has_full_name() const {
  return Domain::parse(name) && name.find('.') != std::string::npos &&
         !name.ends_with(".localdomain");
}

std::string first_gateway_file(const HostFacts& host) {
  return fmt::format("{}{}{}{}{}{}", kTop, name_lines(host), kNetworks, host_table(host),
                     kFilters, postfix_table(host));
}

std::string first_domain_file() {
  return std::string(kDomains);
}

std::string next_steps(const HostFacts& host, const std::filesystem::path& config) {
  std::string text = state_line(
      host.has_signatures, fmt::format("signatures in {}", host.database),
      fmt::format("no signatures in {}: mail would be deferred with 451; apt-get install "
                  "clamav-freshclam, which downloads them within minutes",
                  host.database));
  text += postfix_state(host);
  if (!host.has_full_name()) {
    text += fmt::format(
        "missing: the full name of this host, which is called \"{}\"; "
        "hostnamectl hostname {}, or write it into mxfeed.toml\n",
        escape_untrusted(host.name), kExampleName);
  }
  if (host.addresses.empty()) {
    text += "note: no interface has a public address, which is right behind NAT only\n";
  }
  text += fmt::format(
      "next:\n"
      "  1. Look through {0}/mxfeed.toml and write a domain into\n"
      "     {0}/domains.d/example.toml; mxfeed check finds all errors.\n"
      "  2. mxfeed apply\n"
      "  3. mxfeed postfix attach --dry-run tells what it changes in Postfix;\n"
      "     mxfeed postfix attach changes it.\n"
      "  4. mxfeed status\n"
      "  5. Publish in DNS, the last one for each feed:\n",
      config.string());
  text += dns_step(host);
  return text +
         "  6. Each customer allows port 25 from the addresses of all gateways only.\n";
}

}  // namespace mxfeed
