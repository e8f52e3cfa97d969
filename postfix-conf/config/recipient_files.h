// SPDX-License-Identifier: GPL-2.0-or-later
//
// Files of recipients: an address or a local part in each line, "#" begins a comment.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mxfeed {

class RecipientFile {
 public:
  struct Damage {
    std::size_t line;
    std::string cause;
  };

  // A line that is neither an address nor a local part is left out, and noted.
  static RecipientFile parse(std::string_view text);

  // The local parts for a domain, lower case, in ascending order, each once: those of
  // addresses in it, and those without a domain.
  std::vector<std::string> of(std::string_view domain) const;
  // The first line that is wrong.
  const std::optional<Damage>& damage() const { return damage_; }

 private:
  struct Recipient {
    std::string domain, local_part;  // the domain is empty for all domains
    auto operator<=>(const Recipient&) const = default;
  };
  std::vector<Recipient> all_;  // in ascending order
  std::optional<Damage> damage_;
};

}  // namespace mxfeed
