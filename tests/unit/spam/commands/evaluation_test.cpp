// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/commands/evaluation.h"

#include <string>

#include "milters/spam/commands/evaluation_plot.h"
#include "tests/support/catch.h"

namespace mxfeed::spam {
namespace {

using Found = std::vector<Evidence>;

const Found kWeak = {{"subject-empty", Group::subject, 0.25}};
const Found kSure = {{"content", Group::content, 7, false, Alone::high},
                     {"html-only", Group::html, 0.9}};

void add(Evaluation& evaluation, const Found& findings, bool is_spam, int count) {
  for (int i = 0; i < count; ++i) evaluation.add(score(findings), findings, is_spam);
}

TEST_CASE("mails are counted by their level and by what was found", "[spam]") {
  Evaluation evaluation;
  add(evaluation, kWeak, false, 3);
  add(evaluation, kWeak, true, 1);
  add(evaluation, kSure, true, 300);
  CHECK(evaluation.ham() == 3);
  CHECK(evaluation.spam() == 301);
  CHECK(evaluation.levels()[0] == Reliability::Row{3, 1});
  CHECK(evaluation.levels()[1] == Reliability::Row{});
  CHECK(evaluation.levels()[3] == Reliability::Row{0, 300});
  CHECK(evaluation.evidence().at("subject-empty") == Reliability::Row{3, 1});
  CHECK(evaluation.evidence().at("html-only") == Reliability::Row{0, 300});
  const std::string json = evaluation.json().str();
  CAPTURE(json);
  CHECK(json.find(R"("high": {"ham": 0, "spam": 300, "spam_percent": 100)") != json.npos);
  CHECK(json.find(R"("low": {"ham": 0, "spam": 0, "spam_percent": null)") != json.npos);
  CHECK(evaluation.table().find("high         0     300    100.0      99.1\n") !=
        std::string::npos);
}

TEST_CASE("without one of the classes nothing is ranked", "[spam]") {
  Evaluation evaluation;
  CHECK(evaluation.json().str().find(R"("misranked_percent": null)") !=
        std::string::npos);
  add(evaluation, kWeak, false, 3);
  CHECK(evaluation.json().str().find(R"("misranked_percent": null)") !=
        std::string::npos);
  CHECK(evaluation.table().find("ranked") == std::string::npos);
  add(evaluation, kSure, true, 1);
  CHECK(evaluation.json().str().find(R"("misranked_percent": 0)") != std::string::npos);
}

std::size_t count_of(const std::string& text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

TEST_CASE("a plot has a curve and a dot for each class of probabilities", "[spam]") {
  std::vector<Judged> judged;
  for (int i = -60; i <= 60; ++i) judged.push_back({i / 10.0, i > 0 || i % 7 == 0});
  struct {
    const char* name;
    std::vector<Judged> judged;
    std::size_t curves, dots;
  } const rows[] = {
      {"nothing", {}, 0, 0},
      {"ham only", {{-1, false}, {-2, false}}, 0, 1},
      {"spam only", {{1, true}}, 0, 1},
      {"all", judged, 1, 8},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const std::string svg = plot(row.judged);
    CHECK(svg.starts_with("<svg xmlns="));
    CHECK(svg.ends_with("</svg>\n"));
    CHECK(count_of(svg, "<polyline") == row.curves);
    CHECK(count_of(svg, "<circle") == row.dots);
    CHECK(svg.find("nan") == svg.npos);
    CHECK(svg.find("inf") == svg.npos);
  }
}

}  // namespace
}  // namespace mxfeed::spam
