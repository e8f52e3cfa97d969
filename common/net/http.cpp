// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/net/http.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <memory>
#include <utility>

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
    set(CURLOPT_WRITEDATA, &body_);
  }

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
    auto& body = *static_cast<std::string*>(user);
    const std::size_t length = size * count;
    if (length > kMaxBody - body.size()) return 0;  // ends the exchange
    body.append(bytes, length);
    return length;
  }

  std::unique_ptr<CURL, void (*)(CURL*)> handle_;
  CURLcode code_ = CURLE_OK;
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

}  // namespace mxfeed::http
