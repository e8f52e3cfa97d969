// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a live check found.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mxfeed {

enum class Outcome : std::uint8_t {
  ok,
  note,     // works, but should be looked at
  failed,   // mail is lost, late or unfiltered, or the customer's server is abused
  unknown,  // could not be tested now
};

std::string_view to_string(Outcome outcome);

struct Finding {
  Outcome outcome = Outcome::ok;
  std::string check;    // a word for each rule: "mx-alias"
  std::string subject;  // what was looked at
  std::string cause;    // what is so
  std::string advice;   // what to change; empty if ok
  bool operator==(const Finding&) const = default;
};

// Collects findings about one subject after the other.
class Findings {
 public:
  void ok(std::string_view check, std::string_view subject, std::string cause);
  void note(std::string_view check, std::string_view subject, std::string cause,
            std::string advice);
  void failed(std::string_view check, std::string_view subject, std::string cause,
              std::string advice);
  void unknown(std::string_view check, std::string_view subject, std::string cause);

  void append(std::vector<Finding> more);
  const std::vector<Finding>& all() const { return all_; }
  bool has(Outcome outcome) const;

 private:
  std::vector<Finding> all_;
};

}  // namespace mxfeed
