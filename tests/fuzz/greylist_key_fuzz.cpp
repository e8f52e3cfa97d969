// SPDX-License-Identifier: GPL-2.0-or-later
//
// What greylisting makes of senders, recipients and client names, which peers choose.
// The input: a line each.

#include <algorithm>

#include "common/base/text.h"
#include "milters/greylist/exemption.h"
#include "milters/greylist/key.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mxfeed;
  using fuzz::require;
  auto lines = split(fuzz::as_text(data, size), '\n');
  lines.resize(std::max<std::size_t>(lines.size(), 3));
  const std::string_view sender = lines[0];
  const Recipient recipient{std::string(lines[1]), "acme.example"};

  const std::string keyed = greylist::normalised_sender(sender, recipient);
  require(keyed.size() <= sender.size(), "a sender does not grow");
  require(keyed.empty() == sender.empty(), "only the null sender is keyed as one");

  for (const char* address : {"198.51.100.7", "2001:db8::7"}) {
    const auto client = *IpAddress::parse(address);
    const std::string key =
        greylist::key_of(client, sender, recipient, "acme.example", {});
    require(std::ranges::count(key, ' ') == 2, "a key has three parts");
    require(key == greylist::key_of(client, ascii_lower(sender), recipient,
                                    "acme.example", {}),
            "case makes no difference");
    static_cast<void>(greylist::is_suspicious({client, std::string(lines[2])}));
  }
  return 0;
}
