// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/mime/stream.h"

namespace mxfeed::mime {

std::optional<Delimiter> Stream::find_delimiter(std::string_view text) const {
  std::optional<Delimiter> prefix;
  std::size_t prefix_length = 0;
  for (std::size_t i = levels.size(); i-- > 0;) {
    if (!levels[i]->multipart) continue;
    const auto match = levels[i]->multipart->match(text);
    if (!match) continue;
    if (match->exact) return Delimiter{i, match->final, true};
    if (match->length > prefix_length) {
      prefix = Delimiter{i, false, false};
      prefix_length = match->length;
    }
  }
  return prefix;
}

void Stream::note_matches(std::string_view text) {
  for (const auto& level : levels) {
    if (level->multipart) level->multipart->note_matches(text);
  }
}

}  // namespace mxfeed::mime
