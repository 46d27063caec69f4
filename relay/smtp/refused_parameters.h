// Which parameter of MAIL or RCPT a refusal is about, when it is about one that may be left out
// (RFC 5321 §4.1.1.11: 555; others are in use).
#pragma once

#include "bounce/reply.h"
#include "relay/smtp/lessons.h"

namespace relay::smtp {

// `sent`: whose parameters the command carried. Empty: the refusal is about something else. One that names
// none means all of them, but SMTPUTF8 only when it is the last.
ExtensionSet refused_parameters(const bounce::Reply& reply, ExtensionSet sent);

// The content was refused because it has octets above 127 (RFC 3463 §3.7: x.6.1, x.6.3).
bool refuses_eight_bit(const bounce::Reply& reply);

// Whether a refusal speaks of parameters, whatever the command carried.
bool is_about_parameters(const bounce::Reply& reply);

}  // namespace relay::smtp
