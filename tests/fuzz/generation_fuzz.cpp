// SPDX-License-Identifier: GPL-2.0-or-later
//
// The text files of a generation, as a later version or a broken disk may leave them:
// read or refused, never worse; and what was read is written and read as the same.

#include <string>

#include "common/base/fault.h"
#include "postfix-conf/generate/meta.h"
#include "postfix-conf/generate/table.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mxfeed;
  using fuzz::require;
  const std::string_view text = fuzz::as_text(data, size);
  const auto rendered = [](HostedTable table) {
    Generated generated;
    generated.hosted = std::move(table.hosted);
    generated.unknown = std::move(table.unknown);
    generated.policies.resize(1);
    std::string all;
    render_table(generated, [&](std::string_view piece) { all += piece; });
    return all;
  };
  try {
    const auto once = rendered(parse_table(text, "domains.tsv"));
    require(rendered(parse_table(once, "domains.tsv")) == once,
            "a table reads as itself");
  } catch (const Fault&) {
  }
  try {
    const auto once = render(parse_meta(text, "meta"));
    require(render(parse_meta(once, "meta")) == once, "meta reads as itself");
  } catch (const Fault&) {
  }
  return 0;
}
