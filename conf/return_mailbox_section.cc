#include <algorithm>
#include <charconv>

#include "conf/sections.h"
#include "conf/vocab/ascii.h"

namespace conf {

namespace {

Error wrong(const std::string& url, const std::string& why) {
  return {ErrorCode::kInvalid, "\"" + url + "\" " + why +
                                   "; write \"pop3s://HOST\" or \"imaps://HOST/FOLDER\" (also pop3:// and " +
                                   "imap://, with STARTTLS), the user stands in the [[login]]"};
}

struct Scheme {
  std::string_view word;
  MailboxProtocol protocol;
  bool implicit_tls;
  uint16_t port;
};

constexpr Scheme kSchemes[] = {{"pop3s://", MailboxProtocol::kPop3, true, 995},
                               {"imaps://", MailboxProtocol::kImap, true, 993},
                               {"pop3://", MailboxProtocol::kPop3, false, 110},
                               {"imap://", MailboxProtocol::kImap, false, 143}};

// "host", "host:port", "[::1]:port". False: it is neither a name nor an address.
bool split_host(std::string_view text, MailboxPlace* out) {
  const size_t bracket = text.rfind(']');
  const size_t colon = text.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    const std::string_view port = text.substr(colon + 1);
    const auto read = std::from_chars(port.data(), port.data() + port.size(), out->port);
    if (read.ec != std::errc() || read.ptr != port.data() + port.size() || out->port == 0) return false;
    text = text.substr(0, colon);
  }
  out->host = ascii_lower(text);
  if (text.size() > 2 && text.front() == '[' && text.back() == ']')
    return is_ip(std::string(text.substr(1, text.size() - 2)));
  if (is_ip(out->host)) return true;
  const Result<Domain> name = Domain::parse(text);
  if (!name.ok() || name.value().is_literal()) return false;
  out->host = name.value().text();
  return true;
}

}  // namespace

Result<MailboxPlace> MailboxPlace::parse(const std::string& url) {
  for (const Scheme& scheme : kSchemes) {
    if (!equal_ignoring_case(std::string_view(url).substr(0, scheme.word.size()), scheme.word)) continue;
    MailboxPlace place{scheme.protocol, scheme.implicit_tls, {}, scheme.port, {}};
    const std::string_view rest = std::string_view(url).substr(scheme.word.size());
    const size_t slash = rest.find('/');
    const std::string_view host = rest.substr(0, slash);
    const std::string_view folder = slash == std::string_view::npos ? "" : rest.substr(slash + 1);
    if (host.find('@') != std::string_view::npos) return wrong(url, "names a user");
    if (!split_host(host, &place)) return wrong(url, "has no host, or a port that is none");
    const bool imap = place.protocol == MailboxProtocol::kImap;
    if (!imap && !folder.empty()) return wrong(url, "names a folder, and POP3 has none");
    if (std::any_of(folder.begin(), folder.end(), [](char c) {
          return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\' || c == '?' || c == '%' ||
                 c == ';';
        }))
      return wrong(url, "has a character in the folder that cannot stand there");
    if (imap) place.folder = folder.empty() ? "INBOX" : std::string(folder);
    return place;
  }
  return wrong(url, "is no mailbox");
}

std::string MailboxPlace::text() const {
  for (const Scheme& scheme : kSchemes) {
    if (scheme.protocol != protocol || scheme.implicit_tls != implicit_tls) continue;
    return std::string(scheme.word) + host + ':' + std::to_string(port) +
           (protocol == MailboxProtocol::kImap ? "/" + folder : "");
  }
  return host;
}

void read_return_mailbox(TableReader* reader, ReturnMailbox* out) {
  out->line = reader->place().line;
  out->column = reader->place().column;
  std::string url;
  if (reader->text("url", &url)) {
    Result<MailboxPlace> place = MailboxPlace::parse(url);
    if (place.ok()) {
      out->place = std::move(*place);
    } else {
      reader->report("url", place.error().detail);
    }
  } else if (!reader->has("url")) {
    reader->report("url", "is missing: where is the mailbox? url = \"imaps://imap.example.com/INBOX\"");
  }
  reader->text("login", &out->login);
  if (!reader->has("login"))
    reader->report("login", "is missing: the name of a [[login]] with the user and the file of the password");
  reader->duration("poll", &out->poll, Duration(1s));
  reader->number("batch", &out->batch, 1, 10'000);
  size_t word = out->remove ? 0 : 1;
  if (reader->choice("after", {"delete", "keep"}, &word)) out->remove = word == 0;
  word = out->tls ? 0 : 1;
  if (reader->choice("tls", {"required", "off"}, &word)) out->tls = word == 0;
  if (!out->tls && out->place.implicit_tls)
    reader->report("tls", "is \"off\", but the url says TLS from the start: write pop3:// or imap://");
  reader->flag("tls_verify", &out->tls_verify);
  reader->duration("timeout", &out->timeout, Duration(1s));
  reader->size("max_size", &out->most_octets, 1000);
  if (out->most_octets > 1'000'000'000) reader->report("max_size", "is more than 1GB");
  reader->finish();
}

std::string why_unfit(const ReturnMailbox& mailbox, const Login& login) {
  const std::string about = "login = \"" + login.name + "\": ";
  const bool secret = !login.file.empty() || !login.credential.empty() || !login.command.empty();
  if (login.user.empty() || !secret) return about + "a mailbox needs a login with a user and a secret";
  if (!mailbox.tls && !login.without_tls)
    return about + "tls = \"off\" would show the secret to everybody on the way; without_tls = true in the " +
           "[[login]] allows it all the same";
  return "";
}

}  // namespace conf
