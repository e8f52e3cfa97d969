// SPDX-License-Identifier: GPL-2.0-or-later
//
// The parts of a message that evidence is drawn from: its header fields, an inventory of
// its parts and the start of its text, decoded.  Bounded for any message.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/mail/mailbox.h"
#include "common/mail/mime/walker.h"
#include "milters/spam/evidence/html.h"

namespace mxfeed::spam {

struct Field {
  std::string name;
  std::string value;  // as received; cut at ReadLimits::field
};

// A leaf part or uuencoded file.
struct PartInfo {
  std::string type;
  std::string disposition;
  std::vector<std::string> file_names;
  std::uint64_t bytes = 0;  // decoded
  bool uuencoded = false;
};

struct Message {
  std::vector<Field> fields;
  std::vector<PartInfo> parts;
  std::string plain;        // the text parts as UTF-8, HTML not included
  std::string html_source;  // the HTML parts as UTF-8
  Html html;                // what they show
  bool gtube = false;       // the test line is in a text part, as a reader sees it
  mime::Anomalies anomalies;
  bool whole = true;  // false if the message has more than was read
  Time received;      // time of receipt
  // It is for a domain that we are the backup of, and the main server answers.
  bool main_answers = false;

  // The value of the first field of that name (in any case); nullptr if there is none.
  const std::string* find(std::string_view name) const;
  std::size_t count(std::string_view name) const;
};

// Those in all fields of that name, in any case; at most `most`.
std::vector<Mailbox> mailboxes(const Message& message, std::string_view name,
                               std::size_t most);

// Whether its fields show that it comes from a mailing list.
bool is_list_mail(const Message& message);

struct ReadLimits {
  std::size_t fields = 500;
  std::size_t field = std::size_t{8} * 1024;   // bytes of one value
  std::size_t text = std::size_t{512} * 1024;  // decoded, of all text parts
  std::size_t body = 4 << 20;                  // bytes that are read at all
  std::size_t parts = 1000;
};

// Reads a message as it streams by.  One thread at a time.
class Reader {
 public:
  explicit Reader(const ReadLimits& limits = {});
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  void field(std::string_view name, std::string_view value);
  void body(std::string_view chunk);
  // Ends the message; to be called once.
  Message finish(Time received);

 private:
  struct Parts;
  const ReadLimits limits_;
  Message message_;
  std::unique_ptr<Parts> parts_;
  std::unique_ptr<mime::Walker> walker_;
  std::size_t walked_ = 0;
};

// Shows the fields of a message's header, and returns its body.  A leading "From " line
// is skipped.
std::string_view each_field(
    std::string_view message,
    const std::function<void(std::string_view name, std::string_view value)>& see);

// A whole message from a file (LF or CRLF; a leading "From " line is skipped).
Message read_message(std::string_view bytes, Time received,
                     const ReadLimits& limits = {});

}  // namespace mxfeed::spam
