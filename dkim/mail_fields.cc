#include "dkim/mail_fields.h"

#include <algorithm>

#include "conf/vocab/address.h"
#include "conf/vocab/ascii.h"

namespace dkim {

namespace {

// Walks over quoted strings and comments of an address list; gives the characters that count.
class Visible {
 public:
  explicit Visible(std::string_view text) : text_(text) {}
  // False at the end. A quoted string comes as the one character '"'.
  bool next(char* out) {
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '(') {
        skip_comment();
        continue;
      }
      if (c == '"') skip_quoted();
      *out = c;
      return true;
    }
    return false;
  }

 private:
  void skip_quoted() {
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    at_ = std::min(at_ + 1, text_.size());
  }
  void skip_comment() {
    for (int depth = 1; at_ < text_.size() && depth > 0; ++at_) {
      if (text_[at_] == '\\') {
        ++at_;
      } else if (text_[at_] == '(') {
        ++depth;
      } else if (text_[at_] == ')') {
        --depth;
      }
    }
    at_ = std::min(at_, text_.size());
  }
  std::string_view text_;
  size_t at_ = 0;
};

// The text of the first mailbox's address: within angle brackets when there are some.
std::string first_address(std::string_view value) {
  std::string plain, angle;
  bool in_angle = false, had_angle = false;
  Visible visible(value);
  for (char c = 0; visible.next(&c);) {
    if (c == ',' && !in_angle && (had_angle || plain.find('@') != std::string::npos)) break;
    if (c == ':' && !in_angle) {  // the name of a group
      plain.clear();
      continue;
    }
    if (c == ';' && !in_angle) break;
    if (c == '<' && !had_angle) {
      in_angle = had_angle = true;
    } else if (c == '>') {
      in_angle = false;
    } else if (!conf::is_wsp(c) && c != '\r' && c != '\n') {
      (in_angle ? angle : plain) += c;
    }
  }
  return had_angle ? angle : plain;
}

}  // namespace

std::string_view Field::value() const { return whole.substr(whole.find(':') + 1); }

conf::Result<MailFields> split_mail(std::string_view mail) {
  MailFields out;
  size_t at = 0;
  size_t line = 0;
  while (at < mail.size()) {
    ++line;
    const size_t newline = mail.find('\n', at);
    const size_t end = newline == std::string_view::npos ? mail.size() : newline;
    const bool crlf = newline != std::string_view::npos && end > at && mail[end - 1] == '\r';
    const std::string_view text = mail.substr(at, end - at - (crlf ? 1 : 0));
    const std::string where = "line " + std::to_string(line) + " of the header ";
    if (!crlf && newline != std::string_view::npos) return conf::invalid(where + "ends in a bare LF");
    if (text.find('\r') != std::string_view::npos) return conf::invalid(where + "has a bare CR");
    if (text.empty() && crlf) {
      out.body = mail.substr(end + 1);
      break;
    }
    if (conf::is_wsp(text.front())) {
      if (out.fields.empty()) return conf::invalid(where + "continues a field, but there is none before it");
      std::string_view& whole = out.fields.back().whole;
      whole = std::string_view(whole.data(), static_cast<size_t>(text.data() + text.size() - whole.data()));
    } else {
      const size_t colon = text.find(':');
      if (colon == std::string_view::npos || colon == 0) return conf::invalid(where + "is no header field");
      size_t name_end = colon;
      while (name_end > 0 && conf::is_wsp(text[name_end - 1])) --name_end;
      out.fields.push_back({text.substr(0, name_end), text});
    }
    at = newline == std::string_view::npos ? mail.size() : end + 1;
  }
  if (out.fields.empty()) return conf::invalid("the message has no header");
  return out;
}

conf::Result<std::string> from_domain(const MailFields& mail) {
  const Field* from = nullptr;
  for (const Field& field : mail.fields) {
    if (!conf::equal_ignoring_case(field.name, "From")) continue;
    if (from != nullptr) return conf::invalid("the message has two From fields");
    from = &field;
  }
  if (from == nullptr) return conf::Error{conf::ErrorCode::kNotFound, "the message has no From field"};
  const std::string address = first_address(from->value());
  const size_t at = address.rfind('@');
  if (at == std::string::npos) return conf::invalid("its From field has no address with a domain");
  const conf::Result<conf::Domain> domain = conf::Domain::parse(address.substr(at + 1));
  if (!domain.ok()) return conf::invalid("the domain of its From field: " + domain.error().detail);
  return std::string(domain.value().text());
}

}  // namespace dkim
