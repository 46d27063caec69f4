#include "relay/smtp/refused_parameters.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "conf/vocab/ascii.h"

namespace relay::smtp {

namespace {

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool has(std::string_view text, std::string_view word) { return text.find(word) != std::string_view::npos; }

// As a word: "ret" stands in "RET=HDRS", not in "return".
bool has_word(std::string_view text, std::string_view word) {
  for (size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const size_t end = at + word.size();
    if ((at == 0 || !is_letter_or_digit(text[at - 1])) &&
        (end == text.size() || !is_letter_or_digit(text[end])))
      return true;
  }
  return false;
}

bool is_about_syntax(const bounce::Reply& reply, std::string_view text) {
  if (reply.code == 555 || reply.code == 455) return true;
  if (reply.enhanced.present() && reply.enhanced.subject == 5 && reply.enhanced.detail == 4) return true;
  return has(text, "not supported") || has(text, "unsupported") || has(text, "not implemented") ||
         has(text, "unrecognized") || has(text, "unrecognised") || has(text, "not recognized") ||
         has(text, "unknown parameter") || has(text, "unknown option") || has(text, "syntax") ||
         has(text, "not understood") ||
         ((has_word(text, "parameter") || has_word(text, "parameters") || has_word(text, "option") ||
           has_word(text, "options") || has_word(text, "argument") || has_word(text, "arguments") ||
           has_word(text, "extension")) &&
          (has(text, "invalid") || has(text, "bad") || has(text, "unknown") || has(text, "illegal") ||
           has(text, "unexpected") || has(text, "too many")));
}

// RFC 3463 §3.7: X.6.1, X.6.3.
bool is_about_media(const bounce::Reply& reply) {
  return reply.enhanced.present() && reply.enhanced.subject == 6 &&
         (reply.enhanced.detail == 1 || reply.enhanced.detail == 3);
}

}  // namespace

bool refuses_eight_bit(const bounce::Reply& reply) {
  if (!reply.permanent()) return false;
  const std::string text = conf::ascii_lower(reply.text());
  return is_about_media(reply) || has(text, "8bit") || has(text, "8-bit") || has(text, "8 bit") ||
         has(text, "eight bit") || has(text, "eight-bit");
}

ExtensionSet refused_parameters(const bounce::Reply& reply, ExtensionSet sent) {
  ExtensionSet meant;
  // RFC 5321 §4.2.3: 455 is 555 for now.
  const bool about_parameters =
      reply.enhanced.present() && reply.enhanced.subject == 5 && reply.enhanced.detail == 4;
  if (sent.empty() || !(reply.permanent() || reply.code == 455 || (reply.transient() && about_parameters)))
    return meant;
  const std::string text = conf::ascii_lower(reply.text());
  const bool by_code =
      reply.code == 555 || reply.code == 501 || reply.code == 504 || reply.code == 500 || reply.code == 502;
  const bool syntax = is_about_syntax(reply, text);
  const auto add = [&](Extension extension, bool named) {
    if (named && sent.has(extension)) meant.add(extension);
  };
  add(Extension::kEightBitMime,
      is_about_media(reply) || has(text, "8bitmime") || (has_word(text, "body") && (syntax || by_code)));
  if (syntax || by_code) {
    add(Extension::kSize, has_word(text, "size"));
    add(Extension::kSmtpUtf8, has(text, "smtputf8"));
    add(Extension::kDsn, has_word(text, "ret") || has_word(text, "envid") || has_word(text, "notify") ||
                             has_word(text, "orcpt") || has_word(text, "dsn"));
  }
  // One that names nothing: any of them. A code of syntax alone may be about the address.
  // RFC 5321 §4.2.3: 504 is about a parameter; some say it of an address that has no domain.
  const bool bare_504 = reply.code == 504 && !reply.enhanced.present() && !has(text, "address");
  const bool any = meant.empty() && (reply.code == 555 || reply.code == 455 || about_parameters || bare_504 ||
                                     (by_code && syntax));
  if (!any) return meant;
  // Mail that needs SMTPUTF8 cannot go without it, and all others can be spared: it comes last, and not by a
  // word about the command.
  ExtensionSet others = sent;
  others.remove(Extension::kSmtpUtf8);
  if (!others.empty() || is_about_parameters(reply)) return others.empty() ? sent : others;
  return {};
}

bool is_about_parameters(const bounce::Reply& reply) {
  if (reply.positive() || (reply.enhanced.present() && reply.enhanced.subject != 5)) return false;
  if (reply.enhanced.present() && reply.enhanced.detail == 4) return true;
  if (!reply.enhanced.present() && (reply.code == 555 || reply.code == 504)) return true;
  const std::string text = conf::ascii_lower(reply.text());
  return has_word(text, "parameter") || has_word(text, "parameters") || has_word(text, "option") ||
         has_word(text, "options") || has_word(text, "argument") || has_word(text, "arguments");
}

}  // namespace relay::smtp
