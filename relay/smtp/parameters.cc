#include "relay/smtp/parameters.h"

#include <algorithm>
#include <limits>

#include "conf/limits.h"
#include "conf/vocab/text.h"
#include "conf/vocab/utf8.h"

namespace relay::smtp {

namespace {

struct Parameter {
  std::string_view key;
  std::string_view value;
  bool has_value = false;
};

// Cuts the next parameter off `*text`; false when there is none.
bool next_parameter(std::string_view* text, Parameter* parameter) {
  const size_t begin = text->find_first_not_of(' ');
  if (begin == std::string_view::npos) return false;
  const size_t end = std::min(text->find(' ', begin), text->size());
  const std::string_view word = text->substr(begin, end - begin);
  text->remove_prefix(end);
  const size_t equals = word.find('=');
  parameter->has_value = equals != std::string_view::npos;
  parameter->key = word.substr(0, equals);
  parameter->value = parameter->has_value ? word.substr(equals + 1) : std::string_view();
  return true;
}

void bad_value(const char* what, Command* command) { command->error = std::string("501 5.5.4 ") + what; }

// Marks `bit` in `*seen`; a second time is a fault.
bool once(unsigned bit, unsigned* seen, Command* command) {
  if ((*seen & bit) != 0) bad_value("a parameter is given twice", command);
  *seen |= bit;
  return command->error.empty();
}

// RFC 3461 §4.4: printable US-ASCII once decoded.
bool take_envid(std::string_view value, bool lenient, std::string* envid) {
  if (value.empty() || value.size() > conf::limits::kEnvidOctets || !decode_xtext(value, envid, lenient))
    return false;
  return std::ranges::all_of(*envid, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

void mail_parameter(const Parameter& p, bool lenient, unsigned* seen, Command* command) {
  std::string ignored;
  if (equal_ignoring_case(p.key, "SIZE")) {
    if (once(1, seen, command) && !parse_number(p.value, &command->size_octets)) {
      bad_value("SIZE wants a number of octets", command);
    }
  } else if (equal_ignoring_case(p.key, "BODY")) {
    if (!once(2, seen, command)) return;
    if (equal_ignoring_case(p.value, "8BITMIME")) {
      command->body = conf::BodyType::k8BitMime;
    } else if (!equal_ignoring_case(p.value, "7BIT")) {
      bad_value("BODY is 7BIT or 8BITMIME", command);
    }
  } else if (equal_ignoring_case(p.key, "SMTPUTF8")) {
    if (once(4, seen, command) && p.has_value) bad_value("SMTPUTF8 takes no value", command);
    command->smtputf8 = true;
  } else if (equal_ignoring_case(p.key, "RET")) {
    if (!once(8, seen, command)) return;
    if (equal_ignoring_case(p.value, "FULL")) {
      command->ret = conf::Ret::kFull;
    } else if (equal_ignoring_case(p.value, "HDRS")) {
      command->ret = conf::Ret::kHeaders;
    } else {
      bad_value("RET is FULL or HDRS", command);
    }
  } else if (equal_ignoring_case(p.key, "ENVID")) {
    if (once(16, seen, command) && !take_envid(p.value, lenient, &command->envid)) {
      bad_value("ENVID wants xtext of 1 to 100 octets", command);
    }
  } else if (equal_ignoring_case(p.key, "AUTH")) {  // RFC 4954 §5: checked, not passed on
    if (once(32, seen, command) && (p.value.empty() || !decode_xtext(p.value, &ignored, lenient))) {
      bad_value("AUTH wants xtext or <>", command);
    }
  } else {
    command->error = "555 5.5.4 unknown parameter of MAIL";
  }
}

void parse_notify(std::string_view value, Command* command) {
  uint8_t bits = 0;
  for (;;) {
    const size_t comma = value.find(',');
    const std::string_view word = value.substr(0, comma);
    if (equal_ignoring_case(word, "NEVER")) {
      bits |= conf::kNotifyNever;
    } else if (equal_ignoring_case(word, "SUCCESS")) {
      bits |= conf::kNotifySuccess;
    } else if (equal_ignoring_case(word, "FAILURE")) {
      bits |= conf::kNotifyFailure;
    } else if (equal_ignoring_case(word, "DELAY")) {
      bits |= conf::kNotifyDelay;
    } else {
      return bad_value("NOTIFY is NEVER, or a list of SUCCESS, FAILURE and DELAY", command);
    }
    if (comma == std::string_view::npos) break;
    value.remove_prefix(comma + 1);
  }
  if ((bits & conf::kNotifyNever) != 0 && bits != conf::kNotifyNever) {
    return bad_value("NOTIFY=NEVER stands alone", command);
  }
  command->recipient.notify = bits;
}

void parse_orcpt(std::string_view value, bool lenient, Command* command) {
  const size_t semicolon = value.find(';');
  std::string address;
  const bool shaped = value.size() <= conf::limits::kOrcptOctets && semicolon != std::string_view::npos &&
                      semicolon > 0 && semicolon + 1 < value.size();
  if (!shaped || !decode_xtext(value.substr(semicolon + 1), &address, lenient)) {
    return bad_value("ORCPT wants type;address in xtext, at most 500 octets", command);
  }
  for (const char c : value.substr(0, semicolon)) {
    const bool atom = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    if (!atom) return bad_value("the address type of ORCPT is malformed", command);
  }
  command->recipient.orcpt = std::string(value.substr(0, semicolon + 1)) + address;
}

int hex_digit(char c, bool lenient) {  // RFC 3461 §4: upper case only
  return lenient || c < 'a' ? conf::hex_value(c) : -1;
}

}  // namespace

void parse_mail_parameters(std::string_view text, bool lenient, Command* command) {
  Parameter parameter;
  unsigned seen = 0;
  while (command->error.empty() && next_parameter(&text, &parameter)) {
    command->has_parameters = true;
    mail_parameter(parameter, lenient, &seen, command);
  }
}

void parse_rcpt_parameters(std::string_view text, bool lenient, Command* command) {
  Parameter parameter;
  unsigned seen = 0;
  while (command->error.empty() && next_parameter(&text, &parameter)) {
    command->has_parameters = true;
    if (equal_ignoring_case(parameter.key, "NOTIFY")) {
      if (once(1, &seen, command)) parse_notify(parameter.value, command);
    } else if (equal_ignoring_case(parameter.key, "ORCPT")) {
      if (once(2, &seen, command)) parse_orcpt(parameter.value, lenient, command);
    } else {
      command->error = "555 5.5.4 unknown parameter of RCPT";
    }
  }
}

bool decode_xtext(std::string_view text, std::string* out, bool lenient) {
  out->clear();
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned char c = static_cast<unsigned char>(text[i]);
    if (c == '=') return false;
    if (c == '+') {
      if (i + 2 >= text.size()) return false;
      const int high = hex_digit(text[i + 1], lenient);
      const int low = hex_digit(text[i + 2], lenient);
      if (high < 0 || low < 0) return false;
      c = static_cast<unsigned char>(high * 16 + low);
      i += 2;
    }
    // A decoded CR or LF would become a line of its own in a report or in the next hop's session.
    if (c < 32 || c == 127) return false;
    out->push_back(static_cast<char>(c));
  }
  return conf::is_utf8(*out);
}

bool parse_number(std::string_view text, uint64_t* out) {
  if (text.empty() || text.size() > 20) return false;
  uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    const uint64_t digit = static_cast<uint64_t>(c - '0');
    if (value > (std::numeric_limits<uint64_t>::max() - digit) / 10) return false;
    value = value * 10 + digit;
  }
  *out = value;
  return true;
}

}  // namespace relay::smtp
