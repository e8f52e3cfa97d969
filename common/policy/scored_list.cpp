// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/policy/scored_list.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <variant>
#include <vector>

#include "common/base/text.h"

namespace mxfeed {
namespace {

using Subject = ScoredList::Subject;
constexpr std::array kSubjects{Subject::client, Subject::url, Subject::sender};

std::optional<Subject> subject_of(std::string_view word) {
  for (const auto subject : kSubjects) {
    if (to_string(subject) == word) return subject;
  }
  return std::nullopt;
}

std::optional<double> weight_of(std::string_view word) {
  double weight = 0;
  const auto [end, error] =
      std::from_chars(word.data(), word.data() + word.size(), weight);
  const bool is_number = error == std::errc() && end == word.data() + word.size();
  // Not a number compares false.
  if (!is_number || !(std::abs(weight) <= ScoredList::kMost) || weight == 0) {
    return std::nullopt;
  }
  return weight;
}

struct Parts {
  Subject subject;
  BlockList list;
  double weight;
};

// Or what is wrong.
std::variant<Parts, std::string> parts_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (const auto word : split(text, ' ')) {
    if (!word.empty()) words.push_back(word);
  }
  if (words.size() != 3) {
    return R"(must look like "client zen.example=127.0.0.[2..11] 2.5")";
  }
  const auto subject = subject_of(words[0]);
  if (!subject) return R"(begins with neither "client", "url" nor "sender")";
  const auto list = BlockList::parse(words[1]);
  if (!list) {
    return "the list must have a mask of answers: zen.example=127.0.0.[2..11]";
  }
  const auto weight = weight_of(words[2]);
  if (!weight) {
    return fmt::format("the weight must be from -{0} to {0}, and not 0",
                       ScoredList::kMost);
  }
  return Parts{*subject, *list, *weight};
}

}  // namespace

std::optional<ScoredList> ScoredList::parse(std::string_view text) {
  auto parts = parts_of(text);
  auto* const good = std::get_if<Parts>(&parts);
  if (good == nullptr) return std::nullopt;
  return ScoredList(text, good->subject, std::move(good->list), good->weight);
}

std::string ScoredList::why_not(std::string_view text) {
  const auto parts = parts_of(text);
  const auto* const wrong = std::get_if<std::string>(&parts);
  return wrong == nullptr ? "" : *wrong;
}

std::string_view to_string(ScoredList::Subject subject) {
  switch (subject) {
    case Subject::client:
      return "client";
    case Subject::url:
      return "url";
    case Subject::sender:
      return "sender";
  }
  return "?";
}

}  // namespace mxfeed
