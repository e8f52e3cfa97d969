// SPDX-License-Identifier: GPL-2.0-or-later
//
// What greylisting makes of senders, recipients and client names, which peers choose.
// The input: a line each.

#include <algorithm>

#include "common/base/text.h"
#include "milters/greylist/client_name.h"
#include "milters/greylist/identity.h"
#include "milters/greylist/key.h"
#include "milters/greylist/normalised_sender.h"
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

  require(greylist::sender_of_retries(sender).size() <= sender.size(),
          "nor does that of retries");

  for (const char* address : {"198.51.100.7", "2001:db8::7"}) {
    const Client client{IpAddress::parse(address), std::string(lines[2])};
    static_cast<void>(greylist::is_suspicious(client));
    spf::Verdict spf;
    for (const auto result : {spf::Result::none, spf::Result::pass}) {
      spf.result = result;
      spf.domain = std::string(lines[2]);
      spf.mechanism = std::string(lines[1]);
      const auto who = greylist::identities_of(client, sender, spf, {});
      const auto keys = greylist::keys_of(who, sender, recipient, "acme.example");
      require(!keys.scope.empty(), "a key has a scope");
      const auto& waiting = keys.at(greylist::Slot::network_waiting);
      require(waiting.digest.size() == 16, "a digest has one length");
      require(waiting.digest ==
                  greylist::keys_of(who, ascii_lower(sender), recipient, "acme.example")
                      .at(greylist::Slot::network_waiting)
                      .digest,
              "case makes no difference to a retry");
    }
  }
  return 0;
}
