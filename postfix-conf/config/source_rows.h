// SPDX-License-Identifier: GPL-2.0-or-later
//
// The domains that the command of [source] prints.  Each line is a row: what a file of
// domains.d says, in JSON.  {"domain": {"name": ...}} may have one domain, "domain" may
// be a list, and "customer" may come again in each row of the same customer.  The last
// line is {"end": N}, N being the number of rows: what was cut off is no output.  Empty
// lines do not count.
//
// Pure; nothing is asked and nothing is kept here.

#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "postfix-conf/config/config.h"
#include "postfix-conf/config/load_gateway.h"
#include "postfix-conf/config/parsed.h"

namespace mxfeed {

// What a source said, or said last.
struct SourceText {
  std::string name;       // for messages: of the program
  std::string_view rows;  // lines, without the one that ends them
};

// The rows in the output of a command, or why it is not whole.
Parsed<std::string> rows_of_output(std::string output);

// What the rows say.
struct SourceDomains {
  std::vector<Problem> errors, warnings;  // by line
  std::vector<CustomerConfig> customers;
  // In the order of the rows; `customer` is an index into `customers`.
  std::vector<std::vector<DomainConfig>> domains;
  std::list<DomainSettings> settings;  // of the domains
  std::vector<std::string> digests;    // of all rows
};

// Whether the customer has an id and nothing else.
bool names_only(const CustomerConfig& customer);

// Reads the rows on all cores.  `file` is their number in Config::files.
SourceDomains read_rows(std::string_view rows, const Defaults& defaults,
                        std::uint32_t file);

// The rows without those at the lines `faulty`, the others at the same lines as before.
// Behind them come the rows of `kept` with domains of the faulty rows.  If a faulty row
// does not even tell its domains, so do all rows of `kept` whose domains no other row
// has.
std::string mend_rows(std::string_view rows, const std::set<std::uint32_t>& faulty,
                      std::string_view kept);

}  // namespace mxfeed
