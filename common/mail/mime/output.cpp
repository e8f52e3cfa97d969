// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/mime/output.h"

namespace mxfeed::mime {
namespace {

constexpr std::size_t kFlush = std::size_t{16} * 1024;

}  // namespace

void Output::begin(Part& part) {
  flush();
  part.number = parts_++;
  visitor_.begin_part(part);
}

void Output::end(const Part& part) {
  flush();
  visitor_.end_part(part);
}

bool Output::may_expand(std::size_t more) {
  expanded_ += more;
  if (expanded_ <= limits_.expanded) return true;
  notes_.add(Anomaly::expands_too_much);
  return false;
}

void Output::give(const Part& part, std::string_view bytes) {
  if (bytes.empty()) return;
  if (held_of_ != &part || held_.size() >= kFlush) flush();
  held_of_ = &part;
  held_ += bytes;
}

void Output::flush() {
  if (!held_.empty()) visitor_.data(*held_of_, held_);
  held_.clear();
  held_of_ = nullptr;
}

}  // namespace mxfeed::mime
