// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/net/http.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <memory>
#include <utility>

#include "common/base/fault.h"

namespace mxfeed::http {
namespace {

// An exchange with a web server.
class Exchange {
 public:
  Exchange(const std::string& url, const char* protocols)
      : handle_(::curl_easy_init(), ::curl_easy_cleanup) {
    static const CURLcode global = ::curl_global_init(CURL_GLOBAL_DEFAULT);
    if (!handle_ || global != CURLE_OK) {
      code_ = CURLE_FAILED_INIT;
      return;
    }
    set(CURLOPT_URL, url.c_str());
    set(CURLOPT_PROTOCOLS_STR, protocols);
    set(CURLOPT_TIMEOUT_MS,
        static_cast<long>(std::chrono::milliseconds(kPatience).count()));
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_USERAGENT, "mxfeed/" MXFEED_VERSION);
    set(CURLOPT_WRITEFUNCTION, &Exchange::append);
    set(CURLOPT_WRITEDATA, this);
  }

  void set_most(std::size_t bytes) { most_ = bytes; }

  template <typename Value>
  void set(CURLoption option, Value value) {
    if (code_ == CURLE_OK) code_ = ::curl_easy_setopt(handle_.get(), option, value);
  }

  // Why there is no answer; empty if there is one.
  std::string run() {
    if (code_ == CURLE_OK) code_ = ::curl_easy_perform(handle_.get());
    return code_ == CURLE_OK ? std::string() : ::curl_easy_strerror(code_);
  }

  long status() const {
    long status = 0;
    ::curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
    return status;
  }
  std::string take_body() { return std::move(body_); }

 private:
  static std::size_t append(char* bytes, std::size_t size, std::size_t count,
                            void* user) {
    auto& self = *static_cast<Exchange*>(user);
    const std::size_t length = size * count;
    if (length > self.most_ - self.body_.size()) return 0;  // ends the exchange
    self.body_.append(bytes, length);
    return length;
  }

  std::unique_ptr<CURL, void (*)(CURL*)> handle_;
  CURLcode code_ = CURLE_OK;
  std::size_t most_ = kMaxBody;
  std::string body_;
};

}  // namespace

std::optional<std::string> get(const std::string& url) {
  Exchange exchange(url, "https");
  if (!exchange.run().empty() || exchange.status() != 200) return std::nullopt;
  return exchange.take_body();
}

std::string post_json(const std::string& url, const std::string& json) {
  const std::unique_ptr<curl_slist, void (*)(curl_slist*)> fields(
      ::curl_slist_append(nullptr, "Content-Type: application/json"),
      ::curl_slist_free_all);
  if (!fields) return "out of memory";
  Exchange exchange(url, "http,https");
  exchange.set(CURLOPT_HTTPHEADER, fields.get());
  exchange.set(CURLOPT_POSTFIELDS, json.c_str());
  exchange.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(json.size()));
  if (auto cause = exchange.run(); !cause.empty()) return cause;
  const long status = exchange.status();
  return status / 100 == 2 ? std::string() : fmt::format("the answer was {}", status);
}

std::string post(const Question& question) {
  std::unique_ptr<curl_slist, void (*)(curl_slist*)> fields(nullptr,
                                                            ::curl_slist_free_all);
  const auto add = [&](const std::string& field) {
    curl_slist* const longer = ::curl_slist_append(fields.get(), field.c_str());
    if (longer == nullptr) throw Fault("ask", question.url, "out of memory");
    static_cast<void>(fields.release());
    fields.reset(longer);
  };
  // A server would answer "go on" first, and curl wait for that.
  add("Expect:");
  for (const auto& [name, value] : question.fields) add(name + ": " + value);
  Exchange exchange(question.url, "http");
  exchange.set_most(question.most);
  exchange.set(CURLOPT_HTTPHEADER, fields.get());
  exchange.set(CURLOPT_POSTFIELDS, question.body.data());
  exchange.set(CURLOPT_POSTFIELDSIZE_LARGE,
               static_cast<curl_off_t>(question.body.size()));
  exchange.set(CURLOPT_TIMEOUT_MS, static_cast<long>(question.patience.count()));
  exchange.set(CURLOPT_NOPROXY, "*");
  if (!question.unix_socket.empty()) {
    exchange.set(CURLOPT_UNIX_SOCKET_PATH, question.unix_socket.c_str());
  }
  if (const auto cause = exchange.run(); !cause.empty()) {
    throw Fault("ask", question.url, cause);
  }
  if (exchange.status() != 200) {
    throw Fault("ask", question.url, fmt::format("the answer was {}", exchange.status()));
  }
  return exchange.take_body();
}

}  // namespace mxfeed::http
