// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/impersonation.h"

#include <algorithm>

#include "common/base/text.h"
#include "milters/spam/evidence/look.h"
#include "milters/spam/evidence/table.h"

namespace mxfeed::spam {
namespace {

constexpr std::size_t kMostAuthors = 10;

// Whether one of the people with that name has the address.
bool has_address(const std::vector<Mailbox>& people, std::string_view shown,
                 std::string_view address) {
  return std::any_of(people.begin(), people.end(), [&](const Mailbox& person) {
    return iequals(person.address, address) && shows_name(shown, person.display);
  });
}

}  // namespace

std::optional<Evidence> impersonation(const std::vector<std::string>& people,
                                      const Message& message) {
  if (people.empty()) return std::nullopt;
  std::vector<Mailbox> known;
  for (const std::string& text : people) {
    for (Mailbox& one : parse_mailboxes(text, 1)) known.push_back(std::move(one));
  }
  const std::vector<Mailbox> replies = mailboxes(message, "Reply-To", kMostAuthors);
  for (const Mailbox& author : mailboxes(message, "From", kMostAuthors)) {
    const bool has_name =
        std::any_of(known.begin(), known.end(), [&](const Mailbox& person) {
          return shows_name(author.display, person.display);
        });
    if (!has_name || has_address(known, author.display, author.address)) continue;
    const bool is_on_behalf =
        !replies.empty() &&
        std::all_of(replies.begin(), replies.end(), [&](const Mailbox& reply) {
          return has_address(known, author.display, reply.address);
        });
    if (!is_on_behalf) return evidence("protected-name");
  }
  return std::nullopt;
}

}  // namespace mxfeed::spam
