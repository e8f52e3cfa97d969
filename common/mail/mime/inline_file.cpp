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
  explicit UuFile(UuAlphabet alphabet) : alphabet_(alphabet) {}

  Step read(const Line& line, FileSink& sink) override {
    const std::string_view text = without_trailing_blanks(line.text);
    if (istarts_with(text, "end") && (text.size() == 3 || is_blank(text[3]))) {
      sink.end_file();
      return Step::end;
    }
    const bool has_no_bytes =
        text.empty() || text == (alphabet_ == UuAlphabet::uu ? "`" : "+");
    if (line.starts && has_no_bytes) return Step::more;
    if (!line.starts || !is_uu_line(line.text, alphabet_)) return Step::junk;
    std::string bytes;
    uu_decode(line.text, alphabet_, bytes);
    expands_ = bytes.size() > line.text.size();
    sink.file_data(bytes);
    return Step::more;
  }
  // A line may have lost its blanks.
  bool expands() const override { return expands_; }

 private:
  const UuAlphabet alphabet_;
  bool expands_ = false;  // the last line
};

class Base64File : public InlineFile {
 public:
  Step read(const Line& line, FileSink& sink) override {
    const std::string_view text = without_trailing_blanks(line.text);
    if (text.empty()) return Step::more;
    if (text == "====") {
      sink.end_file();
      return Step::end;
    }
    if (!is_base64_line(text)) return Step::junk;
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
                                       FileSink& sink, Notes& notes) {
  const auto begin = uu_begin(begin_line);
  if (!begin) return nullptr;
  if (begin->base64) {
    const bool fits = is_base64_line(without_trailing_blanks(next));
    if (!fits || !sink.begin_file(begin->name)) return nullptr;
    return std::make_unique<Base64File>();
  }
  const bool is_uu = is_uu_line(next, UuAlphabet::uu);
  bool is_xx = is_uu_line(without_trailing_blanks(next), UuAlphabet::xx);
  if (is_uu && is_xx) is_xx = notes.choose(Ambiguity::xxencode) == 1;
  if ((!is_uu && !is_xx) || !sink.begin_file(begin->name)) return nullptr;
  return std::make_unique<UuFile>(is_xx ? UuAlphabet::xx : UuAlphabet::uu);
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
