// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the attachments of a message mean for its recipients.  Pure.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/policy/attachment_policy.h"
#include "milters/virus/joint_policy.h"
#include "milters/virus/protocol/attachment_list.h"

namespace mxfeed::virus {

// What a domain with these rules does not take: a suffix (".exe"), a kind ("macro"), or
// "too many types" if there are too many for the list of suffixes.  Nothing if it takes
// the message.
[[nodiscard]] std::optional<std::string> blocked_attachment(
    const AttachmentList& found, const AttachmentPolicy& policy);

struct BlockedAttachment {
  AttachmentAction action;
  std::string what;
  bool operator==(const BlockedAttachment&) const = default;
};

// The least destructive action of all recipients: header, quarantine, reject, delete.  If
// only some of them do not take the attachment, the message is delivered, as with header.
// Nothing if all of them take it.
[[nodiscard]] std::optional<BlockedAttachment> blocked_for(
    const std::vector<WantedFor>& recipients, const AttachmentList& found);

}  // namespace mxfeed::virus
