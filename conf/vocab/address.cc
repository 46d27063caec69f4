#include "conf/vocab/address.h"

#include <arpa/inet.h>
#include <idn2.h>

#include <algorithm>

#include "conf/limits.h"
#include "conf/vocab/ascii.h"

namespace conf {

namespace {

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool is_atext(char c) {
  const auto u = static_cast<unsigned char>(c);
  if (u >= 0x80) return true;  // RFC 6531 §3.3
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

bool is_dot_string(std::string_view text) {
  bool after_dot = true;
  for (const char c : text) {
    if (c == '.') {
      if (after_dot) return false;
      after_dot = true;
    } else if (is_atext(c)) {
      after_dot = false;
    } else {
      return false;
    }
  }
  return !text.empty() && !after_dot;
}

// The length of a quoted string at the start of `text`, quotes included; 0 when it does not end or has
// forbidden octets.
size_t quoted_length(std::string_view text) {
  for (size_t i = 1; i < text.size(); ++i) {
    const auto u = static_cast<unsigned char>(text[i]);
    if (text[i] == '"') return i + 1;
    if (text[i] == '\\') {
      ++i;
      if (i >= text.size() || static_cast<unsigned char>(text[i]) < 0x20 || text[i] == 0x7f) return 0;
    } else if (u < 0x20 || u == 0x7f) {
      return 0;
    }
  }
  return 0;
}

// "abc" with quotes that are not needed is abc (RFC 5321 §4.1.2: the simplest form is to be used).
std::string unquoted(std::string_view quoted) {
  std::string plain;
  for (size_t i = 1; i + 1 < quoted.size(); ++i) {
    if (quoted[i] == '\\') ++i;
    plain += quoted[i];
  }
  return is_dot_string(plain) ? plain : std::string(quoted);
}

Result<Domain> parse_literal(std::string_view text) {
  std::string inner(text.substr(1, text.size() - 2));
  unsigned char raw[16];
  char canonical[INET6_ADDRSTRLEN];
  if (inner.size() > 5 && ascii_lower(inner.substr(0, 5)) == "ipv6:") {
    const std::string address = inner.substr(5);
    if (inet_pton(AF_INET6, address.c_str(), raw) != 1)
      return invalid("\"" + address + "\" is not an IPv6 address");
    inet_ntop(AF_INET6, raw, canonical, sizeof canonical);
    return Domain::from_canonical(std::string("[IPv6:") + canonical + "]");
  }
  if (inet_pton(AF_INET, inner.c_str(), raw) != 1) {
    return invalid("\"" + inner + "\" is not an IPv4 address; an IPv6 one is written [IPv6:...]");
  }
  return Domain::from_canonical("[" + inner + "]");
}

Status check_labels(std::string_view name) {
  if (name.size() > limits::kDomainOctets) return invalid("the domain is longer than 255 octets");
  size_t begin = 0;
  while (begin <= name.size()) {
    const size_t dot = std::min(name.find('.', begin), name.size());
    const std::string_view label = name.substr(begin, dot - begin);
    if (label.empty()) return invalid("the domain has an empty label");
    if (label.size() > 63)
      return invalid("the label \"" + std::string(label) + "\" is longer than 63 octets");
    if (label.front() == '-' || label.back() == '-') {
      return invalid("the label \"" + std::string(label) + "\" begins or ends with a hyphen");
    }
    for (const char c : label) {
      const bool good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
      if (!good)
        return invalid("a domain has letters, digits and hyphens only: \"" + std::string(label) + "\"");
    }
    begin = dot + 1;
  }
  return success();
}

}  // namespace

Result<Domain> Domain::parse(std::string_view text) {
  if (text.empty()) return invalid("the domain is empty");
  if (text.front() == '[') {
    if (text.back() != ']' || text.size() < 3) return invalid("an address literal ends in ]");
    return parse_literal(text);
  }
  if (text.size() > 4 * limits::kDomainOctets) return invalid("the domain is longer than 255 octets");
  if (text.size() > 1 && text.back() == '.') text.remove_suffix(1);
  std::string name;
  if (is_ascii(text)) {
    name = ascii_lower(text);
  } else {
    const std::string input(text);
    char* ascii = nullptr;
    const int status =
        idn2_lookup_u8(reinterpret_cast<const uint8_t*>(input.c_str()), reinterpret_cast<uint8_t**>(&ascii),
                       IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (status != IDN2_OK || input.find('\0') != std::string::npos) {
      idn2_free(ascii);
      return invalid(std::string("not a valid internationalized domain: ") + idn2_strerror(status));
    }
    name = ascii_lower(ascii);
    idn2_free(ascii);
  }
  const Status good = check_labels(name);
  if (!good.ok()) return good.error();
  return from_canonical(std::move(name));
}

Domain Domain::from_canonical(std::string text) {
  Domain domain;
  domain.text_ = std::move(text);
  return domain;
}

std::string_view Domain::literal_address() const {
  if (!is_literal()) return {};
  std::string_view inner = std::string_view(text_).substr(1, text_.size() - 2);
  if (inner.starts_with("IPv6:")) inner.remove_prefix(5);
  return inner;
}

Result<Mailbox> Mailbox::parse(std::string_view text, bool allow_bare_postmaster) {
  Mailbox mailbox;
  if (text.empty()) return invalid("the address is empty");
  if (allow_bare_postmaster && ascii_lower(text) == "postmaster") {
    mailbox.local = std::string(text);
    return mailbox;
  }
  size_t at = 0;
  if (text.front() == '"') {
    at = quoted_length(text);
    if (at == 0) return invalid("the quoted local part does not end, or has control characters");
    mailbox.local = unquoted(text.substr(0, at));
  } else {
    at = text.find('@');
    if (at == std::string_view::npos) return invalid("the address has no @");
    if (!is_dot_string(text.substr(0, at))) return invalid("the local part has characters that need quotes");
    mailbox.local = std::string(text.substr(0, at));
  }
  if (at >= text.size() || text[at] != '@') return invalid("the local part is not followed by @");
  // RFC 5321 §4.5.3.1: 64 octets is what every server takes, and a relay hands on what others may take.
  if (mailbox.local.size() > limits::kPathOctets) return invalid("the local part is longer than 256 octets");
  Result<Domain> domain = Domain::parse(text.substr(at + 1));
  if (!domain.ok()) return domain.error();
  mailbox.domain = std::move(*domain);
  return mailbox;
}

bool Mailbox::has_utf8_local() const { return !is_ascii(local); }

std::string Mailbox::text() const {
  if (domain.empty()) return local;
  std::string text;
  text.reserve(local.size() + 1 + domain.text().size());  // it is asked for several times a message
  return text.append(local).append(1, '@').append(domain.text());
}

bool domain_matches(std::string_view mask, std::string_view domain) {
  size_t m = 0, d = 0;
  size_t star = std::string_view::npos, retry = 0;
  while (d < domain.size()) {
    if (m < mask.size() && mask[m] == '*') {
      star = m++;
      retry = d;
    } else if (m < mask.size() && (mask[m] == '?' || ascii_lower(mask[m]) == ascii_lower(domain[d]))) {
      ++m;
      ++d;
    } else if (star != std::string_view::npos) {
      m = star + 1;
      d = ++retry;
    } else {
      return false;
    }
  }
  while (m < mask.size() && mask[m] == '*') ++m;
  return m == mask.size();
}

bool sender_matches(std::string_view mask, const Mailbox& sender) {
  if (mask == "<>") return sender.is_null();
  if (sender.is_null()) return false;
  return domain_matches(mask,
                        mask.find('@') == std::string_view::npos ? sender.domain.text() : sender.text());
}

}  // namespace conf
