// The ESMTP parameters of MAIL and RCPT (RFC 5321 §4.1.2 esmtp-param) and the small grammars they use.
#pragma once

#include <string>
#include <string_view>

#include "conf/vocab/ascii.h"
#include "relay/smtp/command.h"

namespace relay::smtp {

// Read " KEY=value KEY ..." into `*command`; on a fault `command->error` is set. Keywords are
// case-insensitive; one that comes twice is a fault.
// `lenient`: xtext may have lower-case digits.
void parse_mail_parameters(std::string_view text, bool lenient, Command* command);
void parse_rcpt_parameters(std::string_view text, bool lenient, Command* command);

// xtext (RFC 3461 §4): "+HH" stands for an octet. False when malformed, when it hides a control character, or
// when the result is not UTF-8 (RFC 6533 §3).
bool decode_xtext(std::string_view text, std::string* out, bool lenient = false);
// Decimal digits only, at most 20, without overflow.
bool parse_number(std::string_view text, uint64_t* out);
using conf::equal_ignoring_case;

}  // namespace relay::smtp
