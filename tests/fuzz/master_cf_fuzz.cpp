// SPDX-License-Identifier: GPL-2.0-or-later
//
// Any text as master.cf: what is added holds, adding it twice is adding it once, and
// taken back the text is what it was.

#include <algorithm>
#include <string>
#include <vector>

#include "common/base/fault.h"
#include "postfix-conf/postfix/master_cf_text.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace mxfeed;
using fuzz::require;

const std::vector<ServiceOption> kOptions = {{"smtpd_milters", "$mxfeed_m"},
                                             {"x", "a, { b } c"}};
constexpr std::string_view kService = "mxfeed-relay unix - - y - - smtp -o x=y";

bool is_ours(std::string_view item) {
  return item.find("$mxfeed_") != std::string_view::npos;
}

void add_all(MasterCf& master) {
  master.add_service(kService);
  for (const auto& service : master.services()) {
    if (service.name.starts_with("mxfeed-")) continue;
    const auto before = master.text();
    try {
      master.add_options(service.name, kOptions);
    } catch (const Fault&) {
      require(master.text() == before, "what is refused changes nothing");
      continue;
    }
    for (const auto& now : master.services()) {
      if (now.name != service.name) continue;
      for (const auto& option : kOptions) {
        require(now.options.at(option.name) == option.value, "what is added holds");
      }
    }
    const auto once = master.text();
    master.add_options(service.name, kOptions);
    master.add_service(kService);
    require(master.text() == once, "adding it twice is adding it once");
  }
}

void take_all_back(MasterCf& master, bool backward) {
  for (int pass = 0; pass < 100 && !master.ours().empty(); ++pass) {
    auto names = master.ours();
    if (backward) std::reverse(names.begin(), names.end());
    for (const auto& name : names) {
      master.take_back(name);
      const auto once = master.text();
      require(master.take_back(name) == TakenBack::nothing, "it is taken back at once");
      require(master.text() == once, "taking it back twice is taking it back once");
    }
  }
  require(master.ours().empty(), "all is taken back");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(fuzz::as_text(data, size));
  const MasterCf master(text, is_ours);
  for (const bool backward : {false, true}) {
    const bool is_clean =
        master.ours().empty() && text.find("# mxfeed: ") == std::string::npos;
    MasterCf attached = master;
    add_all(attached);
    MasterCf more(
        attached.text() + (attached.text().ends_with('\n') ? "" : "\n") + "#z\n",
        is_ours);
    take_all_back(attached, backward);
    take_all_back(more, backward);
    if (!is_clean) continue;
    require(attached.text() == text, "taken back it is what it was");
    const bool ends = text.empty() || text.ends_with('\n');
    require(more.text() == text + (ends ? "" : "\n") + "#z\n",
            "what the site adds stays");
  }
  return 0;
}
