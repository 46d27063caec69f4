#include "relay/returns/curl_mailbox.h"

#include <curl/curl.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "conf/vocab/ascii.h"

namespace relay::returns {

namespace {

constexpr size_t kMailsACommand = 100;  // of IMAP, so that no line is long
constexpr size_t kLongestUid = 200;     // RFC 1939 §7 allows 70

// The number at the front of `*text`, which loses it and the blanks after it.
bool take_number(std::string_view* text, uint64_t* out) {
  const auto read = std::from_chars(text->data(), text->data() + text->size(), *out);
  if (read.ec != std::errc()) return false;
  text->remove_prefix(static_cast<size_t>(read.ptr - text->data()));
  while (!text->empty() && text->front() == ' ') text->remove_prefix(1);
  return true;
}

template <typename Use>
void each_line(std::string_view text, const Use& use) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    if (!line.empty()) use(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

bool is_uid(std::string_view text) {
  return !text.empty() && text.size() <= kLongestUid &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

// What follows a word such as "UID " in a line of IMAP, as a number.
bool number_after(std::string_view line, std::string_view word, uint64_t* out) {
  for (size_t at = line.find(word); at != std::string_view::npos; at = line.find(word, at + 1)) {
    if (at > 0 && line[at - 1] != ' ' && line[at - 1] != '(') continue;
    std::string_view rest = line.substr(at + word.size());
    return take_number(&rest, out);
  }
  return false;
}

conf::ErrorCode code_of(CURLcode code) {
  switch (code) {
    case CURLE_LOGIN_DENIED:
      return conf::ErrorCode::kRefused;
    case CURLE_OPERATION_TIMEDOUT:
      return conf::ErrorCode::kTimeout;
    case CURLE_REMOTE_FILE_NOT_FOUND:
      return conf::ErrorCode::kNotFound;
    case CURLE_WRITE_ERROR:
      return conf::ErrorCode::kLimit;
    case CURLE_ABORTED_BY_CALLBACK:
      return conf::ErrorCode::kClosed;
    default:
      return conf::ErrorCode::kUnavailable;
  }
}

}  // namespace

struct CurlMailbox::Handle {
  CURL* curl = nullptr;
  char error[CURL_ERROR_SIZE] = {};
  conf::Instant deadline;
  bool connected = false;
  Sink sink;
  const std::atomic<bool>* stop = nullptr;

  Handle() {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    curl = curl_easy_init();
  }
  ~Handle() { curl_easy_cleanup(curl); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  static size_t on_octets(char* octets, size_t size, size_t count, void* user) {
    auto* const self = static_cast<Handle*>(user);
    return !self->sink || self->sink(std::string_view(octets, size * count)) ? size * count : 0;
  }
  static int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<Handle*>(user)->stop->load() ? 1 : 0;
  }
  static curl_socket_t on_connect(void* user, curlsocktype, struct curl_sockaddr* address) {
    if (static_cast<Handle*>(user)->connected) return CURL_SOCKET_BAD;
    return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  }
};

CurlMailbox::CurlMailbox(const Options& options, const std::string& secret)
    : options_(options), handle_(std::make_unique<Handle>()) {
  const conf::ReturnMailbox& mailbox = options_.mailbox;
  CURL* const curl = handle_->curl;
  CHECK(curl != nullptr);
  handle_->stop = options_.stop;
  handle_->deadline = options_.clock->now() + kSessionTimeouts * mailbox.timeout;
  const auto seconds = std::max<int64_t>(1, mailbox.timeout / conf::Duration(std::chrono::seconds(1)));
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, handle_->error);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "pop3,pop3s,imap,imaps");
  curl_easy_setopt(curl, CURLOPT_PROXY, "");  // none of the environment
  curl_easy_setopt(curl, CURLOPT_USERNAME, options_.user.c_str());
  if (options_.mechanism == conf::LoginMechanism::kXoauth2) {
    curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, secret.c_str());
  } else {
    curl_easy_setopt(curl, CURLOPT_PASSWORD, secret.c_str());
  }
  if (options_.mechanism == conf::LoginMechanism::kPlain)
    curl_easy_setopt(curl, CURLOPT_LOGIN_OPTIONS, "AUTH=PLAIN");
  if (options_.mechanism == conf::LoginMechanism::kLogin)
    curl_easy_setopt(curl, CURLOPT_LOGIN_OPTIONS, "AUTH=LOGIN");
  curl_easy_setopt(curl, CURLOPT_USE_SSL, mailbox.tls ? CURLUSESSL_ALL : CURLUSESSL_NONE);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, mailbox.tls_verify ? 1L : 0L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, mailbox.tls_verify ? 2L : 0L);
  if (!options_.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, options_.ca_file.c_str());
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, static_cast<long>(seconds));  // NOLINT(google-runtime-int)
  curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT,
                   static_cast<long>(seconds));  // NOLINT(google-runtime-int)
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(seconds));  // NOLINT(google-runtime-int)
  curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 65'536L);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &Handle::on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, handle_.get());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &Handle::on_octets);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, handle_.get());
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, &Handle::on_connect);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, handle_.get());
}

CurlMailbox::~CurlMailbox() = default;

conf::Status CurlMailbox::run(const std::string& path, const char* command, bool answers, Sink sink) {
  const conf::MailboxPlace& place = options_.mailbox.place;
  const bool imap = place.protocol == conf::MailboxProtocol::kImap;
  const std::string url = std::string(imap ? "imap" : "pop3") + (place.implicit_tls ? "s://" : "://") +
                          place.host + ':' + std::to_string(place.port) + '/' + path;
  const conf::Duration left = handle_->deadline - options_.clock->now();
  if (left <= conf::Duration(0))
    return conf::Error{conf::ErrorCode::kTimeout, "the session took too long and was ended"};
  CURL* const curl = handle_->curl;
  handle_->sink = std::move(sink);
  handle_->error[0] = '\0';
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, command);
  // Without a body in the answer; IMAP sends what it has to say in any case.
  curl_easy_setopt(curl, CURLOPT_NOBODY, answers || imap ? 0L : 1L);
  curl_easy_setopt(
      curl, CURLOPT_TIMEOUT_MS,
      static_cast<long>(std::max<int64_t>(1, left.count() / 1000)));  // NOLINT(google-runtime-int)
  const CURLcode code = curl_easy_perform(curl);
  handle_->sink = nullptr;
  if (code == CURLE_OK) {
    handle_->connected = true;
    return conf::success();
  }
  if (handle_->connected && (code == CURLE_COULDNT_CONNECT || code == CURLE_FAILED_INIT))
    return conf::Error{conf::ErrorCode::kUnavailable, "the server closed the connection"};
  std::string why = handle_->error[0] != '\0' ? handle_->error : curl_easy_strerror(code);
  if (command != nullptr) why += std::string(" (") + command + ")";
  return conf::Error{code_of(code), std::move(why)};
}

conf::Result<std::string> CurlMailbox::ask(const std::string& path, const char* command, bool answers) {
  std::string answer;
  const conf::Status done = run(path, command, answers, [&answer](std::string_view octets) {
    if (answer.size() + octets.size() > kLongestList) return false;
    answer.append(octets);
    return true;
  });
  if (done.ok()) return answer;
  if (done.error().code == conf::ErrorCode::kLimit)
    return conf::Error{conf::ErrorCode::kLimit, "the list of its mails is longer than " +
                                                    std::to_string(kLongestList / 1'000'000) +
                                                    " MB; nothing was fetched"};
  return done.error();
}

conf::Result<std::vector<RemoteMail>> CurlMailbox::list(size_t* broken) {
  *broken = 0;
  conf::Result<std::vector<RemoteMail>> mails =
      options_.mailbox.place.protocol == conf::MailboxProtocol::kImap ? list_imap(broken) : list_pop3(broken);
  if (mails.ok() && mails->size() > kMostListed)
    return conf::Error{conf::ErrorCode::kLimit, "has " + std::to_string(mails->size()) +
                                                    " mails, and at most " + std::to_string(kMostListed) +
                                                    " are looked at: empty it, or part it"};
  return mails;
}

conf::Result<std::vector<RemoteMail>> CurlMailbox::list_pop3(size_t* broken) {
  conf::Result<std::string> sizes = ask("", "LIST", true);
  if (!sizes.ok()) return sizes.error();
  conf::Result<std::string> ids = ask("", "UIDL", true);
  if (!ids.ok()) {
    conf::Error why = ids.error();
    if (why.code == conf::ErrorCode::kUnavailable)
      why.detail += ": a server without UIDL cannot be polled, for mail would be read twice";
    return why;
  }
  std::vector<RemoteMail> mails;
  std::unordered_set<std::string_view> taken;
  std::unordered_map<uint64_t, uint64_t> octets;
  each_line(*sizes, [&](std::string_view line) {
    uint64_t number = 0, size = 0;
    if (take_number(&line, &number) && take_number(&line, &size)) octets[number] = size;
  });
  each_line(*ids, [&](std::string_view line) {
    RemoteMail mail;
    const bool good = take_number(&line, &mail.number) && is_uid(line) && octets.count(mail.number) != 0;
    if (!good || !taken.insert(line).second) {
      ++*broken;
      return;
    }
    mail.uid = std::string(line);
    mail.octets = octets[mail.number];
    octets.erase(mail.number);  // no mail twice
    mails.push_back(std::move(mail));
  });
  return mails;
}

conf::Result<std::vector<RemoteMail>> CurlMailbox::list_imap(size_t* broken) {
  const std::string& folder = options_.mailbox.place.folder;
  conf::Result<std::string> status = ask("", ("STATUS \"" + folder + "\" (UIDVALIDITY)").c_str(), true);
  if (!status.ok()) return status.error();
  uint64_t validity = 0;
  if (!number_after(*status, "UIDVALIDITY ", &validity))
    return conf::Error{conf::ErrorCode::kUnavailable,
                       "the server does not tell the UIDVALIDITY of " + folder + ": is there such a folder?"};
  char* const escaped = curl_easy_escape(handle_->curl, folder.data(), static_cast<int>(folder.size()));
  CHECK(escaped != nullptr);
  folder_ = std::string(escaped) + ";UIDVALIDITY=" + std::to_string(validity);
  curl_free(escaped);
  conf::Result<std::string> answer = ask(folder_, "UID FETCH 1:* (UID RFC822.SIZE)", true);
  if (!answer.ok()) return answer.error();
  std::vector<RemoteMail> mails;
  std::unordered_set<uint64_t> taken;
  each_line(*answer, [&](std::string_view line) {
    if (line.find(" FETCH ") == std::string_view::npos) return;  // EXISTS and such
    RemoteMail mail;
    if (!number_after(line, "UID ", &mail.number) || !number_after(line, "RFC822.SIZE ", &mail.octets) ||
        !taken.insert(mail.number).second) {
      ++*broken;
      return;
    }
    mail.uid = std::to_string(validity) + '.' + std::to_string(mail.number);
    mails.push_back(std::move(mail));
  });
  std::sort(mails.begin(), mails.end(),
            [](const RemoteMail& a, const RemoteMail& b) { return a.number < b.number; });
  return mails;
}

conf::Status CurlMailbox::fetch(const RemoteMail& mail, Sink sink) {
  const bool imap = options_.mailbox.place.protocol == conf::MailboxProtocol::kImap;
  const std::string number = std::to_string(mail.number);
  return run(imap ? folder_ + "/;UID=" + number : number, nullptr, true, std::move(sink));
}

conf::Status CurlMailbox::remove(const std::vector<RemoteMail>& mails) {
  if (options_.mailbox.place.protocol == conf::MailboxProtocol::kImap) return remove_imap(mails);
  for (const RemoteMail& mail : mails) {
    const conf::Status done = run(std::to_string(mail.number), "DELE", false, nullptr);
    if (!done.ok()) return done;
  }
  return run("", "QUIT", false, nullptr);  // RFC 1939 §6: only now they go
}

conf::Status CurlMailbox::remove_imap(const std::vector<RemoteMail>& mails) {
  if (mails.empty()) return conf::success();
  const conf::Result<std::string> can = ask("", "CAPABILITY", true);
  if (!can.ok()) return can.error();
  // Without it (RFC 4315) what others have marked as deleted goes as well.
  const bool uid_plus = can.value().find("UIDPLUS") != std::string::npos;
  for (size_t from = 0; from < mails.size(); from += kMailsACommand) {
    std::string set;
    for (size_t i = from; i < std::min(mails.size(), from + kMailsACommand); ++i)
      set.append(set.empty() ? "" : ",").append(std::to_string(mails[i].number));
    conf::Status done =
        run(folder_, ("UID STORE " + set + " +FLAGS.SILENT (\\Deleted)").c_str(), true, nullptr);
    if (done.ok()) done = run(folder_, uid_plus ? ("UID EXPUNGE " + set).c_str() : "EXPUNGE", true, nullptr);
    if (!done.ok()) return done;
  }
  return conf::success();
}

}  // namespace relay::returns
