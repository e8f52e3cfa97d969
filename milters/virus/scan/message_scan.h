// SPDX-License-Identifier: GPL-2.0-or-later
//
// Scans a message with all that mail programs may find in it.
//
// The engine first gets the whole message, then each part that it did not show
// (completeness.h), and what leaf.h finds in the parts.  No I/O of its own; one thread.

#pragma once

#include <cstdint>
#include <string_view>

#include "milters/virus/protocol/wire.h"
#include "milters/virus/scan/attachments/collector.h"
#include "milters/virus/scan/completeness.h"
#include "milters/virus/scan/leaf.h"

namespace mxfeed::virus {

// What MessageScan needs of the engine.
class PlainEngine {
 public:
  virtual ~PlainEngine() = default;
  // Scans one content, and keeps what it finds; adds the objects in it to `shown`, if it
  // is not null.
  virtual void scan(std::string_view content, Seen* shown) = 0;
  virtual void found(ScanVerdict verdict, std::string_view name) = 0;
  // Whether another scan can change the result, and there is time for it.
  virtual bool goes_on() = 0;
};

class MessageScan : public LeafUser {
 public:
  // `attachments` gets the attachments that the walks find; may be null.
  MessageScan(PlainEngine& engine, FeedRule rule,
              AttachmentCollector* attachments = nullptr)
      : engine_(engine), rule_(rule), attachments_(attachments) {}

  void run(std::string_view mail);
  // Parts that were given to the engine separately.
  std::uint32_t parts_fed() const { return parts_fed_; }

  // What was found in the message.
  void file(std::string_view content) override;
  void message(std::string_view mail) override;
  void found(ScanVerdict verdict, std::string_view name) override;

 private:
  void run(std::string_view mail, const ReadingLimits& limits);
  bool use(const mime::Part& part, std::string_view content, const Pick& pick);
  void feed(std::string_view content);

  PlainEngine& engine_;
  const FeedRule rule_;
  AttachmentCollector* const attachments_;
  std::uint32_t parts_fed_ = 0;
  unsigned depth_ = 0;  // of messages that were found in leaf parts
};

}  // namespace mxfeed::virus
