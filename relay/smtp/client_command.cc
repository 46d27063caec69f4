#include "relay/smtp/client_command.h"

#include <fmt/format.h>
#include <strings.h>

#include <iterator>
#include <string_view>

#include "conf/vocab/text.h"
#include "conf/vocab/utf8.h"

namespace relay::smtp {

namespace {

// RFC 3461 §4: xtext.
void append_xtext(std::string_view text, std::string* out) {
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet < 33 || octet > 126 || c == '+' || c == '=') {
      out->push_back('+');
      conf::append_hex(c, out);
    } else {
      out->push_back(c);
    }
  }
}

// RFC 6533 §3: utf-8-addr-xtext, in which a code point above ASCII is \x{HEX}.
void append_utf8_xtext(std::string_view text, std::string* out) {
  while (!text.empty()) {
    const auto [code_point, octets] = conf::utf8_character(text);
    if (code_point < 0x80) {  // also of what is no character
      append_xtext(text.substr(0, 1), out);
      text.remove_prefix(1);
      continue;
    }
    fmt::format_to(std::back_inserter(*out), "\\x{{{:X}}}", static_cast<uint32_t>(code_point));
    text.remove_prefix(octets);
  }
}

void append_path(const conf::Mailbox& mailbox, std::string* out) {
  out->push_back('<');
  out->append(mailbox.local);
  if (!mailbox.domain.empty()) {
    out->push_back('@');
    out->append(mailbox.domain.text());
  }
  out->push_back('>');
}

void append_notify(uint8_t notify, std::string* out) {
  if (notify == conf::kNotifyDefault) return;
  out->append(" NOTIFY=");
  if ((notify & conf::kNotifyNever) != 0) {
    out->append("NEVER");
    return;
  }
  const char* comma = "";
  const auto add = [&](uint8_t bit, const char* word) {
    if ((notify & bit) == 0) return;
    out->append(comma).append(word);
    comma = ",";
  };
  add(conf::kNotifySuccess, "SUCCESS");
  add(conf::kNotifyFailure, "FAILURE");
  add(conf::kNotifyDelay, "DELAY");
}

void append_orcpt(const std::string& orcpt, std::string* out) {
  const size_t semicolon = orcpt.find(';');
  if (semicolon == std::string::npos) return;  // without its address type it says nothing
  const std::string_view type = std::string_view(orcpt).substr(0, semicolon);
  const std::string_view address = std::string_view(orcpt).substr(semicolon + 1);
  out->append(" ORCPT=");
  append_xtext(type, out);
  out->push_back(';');
  if (type.size() == 5 && strncasecmp(type.data(), "utf-8", 5) == 0) {
    append_utf8_xtext(address, out);
  } else {
    append_xtext(address, out);
  }
}

}  // namespace

void append_mail(const Transaction& transaction, const MailParameters& parameters, const PeerFeatures& peer,
                 std::string* out) {
  out->append("MAIL FROM:");
  append_path(transaction.reverse_path, out);
  if (peer.size_known) out->append(" SIZE=").append(std::to_string(parameters.size_bytes));
  if (peer.eight_bit_mime && parameters.eight_bit) out->append(" BODY=8BITMIME");
  if (peer.smtputf8 && parameters.smtputf8) out->append(" SMTPUTF8");
  if (peer.dsn) {
    if (transaction.ret != conf::Ret::kUnset) {
      out->append(transaction.ret == conf::Ret::kFull ? " RET=FULL" : " RET=HDRS");
    }
    if (!transaction.envid.empty()) {
      out->append(" ENVID=");
      append_xtext(transaction.envid, out);
    }
  }
  out->append("\r\n");
}

void append_rcpt(const conf::Recipient& recipient, const PeerFeatures& peer, std::string* out) {
  out->append("RCPT TO:");
  append_path(recipient.mailbox, out);
  if (peer.dsn) {
    append_notify(recipient.notify, out);
    append_orcpt(recipient.orcpt, out);
  }
  out->append("\r\n");
}

bool fits_command(const conf::Mailbox& mailbox) {
  bool quoted = false;
  const std::string& local = mailbox.local;
  for (size_t i = 0; i < local.size(); ++i) {
    const char c = local[i];
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
    if (quoted && c == '\\') {
      // The escaped character is looked at too: a control character is never taken.
      if (++i == local.size() || static_cast<unsigned char>(local[i]) < 0x20 || local[i] == 0x7f)
        return false;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (c == '<' || c == '>' || c == ' ')) {
      return false;
    }
  }
  if (quoted) return false;
  for (const char c : mailbox.domain.text()) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '<' || c == '>') return false;
  }
  return true;
}

}  // namespace relay::smtp
