// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/mime/text_content.h"

#include <cstddef>
#include <utility>

#include "common/base/text.h"
#include "common/mail/charset.h"
#include "common/mail/mime/fields.h"

namespace mxfeed::mime {
namespace {

constexpr std::size_t kMaxEmptyLines = 100;  // bytes, between "begin" and the data

}  // namespace

TextContent::TextContent(const Part& part, Output& output)
    : part_(part),
      output_(output),
      cutter_(output.notes().reading.choice(Ambiguity::bare_cr) == 0) {}

bool TextContent::may_hold_files(const Part& part) {
  return part.is_text() || part.encoding != Encoding::base64 ||
         part.type == "application/mac-binhex40" || part.type == "application/x-uuencode";
}

void TextContent::read(std::string_view bytes) {
  while (const auto line = cutter_.next(bytes)) {
    if (line->end == "\r") output_.notes().choose(Ambiguity::bare_cr);
    read_line(*line);
  }
}

void TextContent::finish() {
  if (const auto line = cutter_.rest()) read_line(*line);
  output_.give(part_, std::exchange(begin_line_, {}));
  output_.give(part_, std::exchange(empty_lines_, {}));
  if (const auto file = std::move(file_); file != nullptr && !file->finish(*this)) {
    output_.notes().add(Anomaly::bad_uuencoded);
  }
  end_file();
}

void TextContent::read_line(const Line& line) {
  if (file_ != nullptr && read_file_line(line)) return;
  if (!begin_line_.empty()) {
    if (line.starts && !line.end.empty() && trim(line.text).empty() &&
        empty_lines_.size() < kMaxEmptyLines) {
      (empty_lines_ += line.text) += line.end;
      return;
    }
    const std::string held = std::exchange(begin_line_, {});
    const std::string empty = std::exchange(empty_lines_, {});
    if (line.starts) {
      if (auto file = mime::begin_file(whole_line(held).text, line.text, *this,
                                       output_.notes())) {
        file_ = std::move(file);
        output_.notes().add(Anomaly::uuencoded);
        read_file_line(line);
        return;
      }
    }
    output_.give(part_, held);
    output_.give(part_, empty);
  }
  if (line.starts && !line.end.empty() && may_begin_file(line.text)) {
    begin_line_ = line.text;
    begin_line_ += line.end;
    return;
  }
  if (line.starts && (line.text.starts_with('=') || line.text.starts_with(':'))) {
    if (auto file = mime::begin_file(line.text, announced_)) {
      end_file();
      file_ = std::move(file);
      output_.notes().add(Anomaly::inline_encoded);
      read_file_line(line);
      return;
    }
  }
  if (line.starts) announced_ |= announces_binhex(line.text);
  output_.give(part_, line.text);
  output_.give(part_, line.end);
}

bool TextContent::read_file_line(const Line& line) {
  switch (file_->read(line, *this)) {
    case InlineFile::Step::more:
      return true;
    case InlineFile::Step::end:
      file_.reset();
      return true;
    case InlineFile::Step::cut:
      output_.notes().add(Anomaly::bad_uuencoded);
      file_.reset();
      return false;
    case InlineFile::Step::junk:
      if (output_.notes().choose(Ambiguity::junk_line) == 0) {
        output_.notes().add(Anomaly::bad_uuencoded);
        file_->finish(*this);
        file_.reset();
      }
      return false;
    case InlineFile::Step::text:
      return false;
  }
  return false;
}

bool TextContent::begin_file(std::string_view name) {
  end_file();
  const std::size_t depth = part_.depth + 1;
  const bool too_deep = depth > output_.limits().depth;
  if (output_.is_full()) output_.notes().add(Anomaly::too_many_parts);
  if (too_deep) output_.notes().add(Anomaly::too_deep);
  if (output_.is_full() || too_deep) return false;
  file_part_ = std::make_unique<Part>();
  file_part_->kind = Part::Kind::uuencoded;
  file_part_->depth = depth;
  file_part_->type = "application/octet-stream";
  if (!name.empty()) file_part_->file_names.push_back(to_utf8(name, part_.charset));
  output_.begin(*file_part_);
  return true;
}

void TextContent::file_data(std::string_view bytes) {
  if (file_part_ == nullptr) return;
  if (file_ != nullptr && file_->expands() && !output_.may_expand(bytes.size())) return;
  output_.give(*file_part_, bytes);
}

void TextContent::end_file() {
  const std::unique_ptr<Part> part = std::move(file_part_);
  if (part != nullptr) output_.end(*part);
}

}  // namespace mxfeed::mime
