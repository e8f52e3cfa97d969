// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which attachments a domain does not take, and what is done with a message that has one.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/policy/attachment_kinds.h"

namespace mxfeed {

enum class AttachmentPreset : std::uint8_t { off, executables, strict };
enum class AttachmentAction : std::uint8_t { reject, quarantine, discard, header };

// The words of the configuration: "discard" is "delete" there.
std::string_view to_string(AttachmentPreset value);
std::string_view to_string(AttachmentAction value);

AttachmentKinds kinds_of(AttachmentPreset preset);

struct AttachmentPolicy {
  static constexpr std::size_t kMostBlocked = 200;

  AttachmentPreset preset = AttachmentPreset::off;
  // Suffixes (".exe") and words of AttachmentKind, besides those of the preset.
  std::vector<std::string> blocked;
  AttachmentAction action = AttachmentAction::reject;

  bool has_rules() const { return preset != AttachmentPreset::off || !blocked.empty(); }
  bool blocks_suffixes() const;
  bool blocks_suffix(std::string_view suffix) const;  // by name, not by its kind
  AttachmentKinds kinds() const;                      // of preset and list
  bool operator==(const AttachmentPolicy&) const = default;
};

}  // namespace mxfeed
