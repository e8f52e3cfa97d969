// SPDX-License-Identifier: GPL-2.0-or-later
//
// A file of domains.d that `mxfeed domain set` writes: one customer and its domains, all
// else in it is lost with the next change.  Pure.

#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "postfix-conf/config/parsed.h"

namespace mxfeed {

class DomainFile {
 public:
  // Nothing if the file is not one that str() made.
  static std::optional<DomainFile> parse(std::string_view text);

  // Takes {"customer": {...}, "domain": {...}} in JSON, as a row of [source]: sets the
  // domain, and the customer unless there is none.  `name` is the domain's, in A-labels.
  Parsed<DomainFile> with(std::string_view row, const std::string& name) const;
  // The domain with state = "removed"; nothing if it is not here.
  std::optional<DomainFile> without(const std::string& name) const;

  bool has(const std::string& name) const { return domains_.contains(name); }

  // The file's text: the same for the same content.
  std::string str() const;

  bool operator==(const DomainFile&) const = default;

 private:
  using Keys = std::map<std::string, std::string>;  // the values as TOML

  Keys customer_;
  std::map<std::string, Keys> domains_;  // by name, which is no key of them
};

// The customer's id in the row; empty if it has none.
std::string customer_in(std::string_view row);

}  // namespace mxfeed
