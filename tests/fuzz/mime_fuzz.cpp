// SPDX-License-Identifier: GPL-2.0-or-later
//
// A message: header fields up to an empty line, then the body.  In each reading parts
// must nest, no byte may be given twice, and where the body is cut must make no
// difference.

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "common/mail/charset.h"
#include "common/mail/mime/walker.h"
#include "tests/fuzz/fuzz.h"

namespace mxfeed::mime {
namespace {

using fuzz::require;

class Outline : public Visitor {
 public:
  void begin_part(const Part& part) override {
    require(part.number == data_.size(), "parts are numbered in order");
    require(open_.empty() || part.depth > open_.back()->depth, "depth grows inwards");
    require(is_utf8(part.charset), "the charset is UTF-8");
    for (const std::string& name : part.file_names) require(is_utf8(name), "UTF-8 names");
    open_.push_back(&part);
    std::string& text = data_.emplace_back();
    text = part.type + "/" + std::to_string(part.depth) + "/";
    for (const std::string& name : part.file_names) text += name + "/";
  }
  void data(const Part& part, std::string_view bytes) override {
    require(std::find(open_.begin(), open_.end(), &part) != open_.end(),
            "data is in order");
    data_[part.number] += bytes;
    // The parts of a message in a leaf are given besides the leaf.
    if (std::none_of(open_.begin(), open_.end(), [&](const Part* open) {
          return open->is_message && open != &part;
        })) {
      bytes_ += bytes.size();
    }
  }
  void end_part(const Part& part) override {
    require(!open_.empty() && open_.back() == &part, "parts nest");
    open_.pop_back();
  }

  std::size_t bytes() const { return bytes_; }
  bool closed() const { return open_.empty(); }
  const std::deque<std::string>& parts() const { return data_; }

 private:
  std::vector<const Part*> open_;
  std::deque<std::string> data_;
  std::size_t bytes_ = 0;
};

constexpr std::size_t kExpansion = 64;  // of BinHex, and of uuencode without its blanks

struct Result {
  Outline outline;
  Anomalies anomalies;
  Ambiguities ambiguities;
};

// Cuts the body into pieces of `cut` bytes, or of changing sizes if 0.
Result walk(std::string_view message, const Limits& limits, const Reading& reading,
            std::size_t cut) {
  Result result;
  Walker walker(result.outline, limits, reading);
  while (!message.empty()) {
    const std::size_t end = std::min(message.find('\n'), message.size());
    const std::string_view line = message.substr(0, end);
    message.remove_prefix(std::min(end + 1, message.size()));
    if (line.empty()) break;
    const std::size_t colon = std::min(line.find(':'), line.size());
    walker.field(line.substr(0, colon), line.substr(std::min(colon + 1, line.size())));
  }
  const std::size_t size = message.size();
  std::size_t step = 1;
  while (!message.empty()) {
    const std::size_t length = std::min(cut == 0 ? step : cut, message.size());
    // A copy, so that a view kept beyond the call is seen by ASan.
    walker.body(std::string(message.substr(0, length)));
    message.remove_prefix(length);
    step = step * 5 % 37 + 1;
  }
  walker.end();
  result.anomalies = walker.anomalies();
  require(result.outline.closed(), "all parts end");
  result.ambiguities = walker.ambiguities();
  const bool expands = result.anomalies.has(Anomaly::inline_encoded) ||
                       result.anomalies.has(Anomaly::uuencoded);
  require(result.outline.bytes() <= size * (expands ? kExpansion : 1),
          "no byte is given twice");
  require(walker.parts() == result.outline.parts().size(), "parts are counted");
  return result;
}

}  // namespace
}  // namespace mxfeed::mime

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mxfeed::mime;
  const std::string_view message = mxfeed::fuzz::as_text(data, size);
  Limits tight;
  tight.depth = 4;
  tight.encoded_depth = 2;
  tight.parts = 12;
  tight.header_bytes = 200;
  tight.boundary = 20;
  for (const Limits& limits : {Limits{}, tight}) {
    Readings readings(8);
    while (const auto reading = readings.next()) {
      const Result whole = walk(message, limits, *reading, size + 1);
      for (const std::size_t cut : {std::size_t{0}, std::size_t{1}}) {
        const Result other = walk(message, limits, *reading, cut);
        mxfeed::fuzz::require(other.outline.parts() == whole.outline.parts(),
                              "parts do not depend on the cuts");
        mxfeed::fuzz::require(other.anomalies == whole.anomalies,
                              "anomalies do not depend on the cuts");
        mxfeed::fuzz::require(other.ambiguities == whole.ambiguities,
                              "readings do not depend on the cuts");
      }
      static_cast<void>(whole.anomalies.str());
      readings.add(whole.ambiguities);
    }
  }
  return 0;
}
