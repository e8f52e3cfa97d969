// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/net/tls_client.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>

#include <cerrno>
#include <ctime>

#include "common/base/fault.h"

namespace mxfeed::tls {
namespace {

using Instant = std::chrono::steady_clock::time_point;

constexpr const char* kDoing = "talk TLS";

std::string last_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "the connection was closed";
  char text[256];
  ERR_error_string_n(code, text, sizeof text);
  return text;
}

struct ContextDeleter {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct SslDeleter {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
struct X509Deleter {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
struct BioDeleter {
  void operator()(BIO* bio) const { BIO_free(bio); }
};

std::string subject_of(const X509* certificate) {
  const std::unique_ptr<BIO, BioDeleter> memory(BIO_new(BIO_s_mem()));
  if (!memory || X509_NAME_print_ex(memory.get(), X509_get_subject_name(certificate), 0,
                                    XN_FLAG_ONELINE) < 0) {
    return {};
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string();
}

std::string fingerprint_of(const X509* certificate) {
  unsigned char octets[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), octets, &size) != 1) return {};
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    text += fmt::format("{}{:02X}", i == 0 ? "" : ":", octets[i]);
  }
  return text;
}

Time time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return Time(std::chrono::seconds(::timegm(&parts)));
}

}  // namespace

void wait_until(Ready ready, int fd, Instant deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd polled{fd, static_cast<short>(ready == Ready::to_read ? POLLIN : POLLOUT), 0};
    if (left.count() <= 0) throw Fault("wait for a server", "", "timed out");
    const int found = ::poll(&polled, 1, static_cast<int>(left.count()));
    if (found > 0) return;
    if (found < 0 && errno != EINTR) throw Fault("poll", "", errno_text(errno));
  }
}

class Connection::Handle {
 public:
  Handle(int fd, const std::string& name, Instant deadline)
      : fd_(fd), context_(SSL_CTX_new(TLS_client_method())) {
    if (!context_) throw Fault(kDoing, name, last_error());
    // A certificate is described, not demanded; old servers are to be found too.
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_default_verify_paths(context_.get());
    ssl_.reset(SSL_new(context_.get()));
    if (!ssl_ || SSL_set_fd(ssl_.get(), fd) != 1) throw Fault(kDoing, name, last_error());
    if (!name.empty()) SSL_set_tlsext_host_name(ssl_.get(), name.c_str());
    name_ = name;
    run(deadline, [&] { return SSL_connect(ssl_.get()); });
  }

  // Repeats the call until it is through; returns its result, 0 if the server has closed.
  template <typename Call>
  std::size_t run(Instant deadline, Call call) {
    for (;;) {
      ERR_clear_error();
      const int result = call();
      if (result > 0) return static_cast<std::size_t>(result);
      switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_WANT_READ:
          wait_until(Ready::to_read, fd_, deadline);
          break;
        case SSL_ERROR_WANT_WRITE:
          wait_until(Ready::to_write, fd_, deadline);
          break;
        case SSL_ERROR_ZERO_RETURN:
          return 0;
        default:
          throw Fault(kDoing, name_, last_error());
      }
    }
  }

  SSL* ssl() const { return ssl_.get(); }
  const std::string& name() const { return name_; }

 private:
  const int fd_;
  std::string name_;
  std::unique_ptr<SSL_CTX, ContextDeleter> context_;
  std::unique_ptr<SSL, SslDeleter> ssl_;
};

Connection::Connection(int fd, const std::string& name, Instant deadline)
    : handle_(std::make_unique<Handle>(fd, name, deadline)) {}

Connection::~Connection() = default;

Certificate Connection::certificate() const {
  Certificate found;
  const std::unique_ptr<X509, X509Deleter> certificate(
      SSL_get1_peer_certificate(handle_->ssl()));
  if (!certificate) {
    found.trouble = "the server has none";
    return found;
  }
  found.subject = subject_of(certificate.get());
  found.fingerprint = fingerprint_of(certificate.get());
  found.not_after = time_of(X509_get0_notAfter(certificate.get()));
  const auto& name = handle_->name();
  found.matches_name = !name.empty() && X509_check_host(certificate.get(), name.c_str(),
                                                        name.size(), 0, nullptr) == 1;
  const long verdict = SSL_get_verify_result(handle_->ssl());
  found.is_trusted = verdict == X509_V_OK;
  if (!found.is_trusted) found.trouble = X509_verify_cert_error_string(verdict);
  return found;
}

std::string Connection::protocol() const {
  return SSL_get_version(handle_->ssl());
}

std::size_t Connection::read(char* buffer, std::size_t size, Instant deadline) {
  return handle_->run(
      deadline, [&] { return SSL_read(handle_->ssl(), buffer, static_cast<int>(size)); });
}

void Connection::write(std::string_view bytes, Instant deadline) {
  while (!bytes.empty()) {
    const auto sent = handle_->run(deadline, [&] {
      return SSL_write(handle_->ssl(), bytes.data(), static_cast<int>(bytes.size()));
    });
    if (sent == 0) throw Fault(kDoing, handle_->name(), "the server has closed");
    bytes.remove_prefix(sent);
  }
}

}  // namespace mxfeed::tls
