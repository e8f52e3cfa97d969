// SPDX-License-Identifier: GPL-2.0-or-later
//
// A document for people, printed as text or as HTML.  Pure.

#pragma once

#include <string>
#include <vector>

namespace mxfeed {

class Sheet {
 public:
  explicit Sheet(std::string title) : title_(std::move(title)) {}

  // What follows belongs to it.
  void heading(std::string text);
  // A paragraph.
  void say(std::string text);
  // An item of a list; items in a row are one list.
  void item(std::string text);
  // To be copied as it stands; it ends in a newline.
  void code(std::string text);

  // Lines of up to 78 columns, but for code.
  std::string text() const;
  // A page that needs nothing else.  All text is escaped.
  std::string html() const;

 private:
  enum class Kind { heading, paragraph, item, code };
  struct Part {
    Kind kind;
    std::string text;
  };
  std::string title_;
  std::vector<Part> parts_;
};

}  // namespace mxfeed
