// SPDX-License-Identifier: GPL-2.0-or-later
//
// Each message goes by way of the quarantine, whose releases are exact: it is handed to
// mxfeed-quarantine under a name that follows from its file, so that what comes twice is
// held once, then its file is moved aside, and then it is released.
#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "common/base/digest.h"
#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "common/command/command.h"
#include "common/command/listing.h"
#include "common/mail/address.h"
#include "common/mail/held_address.h"
#include "postfix-conf/commands/keeper_state.h"
#include "postfix-conf/commands/mailbox.h"
#include "postfix-conf/commands/problems.h"
#include "postfix-conf/commands/quarantine.h"
#include "postfix-conf/mailbox/boxes.h"
#include "postfix-conf/mailbox/copy_book.h"
#include "postfix-conf/mailbox/lmtp_session.h"
#include "postfix-conf/mailbox/maildir.h"
#include "postfix-conf/mailbox/stored_mail.h"
#include "postfix-conf/postfix/postfix.h"

namespace mxfeed {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kDoing = "drain mailboxes";
constexpr const char* kQuarantineSocket = "mxfeed/quarantine.sock";
constexpr std::size_t kPiece = 64 * 1024;
constexpr std::size_t kTokenBytes = 16;

// The oldest first: their names begin with the time.
std::vector<MailFile> files_below(const fs::path& mailboxes) {
  std::vector<MailFile> files;
  each_mail(mailboxes, [&](const MailFile& file) {
    files.push_back(file);
    return true;
  });
  std::ranges::sort(files, {}, &MailFile::name);
  return files;
}

std::string read_some(int fd, const fs::path& path) {
  std::string piece(kPiece, '\0');
  for (;;) {
    const auto got = ::read(fd, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Fault("read", path.string(), errno_text(errno));
    piece.resize(static_cast<std::size_t>(got));
    return piece;
  }
}

struct Drained {
  std::size_t handed_over = 0;
  std::size_t copies = 0;   // of mail that the customer's server gets from the queue
  std::size_t foreign = 0;  // somebody put them there
  std::size_t refused = 0;
};

// Works as the owner of the mailboxes: what they link to is none of root's business.
class AsOwner {
 public:
  explicit AsOwner(const fs::path& mailboxes) {
    struct stat status {};
    if (::geteuid() != 0 || ::stat(mailboxes.c_str(), &status) != 0) return;
    if (::setgroups(0, nullptr) != 0 || ::setegid(status.st_gid) != 0 ||
        ::seteuid(status.st_uid) != 0) {
      throw Fault(kDoing, mailboxes.string(), errno_text(errno));
    }
    is_other_ = true;
  }
  ~AsOwner() {
    if (is_other_ && (::seteuid(0) != 0 || ::setegid(0) != 0)) std::abort();
  }
  AsOwner(const AsOwner&) = delete;
  AsOwner& operator=(const AsOwner&) = delete;

 private:
  bool is_other_ = false;
};

class Drain {
 public:
  Drain(std::string domain, const fs::path& socket, bool dry_run)
      : domain_(std::move(domain)), dry_run_(dry_run) {
    if (!dry_run) session_.emplace(kDoing, socket);
  }

  // Returns false if the file was renamed meanwhile, as mail programs do, or deleted.
  // Throws CommandError if the message is to be brought again later.
  bool take(const MailFile& file) {
    const Fd fd(
        ::open(file.path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!fd && errno == ENOENT) return false;
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) != 0) {
      throw Fault("read", file.path.string(), errno_text(errno));
    }
    if (!S_ISREG(status.st_mode)) {
      ++drained_.foreign;
      return true;
    }
    std::string piece = read_some(fd.get(), file.path);
    const auto stored = parse_stored(piece);
    if (!stored) {
      ++drained_.foreign;
    } else if (stored->is_copy) {
      ++drained_.copies;
    } else if (dry_run_) {
      ++drained_.handed_over;
    } else if (hand_over(file, *stored, fd.get(), piece.substr(stored->begin))) {
      if (!move_aside(file)) return false;
      ++drained_.handed_over;
    } else {
      ++drained_.refused;
    }
    return true;
  }

  // Counts anew, but what was handed over.
  void begin_pass() { drained_ = {.handed_over = dry_run_ ? 0 : drained_.handed_over}; }

  const Drained& drained() const { return drained_; }

 private:
  // Returns whether it was taken.
  bool hand_over(const MailFile& file, const StoredMail& stored, int fd,
                 std::string piece) {
    HeldAddress address;
    address.kind = HeldKind::mailbox;
    address.token = to_hex(
        digest(fmt::format("{}/{}/{}", domain_, file.user, file.name()), kTokenBytes));
    address.domain = domain_;
    address.reason = "drain";
    address.recipient = file.user + "@" + domain_;
    LmtpEnvelope envelope{stored.sender, {address.str()}, " BODY=8BITMIME"};
    if (ascii_length(stored.sender) != stored.sender.size()) {
      envelope.parameters += " SMTPUTF8";
    }
    const auto answers = session_->deliver(
        envelope, [&](const std::function<void(std::string_view)>& line) {
          std::string rest;
          for (; !piece.empty(); piece = read_some(fd, file.path)) {
            rest += piece;
            std::size_t begin = 0;
            for (auto end = rest.find('\n'); end != std::string::npos;
                 end = rest.find('\n', begin)) {
              std::string_view one = std::string_view(rest).substr(begin, end - begin);
              if (one.ends_with('\r')) one.remove_suffix(1);
              line(one);
              begin = end + 1;
            }
            rest.erase(0, begin);
          }
          if (!rest.empty()) line(rest);
          return true;
        });
    const std::string& answer = answers->at(0);
    if (answer.empty()) return true;
    if (!answer.starts_with('5')) {
      throw CommandError(ExitCode::try_later,
                         fmt::format("{}: mxfeed-quarantine does not take it: {}; run "
                                     "the command again",
                                     escape_untrusted(file.path.string()), answer));
    }
    complain(fmt::format("{}: is left, mxfeed-quarantine refuses it: {}",
                         escape_untrusted(file.path.string()), answer));
    return false;
  }

  // False if it was renamed meanwhile; then it is held already.
  static bool move_aside(const MailFile& file) {
    const fs::path aside =
        file.path.parent_path().parent_path().parent_path() / "drained";
    std::error_code error;
    fs::create_directory(aside, error);
    fs::rename(file.path, aside / file.name(), error);
    if (error && error != std::errc::no_such_file_or_directory) {
      throw Fault("move to " + aside.string(), file.path.string(), error.message());
    }
    return !error;
  }

  const std::string domain_;
  const bool dry_run_;
  std::optional<LmtpSession> session_;
  Drained drained_;
};

// Only what is relayed can be sent on.
const Hosted& relayed_domain(const Generated& generated, const std::string& domain) {
  const auto name = Domain::parse(domain);
  const auto* const hosted = name ? generated.find(name->str()) : nullptr;
  if (hosted == nullptr || !is_relayed(hosted->own)) {
    throw CommandError(ExitCode::wrong,
                       fmt::format("{}: is not relayed by what is in force; run mxfeed "
                                   "apply",
                                   escape_untrusted(domain)));
  }
  if (hosted->service == Service::mailbox) {
    throw CommandError(ExitCode::wrong,
                       fmt::format("{0}: its mail is delivered here; run mxfeed mailbox "
                                   "swap {0} feed and mxfeed apply first",
                                   hosted->name));
  }
  return *hosted;
}

}  // namespace

ExitCode drain_mailboxes(const MailboxOptions& options, const std::string& domain,
                         std::uint64_t rate, bool dry_run) {
  if (rate == 0) throw CommandError(ExitCode::usage, "--rate: must be at least 1");
  const Generated generated = read_hosted(options.state);
  const Hosted& hosted = relayed_domain(generated, domain);
  const fs::path queue_directory =
      Postfix(options.postfix_config).parameters({"queue_directory"}).at(0);
  fs::create_directories(options.state / kKeeperDirectory);
  const auto lock = lock_file(options.state / kKeeperDirectory / "drain.lock");
  if (!lock) throw CommandError(ExitCode::try_later, "another drain is running");
  Drain drain(hosted.name, queue_directory / kQuarantineSocket, dry_run);
  bool is_whole = false;
  {
    const fs::path mailboxes = options.state / kMailboxDirectory;
    const AsOwner owner(mailboxes);
    // Until no file was renamed while it was looked for.
    constexpr int kMostPasses = 20;
    for (int pass = 0; pass < kMostPasses && !is_whole; ++pass) {
      is_whole = true;
      drain.begin_pass();
      for (const auto& file : files_below(mailboxes / hosted.name)) {
        is_whole = drain.take(file) && is_whole;
      }
    }
  }
  const Drained& drained = drain.drained();
  complain(fmt::format(
      "{}: {} {}; stays: {} as a copy of queued mail, {} that did not "
      "come by delivery",
      hosted.name, dry_run ? "would deliver" : "delivers",
      count_of(drained.handed_over, "message"), drained.copies, drained.foreign));
  if (dry_run) return ExitCode::fine;
  if (!is_whole) {
    complain(
        fmt::format("{}: a mail program renames files all the time; run the command "
                    "again",
                    hosted.name));
  }
  // From now on the keeper waits for the time of `keep`.  Then it removes them, unless
  // one has mail that is no copy.
  CopyBook(options.state / kKeeperDirectory / kCopyBook)
      .note_ended(hosted.name, system_time());
  const ExitCode released = release_mailbox_mail(
      {options.state, options.postfix_config, hosted.name, options.json}, rate);
  return drained.refused > 0 || !is_whole ? ExitCode::wrong : released;
}

}  // namespace mxfeed
