// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/commands/evaluation_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

#include "milters/spam/model/maturity.h"
#include "milters/spam/model/numeric.h"

namespace mxfeed::spam {
namespace {

constexpr double kSide = 320;  // of a diagram
constexpr double kTop = 50;
constexpr double kLeft = 70;
constexpr double kBetween = 110;
constexpr double kWidth = 2 * kLeft + 2 * kSide + kBetween - 30;
constexpr double kHeight = kTop + kSide + 60;

// The least rate of false alarms that is drawn: 0.01 %.
constexpr double kLeastRate = 1e-4;

constexpr std::string_view kStyle =
    "text{font:12px sans-serif;fill:#222}.title{font-size:14px;font-weight:bold}"
    ".axis{stroke:#222;fill:none}.grid{stroke:#ddd}.even{stroke:#999;stroke-dasharray:4 "
    "4}"
    ".line{stroke:#0b62a4;stroke-width:2;fill:none}.dot{fill:#0b62a4}.bar{stroke:#"
    "0b62a4}";

// A diagram of which both axes go from 0 to 1, with its lower left corner at `x`.
class Diagram {
 public:
  Diagram(double x, std::string_view title) : x_(x) {
    text(kSide / 2, -kSide - 20, "middle", title, " class=\"title\"");
    svg_ += fmt::format(R"(<rect class="axis" x="{}" y="{}" width="{}" height="{}"/>)",
                        x_, kTop, kSide, kSide);
    svg_ += '\n';
  }

  void line(std::string_view style, double x1, double y1, double x2, double y2) {
    svg_ += fmt::format(
        R"(<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>)", style,
        across(x1), up(y1), across(x2), up(y2));
    svg_ += '\n';
  }
  void curve(std::span<const std::pair<double, double>> points) {
    svg_ += R"(<polyline class="line" points=")";
    for (const auto& [x, y] : points)
      svg_ += fmt::format("{:.1f},{:.1f} ", across(x), up(y));
    svg_ += "\"/>\n";
  }
  void dot(double x, double y) {
    svg_ += fmt::format(R"(<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="4"/>)",
                        across(x), up(y));
    svg_ += '\n';
  }
  void mark_x(double x, std::string_view label) {
    line("grid", x, 0, x, 1);
    text(x * kSide, 18, "middle", label);
  }
  void mark_y(double y, std::string_view label) {
    line("grid", 0, y, 1, y);
    text(-8, 4 - y * kSide, "end", label);
  }
  void name_axes(std::string_view x, std::string_view y) {
    text(kSide / 2, 40, "middle", x);
    const double at = x_ - 48;
    const double middle = kTop + kSide / 2;
    svg_ += fmt::format(
        R"x(<text x="{}" y="{}" text-anchor="middle" transform="rotate(-90 {} {})">{}</text>)x",
        at, middle, at, middle, y);
    svg_ += '\n';
  }
  std::string svg() && { return std::move(svg_); }

 private:
  double across(double x) const { return x_ + x * kSide; }
  static double up(double y) { return kTop + (1 - y) * kSide; }
  // From the lower left corner, in pixels.
  void text(double right, double down, std::string_view anchor, std::string_view words,
            std::string_view style = "") {
    svg_ += fmt::format(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="{}"{}>{}</text>)",
                        x_ + right, kTop + kSide + down, anchor, style, words);
    svg_ += '\n';
  }

  const double x_;
  std::string svg_;
};

// Rates of false alarms on a logarithmic axis; what is less than the least is at its
// left.
double place_of(double rate) {
  return 1 - std::log10(std::max(rate, kLeastRate)) / std::log10(kLeastRate);
}

// A step for each ham, from the highest score on.
std::vector<std::pair<double, double>> roc(std::vector<Judged> all, double ham,
                                           double spam) {
  std::vector<SameScore> scores = by_score(std::move(all));
  std::reverse(scores.begin(), scores.end());
  std::vector<std::pair<double, double>> points;
  double alarms = 0;
  double found = 0;
  for (const SameScore& here : scores) {
    if (here.ham > 0) points.emplace_back(place_of(alarms / ham), found / spam);
    found += here.spam;
    alarms += here.ham;
    if (here.ham > 0) points.emplace_back(place_of(alarms / ham), found / spam);
  }
  return points;
}

std::string found_by_alarms(std::span<const Judged> judged, double ham, double spam) {
  Diagram diagram(kLeft, "Spam found, by false alarms");
  for (const auto& [rate, label] :
       {std::pair(1e-4, "0.01"), {1e-3, "0.1"}, {1e-2, "1"}, {0.1, "10"}, {1.0, "100"}}) {
    diagram.mark_x(place_of(rate), label);
  }
  for (int percent = 0; percent <= 100; percent += 20) {
    diagram.mark_y(percent / 100.0, std::to_string(percent));
  }
  diagram.name_axes("false alarms, % of the ham", "found, % of the spam");
  if (ham > 0 && spam > 0) diagram.curve(roc({judged.begin(), judged.end()}, ham, spam));
  return std::move(diagram).svg();
}

// Where the classes of probabilities begin.
constexpr double kClasses[] = {0, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1.1};

std::string spam_by_probability(std::span<const Judged> judged) {
  Diagram diagram(kLeft + kSide + kBetween, "Spam, by the probability that was given");
  for (int percent = 0; percent <= 100; percent += 20) {
    diagram.mark_x(percent / 100.0, std::to_string(percent));
    diagram.mark_y(percent / 100.0, std::to_string(percent));
  }
  diagram.name_axes("probability, %", "spam, % (bars: 90 % confidence)");
  diagram.line("even", 0, 0, 1, 1);
  for (std::size_t i = 0; i + 1 < std::size(kClasses); ++i) {
    double sum = 0;
    std::uint64_t all = 0;
    std::uint64_t spam = 0;
    for (const Judged& one : judged) {
      const double p = sigmoid(one.logit);
      if (p < kClasses[i] || p >= kClasses[i + 1]) continue;
      sum += p;
      ++all;
      spam += one.is_spam ? 1 : 0;
    }
    if (all == 0) continue;
    const double mean = sum / static_cast<double>(all);
    diagram.line("bar", mean, wilson_bound(spam, all), mean,
                 1 - wilson_bound(all - spam, all));
    diagram.dot(mean, static_cast<double>(spam) / static_cast<double>(all));
  }
  return std::move(diagram).svg();
}

}  // namespace

std::string plot(std::span<const Judged> judged) {
  const auto spam = static_cast<double>(std::count_if(
      judged.begin(), judged.end(), [](const Judged& one) { return one.is_spam; }));
  const double ham = static_cast<double>(judged.size()) - spam;
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" "
      "viewBox=\"0 0 {0} {1}\">\n<style>{2}</style>\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{3}{4}</svg>\n",
      kWidth, kHeight, kStyle, found_by_alarms(judged, ham, spam),
      spam_by_probability(judged));
}

}  // namespace mxfeed::spam
