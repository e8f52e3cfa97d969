// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/base/line_splitter.h"

namespace mxfeed {

void LineSplitter::feed(std::string_view piece, const See& see) {
  for (auto end_of_line = piece.find('\n'); end_of_line != std::string_view::npos;
       end_of_line = piece.find('\n')) {
    add(piece.substr(0, end_of_line));
    piece.remove_prefix(end_of_line + 1);
    end(see);
  }
  add(piece);
}

void LineSplitter::finish(const See& see) {
  if (unfinished_ > 0) end(see);
}

void LineSplitter::add(std::string_view text) {
  unfinished_ += text.size();
  if (unfinished_ > most_) {
    line_.clear();
  } else {
    line_ += text;
  }
}

void LineSplitter::end(const See& see) {
  if (unfinished_ > most_) {
    ++left_out_;
  } else {
    see(line_);
  }
  line_.clear();
  unfinished_ = 0;
}

}  // namespace mxfeed
