// SPDX-License-Identifier: GPL-2.0-or-later
//
// What `mxfeed domain set` is given, and the file that it writes.

#include "postfix-conf/config/domain_file.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mxfeed;
  const std::string row(fuzz::as_text(data, size));
  (void)DomainFile::parse(row);
  (void)customer_in(row);
  const auto file = DomainFile().with(row, "acme.example");
  if (!file) {
    fuzz::require(!file.cause().empty(), "says why not");
    return 0;
  }
  fuzz::require(file->has("acme.example"), "has the domain");
  const auto again = DomainFile::parse(file->str());
  fuzz::require(again.has_value(), "what is written can be read");
  fuzz::require(*again == *file, "and is the same");
  const auto twice = again->with(row, "acme.example");
  fuzz::require(twice && *twice == *file, "the same row changes nothing");
  fuzz::require(again->without("acme.example").has_value(), "a domain can be removed");
  return 0;
}
