// SPDX-License-Identifier: GPL-2.0-or-later
//
// What an HTML part shows to its reader, and what it hides: a tolerant tokenizer, no
// tree.  Pure, linear time, memory bounded by the text.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mxfeed::spam {

struct Link {
  std::string target;  // href, entities decoded, at most 2 kB
  std::string text;    // what is shown, at most 2 kB
};

struct Html {
  std::string visible;                  // text shown, white space collapsed
  std::size_t hidden = 0;               // bytes of text in elements that are not shown
  std::vector<Link> links;              // at most 200
  std::size_t images = 0;               // loaded from the network
  std::vector<std::string> image_urls;  // of the first 50 of them
  bool refreshes = false;               // <meta http-equiv=refresh>
  bool has_form = false;
};

// `text` is UTF-8.
Html read_html(std::string_view text);

}  // namespace mxfeed::spam
