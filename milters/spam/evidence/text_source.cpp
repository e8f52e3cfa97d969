// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the text says, where that is the same in all mail of a kind: frauds that are sent
// from clean addresses and have neither links nor attachments.
#include <string.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "common/base/text.h"
#include "milters/spam/evidence/table.h"

namespace mxfeed::spam {
namespace {

constexpr std::size_t kLooked = std::size_t{16} * 1024;  // bytes of a page
// Where frauds say what they want.
constexpr std::size_t kBegin = std::size_t{4} * 1024;

// Money of a stranger that waits for a helper.
constexpr std::string_view kAdvanceFee[] = {
    "next of kin",
    "late husband",
    "late father",
    "deceased client",
    "foreign partner",
    "million dollars",
    "million us dollars",
    "million united states",
    "beneficiary",
    "inheritance",
    "unclaimed",
    "security company",
    "diplomatic",
    "consignment",
    "compensation fund",
    "transfer of the fund",
    "transfer the fund",
    "god bless",
    "utmost",
    "confidential",
    "modalities",
    "sum of us$",
    "percent of the",
    "% of the total",
    "bank account",
    "next-of-kin",
    "humbly",
    "business proposal",
    "barrister",
    "contract payment",
    "lottery",
    "winning number",
};
constexpr std::size_t kManyAdvanceFee = 4;

// Somebody claims to have watched the reader.
constexpr std::string_view kWatched[] = {
    "webcam",  "camera",        "recorded", "your password", "porn",    "masturbat",
    "malware", "your contacts", "hacked",   "infected",      "footage", "adult"};
constexpr std::size_t kManyWatched = 3;

// memmem(3) is several times faster than std::string::find().
bool has(const std::string& text, std::string_view phrase) {
  return ::memmem(text.data(), text.size(), phrase.data(), phrase.size()) != nullptr;
}

template <std::size_t size>
std::size_t count_in(const std::string& text, const std::string_view (&phrases)[size]) {
  return static_cast<std::size_t>(
      std::count_if(std::begin(phrases), std::end(phrases),
                    [&](std::string_view phrase) { return has(text, phrase); }));
}

// Saves the search for all phrases in nearly all mail.
bool may_be_advance_fee(const std::string& text) {
  static constexpr std::string_view kMarks[] = {"million", "beneficiary", "next of kin",
                                                "inherit", "lottery",     "the fund"};
  return count_in(text, kMarks) > 0;
}

bool asks_for_bitcoin(const std::string& text) {
  return has(text, "bitcoin") || has(text, " btc");
}

// Hashes of the words of at least four letters, each once, in rising order.
std::vector<std::size_t> words_of(std::string_view text) {
  constexpr std::size_t kLeast = 4;
  std::vector<std::size_t> words;
  std::string word;
  for (const char c : text) {
    if (is_letter(c) || static_cast<unsigned char>(c) >= 0x80) {
      word += ascii_lower(c);
      continue;
    }
    if (word.size() >= kLeast) words.push_back(std::hash<std::string>()(word));
    word.clear();
  }
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  return words;
}

// Whether the plain text is not that of the page, so that filters and readers see two
// messages.
bool parts_differ(const Message& message) {
  constexpr std::size_t kEnoughWords = 30;
  constexpr std::size_t kMostOfPart = std::size_t{4} * 1024;
  const std::vector<std::size_t> plain =
      words_of(std::string_view(message.plain).substr(0, kMostOfPart));
  if (plain.size() < kEnoughWords) return false;
  const std::vector<std::size_t> page =
      words_of(std::string_view(message.html.visible).substr(0, kLooked));
  if (page.size() < kEnoughWords) return false;
  const auto shared = std::count_if(plain.begin(), plain.end(), [&](std::size_t word) {
    return std::binary_search(page.begin(), page.end(), word);
  });
  return static_cast<std::size_t>(shared) * 5 < plain.size();
}

// In lower case; line ends stand between words.
std::string begin_of(const Message& message) {
  std::string text(std::string_view(message.plain).substr(0, kBegin));
  text += ' ';
  text += std::string_view(message.html.visible).substr(0, kBegin);
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return is_space(c) ? ' ' : ascii_lower(c); });
  return text;
}

}  // namespace

void TextSource::judge(const Message& message, Findings& findings) const {
  const std::string text = begin_of(message);
  if (may_be_advance_fee(text) && count_in(text, kAdvanceFee) >= kManyAdvanceFee) {
    findings.add(evidence("text-advance-fee"));
  }
  if (asks_for_bitcoin(text) && count_in(text, kWatched) >= kManyWatched) {
    findings.add(evidence("text-extortion"));
  }
  if (parts_differ(message)) findings.add(evidence("text-parts-differ"));
}

}  // namespace mxfeed::spam
