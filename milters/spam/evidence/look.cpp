// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/evidence/look.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/uspoof.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/base/fault.h"

namespace mxfeed::spam {
namespace {

constexpr std::size_t kMostBytes = 1000;  // of a name

using Words = std::vector<std::string>;

struct Close {
  void operator()(USpoofChecker* checker) const { uspoof_close(checker); }
};

const USpoofChecker* checker() {
  static const std::unique_ptr<USpoofChecker, Close> one = [] {
    UErrorCode status = U_ZERO_ERROR;
    std::unique_ptr<USpoofChecker, Close> made(uspoof_open(&status));
    if (U_FAILURE(status)) throw Fault("open", "ICU", u_errorName(status));
    uspoof_setRestrictionLevel(made.get(), USPOOF_HIGHLY_RESTRICTIVE);
    uspoof_setChecks(made.get(), USPOOF_RESTRICTION_LEVEL, &status);
    return made;
  }();
  return one.get();
}

const icu::Normalizer2& folding() {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* const one = icu::Normalizer2::getNFKCCasefoldInstance(status);
  if (U_FAILURE(status)) throw Fault("open", "ICU", u_errorName(status));
  return *one;
}

icu::UnicodeString folded(const icu::UnicodeString& text) {
  UErrorCode status = U_ZERO_ERROR;
  return folding().normalize(text, status);
}

// The same for all texts that look alike.
icu::UnicodeString skeleton(const icu::UnicodeString& text) {
  UErrorCode status = U_ZERO_ERROR;
  icu::UnicodeString result;
  uspoof_getSkeletonUnicodeString(checker(), 0, text, result, &status);
  return result;
}

// Without marks above and below letters.
Words words_of(const icu::UnicodeString& text) {
  Words words;
  icu::UnicodeString word;
  const auto end_word = [&] {
    if (word.isEmpty()) return;
    word.toUTF8String(words.emplace_back());
    word.remove();
  };
  for (std::int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) {
    const UChar32 c = text.char32At(i);
    if (u_isalnum(c)) {
      word.append(c);
    } else if (u_charType(c) != U_NON_SPACING_MARK && u_charType(c) != U_FORMAT_CHAR) {
      end_word();
    }
  }
  end_word();
  std::sort(words.begin(), words.end());
  return words;
}

bool has_all(const Words& shown, const Words& name) {
  if (name.empty()) return false;
  if (name.size() == 1) return shown == name;
  return std::includes(shown.begin(), shown.end(), name.begin(), name.end());
}

icu::UnicodeString text_of(std::string_view bytes) {
  bytes = bytes.substr(0, kMostBytes);
  return icu::UnicodeString::fromUTF8(
      icu::StringPiece(bytes.data(), static_cast<std::int32_t>(bytes.size())));
}

}  // namespace

bool shows_name(std::string_view shown, std::string_view name) {
  const icu::UnicodeString a = text_of(shown);
  const icu::UnicodeString b = text_of(name);
  // Some letters look like others in one case only: I and l, but not i.
  return has_all(words_of(skeleton(folded(a))), words_of(skeleton(folded(b)))) ||
         has_all(words_of(folded(skeleton(a))), words_of(folded(skeleton(b))));
}

bool is_of_mixed_scripts(std::string_view word) {
  UErrorCode status = U_ZERO_ERROR;
  const std::int32_t found =
      uspoof_checkUnicodeString(checker(), text_of(word), nullptr, &status);
  return U_SUCCESS(status) && found != 0;
}

}  // namespace mxfeed::spam
