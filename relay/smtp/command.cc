#include "relay/smtp/command.h"

#include <algorithm>

#include "conf/limits.h"
#include "conf/vocab/text.h"
#include "conf/vocab/utf8.h"
#include "relay/smtp/parameters.h"

namespace relay::smtp {

namespace {

struct VerbRow {
  std::string_view word;
  Verb verb;
};
constexpr VerbRow kVerbs[] = {
    {"MAIL", Verb::kMail},         {"RCPT", Verb::kRcpt},       {"DATA", Verb::kData},
    {"BDAT", Verb::kBdat},         {"EHLO", Verb::kEhlo},       {"HELO", Verb::kHelo},
    {"RSET", Verb::kRset},         {"NOOP", Verb::kNoop},       {"QUIT", Verb::kQuit},
    {"VRFY", Verb::kVrfy},         {"EXPN", Verb::kExpn},       {"HELP", Verb::kHelp},
    {"STARTTLS", Verb::kStartTls}, {"AUTH", Verb::kAuth},       {"GET", Verb::kForeign},
    {"POST", Verb::kForeign},      {"CONNECT", Verb::kForeign}, {"PUT", Verb::kForeign},
    {"HEAD", Verb::kForeign},      {"OPTIONS", Verb::kForeign},
};

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return (static_cast<unsigned char>(c) < 32 && c != '\t') || c == 127; });
}

// "user@example.com" without angle brackets, up to the next blank.
bool take_bare(std::string_view* text, size_t begin, std::string_view* path) {
  const size_t end = std::min(text->find(' ', begin), text->size());
  *path = text->substr(begin, end - begin);
  text->remove_prefix(end);
  return path->find_first_of("<>\"") == std::string_view::npos;
}

// "Jane Doe <jane@example.com>", as in a header: where the path begins. A '<' behind an address is none.
size_t behind_display_name(std::string_view text, size_t begin) {
  const size_t bracket = text.find('<', begin);
  if (bracket == std::string_view::npos) return begin;
  return text.substr(begin, bracket - begin).find_first_of("@=") == std::string_view::npos ? bracket : begin;
}

// Cuts "<path>" off `*text` and gives what is between the angle brackets, without a source route. False when
// malformed.
bool take_path(std::string_view* text, std::string_view* path, bool lenient) {
  // RFC 5321 §3.3 forbids the blank; senders write it all the same.
  size_t begin = text->find_first_not_of(' ');
  if (begin == std::string_view::npos) return false;
  if (lenient) begin = behind_display_name(*text, begin);
  if ((*text)[begin] != '<') return lenient && take_bare(text, begin, path);
  bool quoted = false;
  size_t end = begin + 1;
  for (; end < text->size(); ++end) {
    const char c = (*text)[end];
    if (quoted && c == '\\') {
      ++end;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && c == '>') {
      break;
    }
  }
  if (end >= text->size()) return false;
  *path = text->substr(begin + 1, end - begin - 1);
  text->remove_prefix(end + 1);
  if (!lenient && !text->empty() && text->front() != ' ') return false;
  if (!path->empty() && path->front() == '@') {  // RFC 5321 §4.1.1.3, appendix C: accepted, ignored
    const size_t colon = path->find(':');
    if (colon == std::string_view::npos) return false;
    path->remove_prefix(colon + 1);
    if (path->empty()) return false;
  }
  return true;
}

// The detail of an address error may quote what the client wrote: a reply is printable ASCII.
std::string printable(std::string_view text) {
  std::string out(text.substr(0, 200));
  for (char& c : out) {
    if (c < 32 || c > 126) c = '?';
  }
  return out;
}

// The word and a colon; `lenient`: with blanks between them.
bool skip_word(std::string_view word, bool lenient, std::string_view* text) {
  if (!equal_ignoring_case(text->substr(0, word.size()), word)) return false;
  size_t colon = word.size();
  while (lenient && colon < text->size() && (*text)[colon] == ' ') ++colon;
  if (colon >= text->size() || (*text)[colon] != ':') return false;
  text->remove_prefix(colon + 1);
  return true;
}

// Local parts of carriers and old systems: "a..b@example.com", "a.@example.com". They become quoted strings,
// which is how RFC 5321 §4.1.2 writes the same mailbox.
conf::Result<conf::Mailbox> parse_mailbox(std::string_view path, const Leniency& leniency, bool sender) {
  auto mailbox = conf::Mailbox::parse(path, !sender);
  if (mailbox.ok() || !leniency.addresses) return mailbox;
  const std::string_view bare = conf::trimmed(path);
  const size_t at = bare.rfind('@');
  if (at == std::string_view::npos) {
    if (!sender || leniency.hostname.empty()) return mailbox;
    auto completed = conf::Mailbox::parse(std::string(bare) + '@' + std::string(leniency.hostname));
    return completed.ok() ? std::move(completed) : std::move(mailbox);
  }
  std::string quoted(bare);
  const std::string_view local = bare.substr(0, at);
  if (local.find_first_of("\"\\@ ") == std::string_view::npos && local.find('.') != std::string_view::npos) {
    quoted = '"' + std::string(local) + '"' + std::string(bare.substr(at));
  }
  auto again = conf::Mailbox::parse(quoted);
  return again.ok() ? std::move(again) : std::move(mailbox);
}

void parse_mail(std::string_view text, const Leniency& leniency, Command* command) {
  std::string_view path;
  if (!skip_word("FROM", leniency.addresses, &text)) {
    command->error = "501 5.5.4 syntax: MAIL FROM:<address>";
    return;
  }
  if (!take_path(&text, &path, leniency.addresses)) {
    command->error = "501 5.1.7 the sender address must stand in angle brackets";
    return;
  }
  if (!path.empty()) {
    auto mailbox = parse_mailbox(path, leniency, true);
    if (!mailbox.ok() || path.size() + 2 > conf::limits::kPathOctets) {
      command->error = "501 5.1.7 bad sender address: " +
                       (mailbox.ok() ? std::string("too long") : printable(mailbox.error().detail));
      return;
    }
    command->reverse_path = std::move(mailbox).value();
  }
  parse_mail_parameters(text, leniency.addresses, command);
  if (command->error.empty() && command->reverse_path.has_utf8_local() && !command->smtputf8) {
    command->error = "553 5.6.7 an address with UTF-8 needs SMTPUTF8";  // RFC 6531 §3.5
  }
}

void parse_rcpt(std::string_view text, const Leniency& leniency, Command* command) {
  std::string_view path;
  if (!skip_word("TO", leniency.addresses, &text)) {
    command->error = "501 5.5.4 syntax: RCPT TO:<address>";
    return;
  }
  if (!take_path(&text, &path, leniency.addresses) || path.empty()) {
    command->error = "501 5.1.3 the recipient address must stand in angle brackets";
    return;
  }
  auto mailbox = parse_mailbox(path, leniency, false);
  if (!mailbox.ok() || path.size() + 2 > conf::limits::kPathOctets) {
    command->error = "501 5.1.3 bad recipient address: " +
                     (mailbox.ok() ? std::string("too long") : printable(mailbox.error().detail));
    return;
  }
  command->recipient.mailbox = std::move(mailbox).value();
  parse_rcpt_parameters(text, leniency.addresses, command);
}

bool is_name_octet(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view(".-_:[]").find(c) != std::string_view::npos;
}

// A name goes into Received and the log: domains, literals and the harmless mistakes around them
// (underscores).
void parse_hello(std::string_view text, bool lenient, Command* command) {
  const bool fits = !text.empty() && text.size() <= conf::limits::kDomainOctets;
  const bool clean = std::all_of(text.begin(), text.end(), is_name_octet);
  if (lenient &&
      !(fits && clean)) {  // "My Phone", "(none)", nothing at all: whatever, but harmless in a header
    command->argument = text.empty() ? "unnamed" : std::string(text.substr(0, conf::limits::kDomainOctets));
    std::replace_if(
        command->argument.begin(), command->argument.end(), [](char c) { return !is_name_octet(c); }, '_');
    return;
  }
  if (!fits || !clean) {
    command->error = "501 5.5.4 a domain name or an address literal is wanted";
    return;
  }
  command->argument = std::string(text);
}

void parse_bdat(std::string_view text, Command* command) {
  const size_t blank = text.find(' ');
  const std::string_view last =
      blank == std::string_view::npos ? std::string_view() : conf::trimmed(text.substr(blank));
  command->chunk_last = equal_ignoring_case(last, "LAST");
  if (!parse_number(text.substr(0, blank), &command->chunk_octets) ||
      (!last.empty() && !command->chunk_last)) {
    command->error = "501 5.5.4 syntax: BDAT octets [LAST]";
  }
}

void parse_auth(std::string_view text, Command* command) {
  const size_t blank = text.find(' ');
  if (text.empty()) {
    command->error = "501 5.5.4 syntax: AUTH mechanism [response]";
    return;
  }
  command->argument = std::string(text.substr(0, blank));
  for (char& c : command->argument) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  if (blank != std::string_view::npos) {
    command->has_initial = true;
    command->initial = std::string(conf::trimmed(text.substr(blank)));
  }
}

void parse_argument(std::string_view text, const Leniency& leniency, Command* command) {
  switch (command->verb) {
    case Verb::kMail:
      return parse_mail(text, leniency, command);
    case Verb::kRcpt:
      return parse_rcpt(text, leniency, command);
    case Verb::kHelo:
    case Verb::kEhlo:
      return parse_hello(text, leniency.names, command);
    case Verb::kBdat:
      return parse_bdat(text, command);
    case Verb::kAuth:
      return parse_auth(text, command);
    case Verb::kVrfy:
    case Verb::kExpn:
      command->argument = std::string(text);
      if (text.empty()) command->error = "501 5.5.4 an argument is wanted";
      return;
    case Verb::kData:
    case Verb::kRset:
    case Verb::kQuit:
    case Verb::kStartTls:
      if (!text.empty()) command->error = "501 5.5.4 no argument is allowed";
      return;
    case Verb::kNoop:
    case Verb::kHelp:
    case Verb::kForeign:
    case Verb::kUnknown:
      return;
  }
}

}  // namespace

Command parse_command(std::string_view line, const Leniency& leniency) {
  Command command;
  const size_t end = std::min(line.find_first_of(" \t"), line.size());
  for (const VerbRow& row : kVerbs) {
    if (equal_ignoring_case(line.substr(0, end), row.word)) {
      command.verb = row.verb;
      break;
    }
  }
  if (has_control(line)) {
    command.error = "500 5.5.2 control characters in a command";
  } else if (!conf::is_utf8(line) &&
             !(leniency.names && (command.verb == Verb::kEhlo || command.verb == Verb::kHelo))) {
    command.error = "500 5.5.2 a command is ASCII or UTF-8";
  } else if (command.verb == Verb::kUnknown) {
    command.error = "500 5.5.1 unknown command";
  } else if (command.verb != Verb::kMail && command.verb != Verb::kRcpt && command.verb != Verb::kAuth &&
             line.size() + 2 > conf::limits::kCommandOctets) {
    command.error = "500 5.5.2 command line too long";  // RFC 5321 §4.5.3.1.4
  } else {
    parse_argument(conf::trimmed(line.substr(end)), leniency, &command);
  }
  return command;
}

}  // namespace relay::smtp
