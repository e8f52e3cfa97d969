// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a filter answers to Postfix, and why.  Only named constructors make one, so that
// reply and action always fit: libmilter silently drops a 4xx text on a reject.
//
// There is no "accept": SMFIS_ACCEPT would end the filtering of the whole message.

#pragma once

#include <string>
#include <string_view>

namespace mxfeed {

enum class Action { proceed, defer, reject, discard };

// A reply code with its enhanced code (RFC 3463): {450, "4.7.1"}.  A pair of different
// classes does not compile.
struct StatusCode {
  int basic;
  const char* enhanced;

  consteval StatusCode(int basic_code, const char* enhanced_code)
      : basic(basic_code), enhanced(enhanced_code) {
    if (basic_code / 100 != enhanced_code[0] - '0') throw "classes differ";
  }
};

class Verdict {
 public:
  // `reason` is a slug for logs and metrics ("greylist-too-early"), with static storage.
  // `text` goes to the client: generic, printable ASCII; the session escapes it.
  // "proceed" with a `reason` gives a log line, without one it gives none.
  static Verdict proceed(std::string_view reason = "") {
    return {Action::proceed, reason, 0, "", ""};
  }
  static Verdict defer(StatusCode code, std::string_view reason, std::string text) {
    return {Action::defer, reason, code.basic, code.enhanced, std::move(text)};
  }
  static Verdict reject(StatusCode code, std::string_view reason, std::string text) {
    return {Action::reject, reason, code.basic, code.enhanced, std::move(text)};
  }
  // The client gets 250 and the message is dropped.  Allowed at end of message only.
  static Verdict discard(std::string_view reason) {
    return {Action::discard, reason, 0, "", ""};
  }

  Action action() const { return action_; }
  std::string_view reason() const { return reason_; }
  int code() const { return code_; }
  std::string_view enhanced_code() const { return enhanced_; }
  const std::string& text() const { return text_; }

 private:
  Verdict(Action action, std::string_view reason, int code, std::string_view enhanced,
          std::string text)
      : action_(action),
        reason_(reason),
        code_(code),
        enhanced_(enhanced),
        text_(std::move(text)) {}

  Action action_;
  std::string_view reason_;
  int code_;
  std::string_view enhanced_;
  std::string text_;
};

}  // namespace mxfeed
