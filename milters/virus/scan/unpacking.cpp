// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/unpacking.h"

#include "milters/virus/scan/fingerprint.h"
#include "milters/virus/scan/formats/examine.h"
#include "milters/virus/scan/formats/text.h"

namespace mxfeed::virus {

void Unpacking::examine(std::string_view object, bool is_walked) {
  Findings findings(room_);
  virus::examine(object, findings);
  if (!is_walked || in_member_) examine_text(object, findings);
  examine_mailbox(object, findings);
  if (encrypted_.empty()) encrypted_ = findings.encrypted();
  if (unscannable_.empty()) unscannable_ = findings.unscannable();
  keep(findings.members(), false);
  keep(findings.messages(), true);
}

void Unpacking::keep(std::vector<std::string>& contents, bool are_messages) {
  for (std::string& content : contents) {
    Digest digest;
    digest.add(content);
    digest.add(are_messages ? "message" : "member");
    if (!known_.insert(digest.value()).second) continue;
    if (depth_ >= max_depth_) {
      if (unscannable_.empty()) unscannable_ = "MaxRecursion";
      return;
    }
    waiting_.push_back({std::move(content), are_messages, depth_ + 1});
  }
}

std::optional<Unpacking::Content> Unpacking::next() {
  if (waiting_.empty()) return std::nullopt;
  Content content = std::move(waiting_.front());
  waiting_.pop_front();
  depth_ = content.depth;
  in_member_ = !content.is_message;
  return content;
}

}  // namespace mxfeed::virus
