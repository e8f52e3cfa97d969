// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the command of [source] printed.

#include <algorithm>
#include <set>

#include "postfix-conf/config/source_rows.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mxfeed;
  const std::string text(fuzz::as_text(data, size));
  (void)rows_of_output(text);
  const auto read = read_rows(text, Defaults(), 7);
  const auto lines =
      static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  std::set<std::uint32_t> faulty;
  for (const auto& error : read.errors) {
    fuzz::require(error.place.file == 7, "an error is in the rows");
    fuzz::require(error.place.line > 0 && error.place.line <= lines, "and has a line");
    faulty.insert(error.place.line);
  }
  for (const auto& domain :
       read.domains.empty() ? std::vector<DomainConfig>() : read.domains.front()) {
    fuzz::require(domain.customer == DomainConfig::kNoCustomer ||
                      domain.customer < read.customers.size(),
                  "a customer is known");
  }
  fuzz::require(read_rows(mend_rows(text, faulty, ""), Defaults(), 7).errors.empty(),
                "without the faulty rows nothing is wrong");
  return 0;
}
