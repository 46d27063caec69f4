// Mail addresses (RFC 5321 §4.1.2, §4.1.3; RFC 6531 for UTF-8).
#pragma once

#include <string>
#include <string_view>

#include "conf/vocab/result.h"

namespace conf {

// A domain in canonical form: lower case, A-labels ("xn--..."), no trailing dot; or an address literal kept
// with its brackets ("[192.0.2.1]", "[IPv6:2001:db8::1]"); or empty.
class Domain {
 public:
  Domain() = default;
  // Folds case, turns U-labels into A-labels (libidn2, IDNA2008 with UTS #46 mapping), checks labels (<= 63)
  // and length
  // (<= 255, RFC 5321 §4.5.3.1.2). kInvalid says which part is wrong.
  static Result<Domain> parse(std::string_view text);
  // Takes a text that is known to be canonical (from the spool, from parse()).
  static Domain from_canonical(std::string text);

  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }
  bool is_literal() const { return !text_.empty() && text_.front() == '['; }
  // The bare address of a literal ("192.0.2.1", "2001:db8::1"); empty when this is not one.
  std::string_view literal_address() const;
  friend bool operator==(const Domain& a, const Domain& b) { return a.text_ == b.text_; }
  friend bool operator<(const Domain& a, const Domain& b) { return a.text_ < b.text_; }

 private:
  std::string text_;
};

// A mailbox, or the null reverse-path "<>" when both parts are empty, or "postmaster" with an empty domain.
struct Mailbox {
  std::string local;  // as it came, unquoted where quoting is not needed; quotes kept where it is
  Domain domain;

  // Parses "local@domain" without angle brackets. Quoted local parts, address literals, UTF-8 (caller checks
  // SMTPUTF8). local <= 64 octets (RFC 5321 §4.5.3.1.1). "postmaster" alone is taken when
  // `allow_bare_postmaster`.
  static Result<Mailbox> parse(std::string_view text, bool allow_bare_postmaster = false);

  bool is_null() const { return local.empty() && domain.empty(); }
  bool has_utf8_local() const;
  std::string text() const;  // "local@domain", "" for null, "postmaster"
  friend bool operator==(const Mailbox& a, const Mailbox& b) {
    return a.local == b.local && a.domain == b.domain;
  }
};

// Case-insensitive glob over a domain: '*' any run, '?' one character. Linear in practice, no recursion.
bool domain_matches(std::string_view mask, std::string_view domain);
// The mask is for the whole address when it has an '@', else for its domain; "<>" is the null reverse-path,
// which no other mask takes.
bool sender_matches(std::string_view mask, const Mailbox& sender);

}  // namespace conf
