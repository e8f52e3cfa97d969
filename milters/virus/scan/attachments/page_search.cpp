// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/attachments/page_search.h"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace mxfeed::virus {
namespace {

// What a word is a sign of.
enum class Sign : std::uint8_t {
  makes_file,   // a file from bytes
  decodes,      // bytes from text
  saves,        // handing out the file
  holds_file,   // a file as a link
  writes_page,  // a page from text that is not legible
};

struct Word {
  Sign sign;
  std::string_view text;
};

// Names of functions: their case counts.
constexpr Word kWords[] = {
    {Sign::makes_file, "createObjectURL"},
    {Sign::makes_file, "msSaveBlob"},
    {Sign::makes_file, "msSaveOrOpenBlob"},
    {Sign::decodes, "atob("},
    {Sign::decodes, "fromCharCode"},
    {Sign::decodes, "charCodeAt"},
    {Sign::decodes, "Uint8Array"},
    {Sign::decodes, "unescape("},
    {Sign::saves, "download"},
    {Sign::saves, ".click("},
    {Sign::saves, "msSave"},
    {Sign::saves, "location"},
    {Sign::holds_file, "data:application/octet-stream"},
    {Sign::holds_file, "data:application/zip"},
    {Sign::holds_file, "data:application/x-zip"},
    {Sign::holds_file, "data:application/x-msdownload"},
    {Sign::holds_file, "data:application/x-iso"},
    {Sign::holds_file, "data:application/x-rar"},
    {Sign::holds_file, "data:application/x-7z"},
    {Sign::writes_page, "eval(atob("},
    {Sign::writes_page, "eval(unescape("},
    {Sign::writes_page, "write(atob("},
    {Sign::writes_page, "write(unescape("},
};
constexpr std::size_t kLongest = 29;
static_assert(std::ranges::all_of(kWords, [](const Word& word) {
  return word.text.size() <= kLongest;
}));
static_assert(std::size(kWords) <= 32);

bool has(std::string_view text, std::string_view word) {
  return ::memmem(text.data(), text.size(), word.data(), word.size()) != nullptr;
}

}  // namespace

// Of each way to build a file, a piece of the rarest word that it needs.
bool may_build_file(std::string_view page) {
  for (const std::string_view word :
       {"createObjectURL", "msSave", "data:application/", "(atob(", "(unescape("}) {
    if (has(page, word)) return true;
  }
  return false;
}

void PageSearch::add(std::string_view piece) {
  // Words that stand across the cut.
  if (!tail_.empty()) search(tail_ + std::string(piece.substr(0, kLongest)));
  search(piece);
  tail_ += piece.substr(piece.size() - std::min(piece.size(), kLongest));
  if (tail_.size() > kLongest) tail_.erase(0, tail_.size() - kLongest);
}

void PageSearch::search(std::string_view text) {
  for (std::size_t i = 0; i < std::size(kWords); ++i) {
    if ((found_ >> i & 1) == 0 && has(text, kWords[i].text)) found_ |= 1u << i;
  }
}

bool PageSearch::builds_file() const {
  const auto shows = [this](Sign sign) {
    for (std::size_t i = 0; i < std::size(kWords); ++i) {
      if (kWords[i].sign == sign && (found_ >> i & 1) != 0) return true;
    }
    return false;
  };
  const bool saves = shows(Sign::saves);
  return (shows(Sign::makes_file) && shows(Sign::decodes) && saves) ||
         (shows(Sign::holds_file) && saves) || shows(Sign::writes_page);
}

}  // namespace mxfeed::virus
