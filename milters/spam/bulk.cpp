// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/bulk.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "common/base/text.h"
#include "common/mail/tag_list.h"

namespace mxfeed::spam {
namespace {

// How the names of fields begin that services for campaigns add.
constexpr std::string_view kCampaign[] = {
    "Feedback-ID", "X-Campaign",  "X-CSA-Complaints", "X-Mailgun-", "X-MC-",
    "X-SG-",       "X-Mailchimp", "X-Mailer-Lid",     "X-Mandrill", "X-Job",
};

bool has_campaign(const Message& message) {
  return std::any_of(
      message.fields.begin(), message.fields.end(), [](const Field& field) {
        return std::any_of(
            std::begin(kCampaign), std::end(kCampaign),
            [&](std::string_view begin) { return istarts_with(field.name, begin); });
      });
}

// Whether a good signature covers the fields of that name.
bool is_signed(const Message& message, const Authentication& authentication,
               std::string_view name) {
  const auto& signers = authentication.signers;
  for (const Field& field : message.fields) {
    if (!iequals(field.name, "DKIM-Signature")) continue;
    const std::string signer = ascii_lower(tag_value(field.value, "d").value_or(""));
    if (std::find(signers.begin(), signers.end(), signer) == signers.end()) continue;
    const std::string names = tag_value(field.value, "h").value_or("");
    for (const std::string_view one : split(names, ':')) {
      if (iequals(one, name)) return true;
    }
  }
  return false;
}

bool is_discussion(const Message& message) {
  const std::string* const post = message.find("List-Post");
  if (post != nullptr && ascii_lower(*post).find("mailto:") != std::string::npos) {
    return true;
  }
  return message.find("List-Id") != nullptr && (message.find("In-Reply-To") != nullptr ||
                                                message.find("References") != nullptr);
}

}  // namespace

bool is_bulk(const Message& message, const Authentication& authentication) {
  if (is_discussion(message)) return false;
  constexpr const char* kUnsubscribe = "List-Unsubscribe";
  if (message.find(kUnsubscribe) != nullptr &&
      is_signed(message, authentication, kUnsubscribe)) {
    return true;
  }
  const std::string* const precedence = message.find("Precedence");
  return precedence != nullptr && iequals(trim(*precedence), "bulk") &&
         has_campaign(message);
}

}  // namespace mxfeed::spam
