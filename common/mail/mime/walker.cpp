// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/mime/walker.h"

#include "common/mail/mime/walk.h"

namespace mxfeed::mime {

Walker::Walker(Visitor& visitor, Limits limits, const Reading& reading)
    : walk_(std::make_unique<Walk>(visitor, limits, reading)) {}
Walker::~Walker() = default;

void Walker::field(std::string_view name, std::string_view value) {
  walk_->field(name, value);
}
void Walker::body(std::string_view chunk) {
  walk_->body(chunk);
}
void Walker::end() {
  walk_->end();
}

Anomalies Walker::anomalies() const {
  return walk_->notes().anomalies;
}
const Ambiguities& Walker::ambiguities() const {
  return walk_->notes().ambiguities;
}
std::uint64_t Walker::walked() const {
  return walk_->bytes();
}
std::size_t Walker::parts() const {
  return walk_->parts();
}

}  // namespace mxfeed::mime
