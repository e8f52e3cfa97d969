// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/edits.h"

#include <algorithm>

namespace mxfeed {
namespace {

bool is_indexed(const HeaderEdit& edit) {
  switch (edit.kind) {
    case HeaderEdit::Kind::replace:
    case HeaderEdit::Kind::remove:
      return true;
    case HeaderEdit::Kind::insert_first:
    case HeaderEdit::Kind::append:
      break;
  }
  return false;
}

}  // namespace

void MessageEdits::insert_first(std::string_view name, std::string_view value) {
  edits_.push_back(
      {HeaderEdit::Kind::insert_first, std::string(name), std::string(value)});
}
void MessageEdits::append(std::string_view name, std::string_view value) {
  edits_.push_back({HeaderEdit::Kind::append, std::string(name), std::string(value)});
}
void MessageEdits::replace(std::string_view name, unsigned index,
                           std::string_view value) {
  edits_.push_back(
      {HeaderEdit::Kind::replace, std::string(name), std::string(value), index});
}
void MessageEdits::remove(std::string_view name, unsigned index) {
  edits_.push_back({HeaderEdit::Kind::remove, std::string(name), "", index});
}

std::vector<HeaderEdit> MessageEdits::ordered() const {
  std::vector<HeaderEdit> edits = edits_;
  std::stable_sort(edits.begin(), edits.end(),
                   [](const HeaderEdit& a, const HeaderEdit& b) {
                     if (is_indexed(a) != is_indexed(b)) return is_indexed(a);
                     return is_indexed(a) && a.index > b.index;
                   });
  return edits;
}

}  // namespace mxfeed
