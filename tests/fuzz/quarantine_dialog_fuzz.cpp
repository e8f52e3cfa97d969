// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a client of mxfeed-quarantine sends: in one piece and octet by octet it is the
// same, and what is delivered can be written into commands again.

#include <algorithm>

#include "postfix-conf/quarantine/dialog.h"
#include "postfix-conf/quarantine/released_content.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace mxfeed;
using namespace mxfeed::quarantine;
using mxfeed::fuzz::require;

class Recorder : public Delivery {
 public:
  void begin(const Arrival& arrival) override {
    require(!is_open_, "one message at a time");
    require(!arrival.held.empty() || !arrival.receipts.empty(), "it has a recipient");
    is_open_ = true;
    text_ += "begin\n";
  }
  void add(std::string_view content) override {
    require(is_open_, "content belongs to a message");
    text_ += content;
  }
  void end(const Arrival& arrival) override {
    require(is_open_, "an end has a beginning");
    is_open_ = false;
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' '; };
    require(std::none_of(arrival.sender.begin(), arrival.sender.end(), is_control),
            "one line for MAIL FROM");
    for (const auto& one : arrival.held) {
      require(is_exchangeable(one.recipient), "one word for RCPT TO");
      const auto address = one.str();
      require(HeldAddress::parse(address.substr(0, address.rfind('@'))) == one,
              "an address is its own address");
    }
    ReleasedContent released;
    std::string sent = released.next(text_) + released.finish();
    require(sent.ends_with(".\r\n"), "what is released has an end");
    require(sent.find("\n.\r\n") >= sent.size() - 4, "and only one");
    text_ += "\nend\n";
  }
  void abandon() noexcept override { is_open_ = false; }
  const std::string& text() const { return text_; }

 private:
  bool is_open_ = false;
  std::string text_;
};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::as_text(data, size);
  Recorder at_once, by_octet;
  std::string replies, more;
  {
    Dialog dialog(at_once, "mx", 10'000);
    dialog.feed(text);
    replies = dialog.take_replies();
    Dialog other(by_octet, "mx", 10'000);
    for (std::size_t i = 0; i < text.size(); ++i) {
      other.feed(text.substr(i, 1));
      more += other.take_replies();
    }
    require(dialog.is_over() == other.is_over(), "they end alike");
  }
  require(replies.starts_with("220 "), "it greets");
  require(more.empty() || replies == more, "the replies are the same");
  require(at_once.text() == by_octet.text(), "what is delivered is the same");
  return 0;
}
