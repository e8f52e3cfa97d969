// SPDX-License-Identifier: GPL-2.0-or-later
//
// Any text as main.cf: what is set holds, setting it twice is setting it once, and taken
// back the text is what it was.

#include <algorithm>
#include <string>
#include <vector>

#include "postfix-conf/postfix/main_cf_text.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace mxfeed;
using fuzz::require;

const std::vector<std::string> kNames = {"a", "relay_domains", "mxfeed_b",
                                         "transport_maps"};

bool is_ours(std::string_view item) {
  return item.find("cdb:/m") != std::string_view::npos;
}

void set_all(MainCf& main) {
  for (const auto& name : kNames) {
    const auto site = main.site_value(name);
    const auto value = site && !site->empty() ? "cdb:/m, " + *site : "cdb:/m";
    main.set(name, value);
    require(main.value(name) == value, "what is set holds");
    require(main.site_value(name) == site, "the site's value stays");
    const auto once = main.text();
    main.set(name, value);
    require(main.text() == once, "setting it twice is setting it once");
  }
}

void take_all_back(MainCf& main, bool backward) {
  // A record may hold another.
  for (int pass = 0; pass < 100 && !main.ours().empty(); ++pass) {
    auto names = main.ours();
    if (backward) std::reverse(names.begin(), names.end());
    for (const auto& name : names) {
      main.take_back(name);
      const auto once = main.text();
      require(main.take_back(name) == TakenBack::nothing, "it is taken back at once");
      require(main.text() == once, "taking it back twice is taking it back once");
    }
  }
  require(main.ours().empty(), "all is taken back");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(fuzz::as_text(data, size));
  // Values with a NUL are shorter than what stands in the file; nobody writes them.
  MainCf main(text, is_ours);
  for (const bool backward : {false, true}) {
    const bool is_clean =
        main.ours().empty() && text.find("# mxfeed: ") == std::string::npos;
    MainCf attached = main;
    set_all(attached);
    MainCf more(
        attached.text() + (attached.text().ends_with('\n') ? "" : "\n") + "z = 1\n",
        is_ours);
    take_all_back(attached, backward);
    take_all_back(more, backward);
    if (!is_clean) continue;
    require(attached.text() == text, "taken back it is what it was");
    const bool ends = text.empty() || text.ends_with('\n');
    require(more.text() == text + (ends ? "" : "\n") + "z = 1\n",
            "what the site adds stays");
  }
  return 0;
}
