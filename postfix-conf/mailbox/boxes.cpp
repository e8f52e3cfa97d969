// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/mailbox/boxes.h"

#include "common/base/text.h"
#include "common/mail/envelope.h"
#include "postfix-conf/postfix/queue.h"

namespace mxfeed {

std::string mailbox_for(const Generated& generated, std::string_view domain,
                        std::string_view address) {
  const Recipient recipient = Recipient::parse(address);
  const auto box = [&](std::string_view user) {
    return std::string(user) + "@" + std::string(domain);
  };
  for (const auto& spelling : spellings_of(recipient.domain)) {
    if (spelling != domain) continue;
    const std::string local = ascii_lower(recipient.local_part);
    for (const auto user :
         {std::string_view(local), std::string_view(local).substr(0, local.find('+'))}) {
      if (find_mailbox(generated, domain, user) != nullptr) return box(user);
    }
  }
  return box(kCatchAllUser);
}

}  // namespace mxfeed
