// Which parameter of MAIL or RCPT a refusal is about, when it is about one that may be left out
// (RFC 5321 §4.1.1.11: 555; others are in use).
#pragma once

#include "bounce/reply.h"
#include "relay/smtp/lessons.h"

namespace relay::smtp {

// `sent`: whose parameters the command carried. Empty: the refusal is about something else.
ExtensionSet refused_parameters(const bounce::Reply& reply, ExtensionSet sent);

}  // namespace relay::smtp
