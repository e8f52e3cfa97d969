// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/policy/attachment_policy.h"

#include <algorithm>

namespace mxfeed {

std::string_view to_string(AttachmentPreset value) {
  switch (value) {
    case AttachmentPreset::off:
      return "off";
    case AttachmentPreset::executables:
      return "executables";
    case AttachmentPreset::strict:
      return "strict";
  }
  return "";
}

std::string_view to_string(AttachmentAction value) {
  switch (value) {
    case AttachmentAction::reject:
      return "reject";
    case AttachmentAction::quarantine:
      return "quarantine";
    case AttachmentAction::discard:
      return "delete";
    case AttachmentAction::header:
      return "header";
  }
  return "";
}

AttachmentKinds kinds_of(AttachmentPreset preset) {
  using Kind = AttachmentKind;
  switch (preset) {
    case AttachmentPreset::off:
      break;
    case AttachmentPreset::executables:
      return {Kind::program, Kind::script, Kind::shortcut};
    case AttachmentPreset::strict:
      return {Kind::program, Kind::script,     Kind::shortcut,
              Kind::macro,   Kind::disk_image, Kind::html_smuggling};
  }
  return {};
}

bool AttachmentPolicy::blocks_suffixes() const {
  return std::ranges::any_of(blocked, [](const auto& one) { return is_suffix(one); });
}

bool AttachmentPolicy::blocks_suffix(std::string_view suffix) const {
  return std::ranges::find(blocked, suffix) != blocked.end();
}

AttachmentKinds AttachmentPolicy::kinds() const {
  AttachmentKinds all = kinds_of(preset);
  for (const std::string& one : blocked) {
    if (const auto kind = parse_attachment_kind(one)) all.add(*kind);
  }
  return all;
}

}  // namespace mxfeed
