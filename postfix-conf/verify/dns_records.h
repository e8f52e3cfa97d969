// SPDX-License-Identifier: GPL-2.0-or-later
//
// The DNS records that a customer publishes for a domain, as lines of a zone file
// (RFC 1035, 5.1).  Pure.

#pragma once

#include <string>
#include <vector>

#include "postfix-conf/config/config.h"

namespace mxfeed {

struct DnsRecord {
  std::string owner;  // absolute, without the dot at its end
  std::string type;
  std::string data;  // as in a zone file: names in it end in a dot, addresses do not
  bool operator==(const DnsRecord&) const = default;
};

// Records that belong together.
struct DnsRecordSet {
  std::string purpose;             // a heading
  std::vector<std::string> notes;  // what to take care of, a sentence each
  std::vector<DnsRecord> records;
  bool is_optional = false;
  bool operator==(const DnsRecordSet&) const = default;
};

// The policy that a web server serves as https://mta-sts.DOMAIN/.well-known/mta-sts.txt
// (RFC 8461, 3.2 and 3.3).
struct StsPolicy {
  std::string host;  // mta-sts.DOMAIN
  std::string text;  // lines that end in CRLF
};

struct DnsAdvice {
  std::string domain;
  std::vector<DnsRecordSet> sets;
  StsPolicy sts;
};

// For the domain's service: a feed names the gateways, a backup names its own server
// first and then the gateways of backup_mx, direct names its own server only.
DnsAdvice dns_advice(const Config& config, const DomainConfig& domain);

// The lines of `postfix tls output-server-tlsa` for a gateway: the provider publishes
// them (RFC 7672).
DnsRecordSet tlsa_records(const std::vector<std::string>& lines);

// "acme.example.  3600  IN  MX  10 mx1.isp.example.\n"
std::string zone_line(const DnsRecord& record);
// All of it, explained in comments.
std::string zone_text(const DnsAdvice& advice);

}  // namespace mxfeed
