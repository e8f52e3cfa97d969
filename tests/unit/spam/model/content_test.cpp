// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/model/content.h"

#include <cmath>
#include <string>

#include "milters/spam/model/view.h"
#include "tests/support/catch.h"

namespace mxfeed::spam {
namespace {

constexpr std::string_view kHeader = "From: a@b.example\nSubject: hello\n\n";

// `count` different words that begin with the letter.
std::string words(char letter, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    text += letter + std::to_string(i * 7919 % 10'007) + (i % 10 == 9 ? "\n" : " ");
  }
  return text;
}

Content content(const std::string& text) {
  return content_of(read_message(std::string(kHeader) + text, Time{}));
}

// A model to which sequences that are in `spam` are spam, and those in `ham` are ham.
Weights model_of(const std::string& spam, const std::string& ham) {
  Weights weights(kBuckets);
  for (const std::uint32_t bucket : features_of(spam)) weights[bucket] += 0.3F;
  for (const std::uint32_t bucket : features_of(ham)) weights[bucket] -= 0.3F;
  return weights;
}

TEST_CASE("harmless text beside spam does not hide it", "[spam]") {
  const std::string spam = words('s', 150);
  const std::string ham = words('h', 1500);
  const Weights weights = model_of(spam, ham);
  const double alone = content_margin(content(spam), weights);
  CHECK(alone > 5);
  CHECK(content_margin(content(ham), weights) < -5);
  struct {
    const char* name;
    std::string text;
  } const rows[] = {{"behind it", spam + ham},
                    {"before it", ham + spam},
                    {"around it", ham.substr(0, 4000) + spam + ham.substr(4000)}};
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const Content padded = content(row.text);
    CHECK(margin(weights, padded.features) < 0);
    CHECK(content_margin(padded, weights) > 2);
    // The whole says how sure it is.
    CHECK(content_margin(padded, weights) < alone);
  }
}

TEST_CASE("a passage that is not clearly spam changes nothing", "[spam]") {
  const std::string ham = words('h', 600);
  Weights weights = model_of("", ham);
  for (const std::uint32_t bucket : features_of(words('x', 100)))
    weights[bucket] += 0.02F;
  const Content mixed = content(ham + words('x', 100));
  CHECK(content_margin(mixed, weights) < 0);
}

TEST_CASE("what is repeated counts once in a passage", "[spam]") {
  Weights weights(kBuckets);
  for (const std::uint32_t bucket : features_of("=====")) weights[bucket] = 1;
  const auto weight_of = [&](std::uint32_t bucket) { return weights[bucket]; };
  const double once = Passages({}, "=====").strongest(weight_of);
  CHECK(once == 1);
  CHECK(Passages({}, std::string(2000, '=')).strongest(weight_of) == once);
}

TEST_CASE("passages overlap and have what is common to all", "[spam]") {
  std::string text = words('h', 400);
  text.resize(2000, '.');
  for (std::size_t at = 0; at + 40 < text.size(); at += 97) {
    CAPTURE(at);
    std::string marked = text;
    marked.replace(at, 40, "the words of which each passage has some");
    Weights weights(kBuckets);
    for (const std::uint32_t bucket : features_of("of which each passage")) {
      weights[bucket] = 1;
    }
    const auto weight_of = [&](std::uint32_t bucket) { return weights[bucket]; };
    // 17 sequences, all in one passage.
    CHECK(Passages({}, marked).strongest(weight_of) > 16 / std::sqrt(kPassageBytes));
  }
  const auto weight_of = [](std::uint32_t bucket) { return bucket == 7 ? 1.0 : 0.0; };
  CHECK(Passages({7}, "").strongest(weight_of) == 1);
  CHECK(Passages({7, 8, 9, 10}, "").strongest(weight_of) == 0.5);
  CHECK(Passages({}, "").strongest(weight_of) == 0);
}

TEST_CASE("the text and the rest are apart, and more of the text is read", "[spam]") {
  const std::string text = words('h', 8000);
  const View view = view_of(read_message(std::string(kHeader) + text, Time{}));
  CHECK(view.whole.size() <= kViewBytes);
  CHECK(view.whole.size() > kViewBytes - 3);
  CHECK(view.text.size() <= kTextBytes);
  CHECK(view.text.size() > kTextBytes - 3);
  CHECK(view.text.starts_with("h0 h7919"));
  CHECK(view.common.find("Subject: hello") != view.common.npos);
  CHECK(view.common.find("h7919") == view.common.npos);
  const View brief = view_of(read_message(std::string(kHeader) + "hello", Time{}));
  CHECK(brief.whole == brief.common + brief.text);
}

}  // namespace
}  // namespace mxfeed::spam
