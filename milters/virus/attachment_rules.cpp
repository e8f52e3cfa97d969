// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/attachment_rules.h"

#include <algorithm>

namespace mxfeed::virus {
namespace {

int destructiveness(AttachmentAction action) {
  switch (action) {
    case AttachmentAction::header:
      return 0;
    case AttachmentAction::quarantine:
      return 1;
    case AttachmentAction::reject:
      return 2;
    case AttachmentAction::discard:
      break;
  }
  return 3;
}

// A suffix tells people more than a kind.
std::string name_of(AttachmentKind kind, const AttachmentList& found) {
  for (const std::string& suffix : found.suffixes) {
    if (kind_of_suffix(suffix) == kind) return suffix;
  }
  return std::string(to_string(kind));
}

}  // namespace

std::optional<std::string> blocked_attachment(const AttachmentList& found,
                                              const AttachmentPolicy& policy) {
  if (!policy.has_rules()) return std::nullopt;
  for (const std::string& suffix : found.suffixes) {
    if (policy.blocks_suffix(suffix)) return suffix;
  }
  const AttachmentKinds kinds = found.kinds & policy.kinds();
  for (const AttachmentKind kind : kAttachmentKinds) {
    if (kinds.has(kind)) return name_of(kind, found);
  }
  if (found.has_more && policy.blocks_suffixes()) return "too many types";
  return std::nullopt;
}

std::optional<BlockedAttachment> blocked_for(const std::vector<WantedFor>& recipients,
                                             const AttachmentList& found) {
  std::optional<BlockedAttachment> all;
  bool is_taken = false;
  for (const WantedFor& one : recipients) {
    auto what = blocked_attachment(found, one.attachments);
    if (!what) {
      is_taken = true;
    } else if (!all ||
               destructiveness(one.attachments.action) < destructiveness(all->action)) {
      all = BlockedAttachment{one.attachments.action, *std::move(what)};
    }
  }
  if (all && is_taken) all->action = AttachmentAction::header;
  return all;
}

}  // namespace mxfeed::virus
