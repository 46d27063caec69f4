// A refusal as text, from a bounce, a log or a file, made a Reply again.
#pragma once

#include <string>
#include <string_view>

#include "bounce/qualification.h"
#include "bounce/reply.h"

namespace bounce {

// "550 5.1.1 text", "550-5.1.1 text 550 5.1.1 more", "smtp; 550 #5.1.1 text", "#5.1.1 text", or text alone
// (code 0). Repeated codes of a joined reply are dropped. Never fails; looks at the first 16 KB.
Reply read_diagnostic(std::string_view text);

// What Postfix notes behind a reply: of MAIL and EHLO, "(in reply to MAIL FROM command)", which speak of no
// recipient. kUnknown: of no such command, or not noted.
Stage stage_said(std::string_view text);

// Codes of our own programs at the front say nothing of the receiver: "JST-310000 ", "MTA-740010: ".
std::string_view without_product_code(std::string_view text);

// The status of a reply; where no line begins with one, that which stands behind its first words.
EnhancedStatus status_of(const Reply& reply, std::string_view joined);

// The lines of a reply as one text, however the server wrapped it: the code and the status that it repeats
// before each line are dropped. Looks at about `limit` octets.
std::string joined_text(const Reply& reply, size_t limit);

}  // namespace bounce
