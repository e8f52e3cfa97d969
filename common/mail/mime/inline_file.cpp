// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/mime/inline_file.h"

#include "common/base/text.h"
#include "common/mail/mime/binhex.h"
#include "common/mail/mime/decode.h"
#include "common/mail/mime/fields.h"
#include "common/mail/mime/uuencode.h"
#include "common/mail/mime/yenc.h"

namespace mxfeed::mime {
namespace {

class UuFile : public InlineFile {
 public:
  Step read(const Line& line, FileSink& sink) override {
    const std::string_view text = without_trailing_blanks(line.text);
    if (text == "end") return close(sink, Step::end);
    if (line.starts && (text.empty() || text == "`")) return Step::more;  // no bytes
    if (!line.starts || !is_uu_line(line.text)) return close(sink, Step::cut);
    std::string bytes;
    uu_decode(line.text, bytes);
    sink.file_data(bytes);
    return Step::more;
  }

 private:
  static Step close(FileSink& sink, Step step) {
    sink.end_file();
    return step;
  }
};

class Base64File : public InlineFile {
 public:
  Step read(const Line& line, FileSink& sink) override {
    const std::string_view text = without_trailing_blanks(line.text);
    if (text.empty()) return Step::more;
    const bool last = text == "====";
    if (last || !is_base64_line(text)) {
      sink.end_file();
      return last ? Step::end : Step::cut;
    }
    std::string bytes;
    Notes ignored;
    decoder_.decode(text, bytes, ignored);
    sink.file_data(bytes);
    return Step::more;
  }

 private:
  Decoder decoder_{Encoding::base64, false};
};

}  // namespace

bool may_begin_file(std::string_view text) {
  return uu_begin(text).has_value();
}

std::unique_ptr<InlineFile> begin_file(std::string_view begin_line, std::string_view next,
                                       FileSink& sink) {
  const auto begin = uu_begin(begin_line);
  if (!begin) return nullptr;
  const bool fits =
      begin->base64 ? is_base64_line(without_trailing_blanks(next)) : is_uu_line(next);
  if (!fits || !sink.begin_file(begin->name)) return nullptr;
  if (begin->base64) return std::make_unique<Base64File>();
  return std::make_unique<UuFile>();
}

std::unique_ptr<InlineFile> begin_file(std::string_view line, bool announced) {
  if (yenc_begin(line)) return std::make_unique<YencFile>();
  if (is_binhex_begin(line, announced)) return std::make_unique<BinHexFile>();
  return nullptr;
}

bool announces_binhex(std::string_view line) {
  return line.find("must be converted with BinHex") != std::string_view::npos;
}

bool InlineFile::finish(FileSink& sink) {
  sink.end_file();
  return false;
}

}  // namespace mxfeed::mime
