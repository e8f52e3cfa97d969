// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/mime/text_content.h"

#include <cstddef>
#include <utility>

#include "common/base/text.h"
#include "common/mail/charset.h"
#include "common/mail/mime/fields.h"
#include "common/mail/mime/uuencode.h"

namespace mxfeed::mime {

void TextContent::read(std::string_view bytes) {
  while (const auto line = cutter_.next(bytes)) read_line(*line);
}

void TextContent::finish() {
  if (const auto line = cutter_.rest()) read_line(*line);
  output_.give(part_, std::exchange(begin_line_, {}));
  if (file_ != nullptr) {
    output_.anomalies().add(Anomaly::bad_uuencoded);
    end_file();
  }
}

void TextContent::read_line(const Line& line) {
  if (file_ != nullptr && read_file_line(line)) return;
  if (!begin_line_.empty()) {
    const std::string held = std::exchange(begin_line_, {});
    if (line.starts && is_uu_line(line.text) && begin_file(held)) {
      read_file_line(line);
      return;
    }
    output_.give(part_, held);
  }
  if (line.starts && !line.end.empty() && uu_begin(line.text)) {
    begin_line_ = line.text;
    begin_line_ += line.end;
    return;
  }
  output_.give(part_, line.text);
  output_.give(part_, line.end);
}

bool TextContent::read_file_line(const Line& line) {
  const std::string_view text = without_trailing_blanks(line.text);
  if (text == "end") {
    end_file();
    return true;
  }
  if (line.starts && (text.empty() || text == "`")) return true;  // a line of no bytes
  if (line.starts && is_uu_line(line.text)) {
    std::string bytes;
    uu_decode(line.text, bytes);
    output_.give(*file_, bytes);
    return true;
  }
  output_.anomalies().add(Anomaly::bad_uuencoded);
  end_file();
  return false;
}

bool TextContent::begin_file(std::string_view begin_line) {
  const auto name = uu_begin(trim(begin_line));
  const std::size_t depth = part_.depth + 1;
  const bool too_deep = depth > output_.limits().depth;
  if (output_.is_full()) output_.anomalies().add(Anomaly::too_many_parts);
  if (too_deep) output_.anomalies().add(Anomaly::too_deep);
  if (!name || output_.is_full() || too_deep) return false;
  output_.anomalies().add(Anomaly::uuencoded);
  file_ = std::make_unique<Part>();
  file_->kind = Part::Kind::uuencoded;
  file_->depth = depth;
  file_->type = "application/octet-stream";
  file_->file_names.push_back(to_utf8(*name, part_.charset));
  output_.begin(*file_);
  return true;
}

void TextContent::end_file() {
  const std::unique_ptr<Part> file = std::move(file_);
  if (file != nullptr) output_.end(*file);
}

}  // namespace mxfeed::mime
