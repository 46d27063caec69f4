// The one place where a reply gets its meaning. What follows from it, for the limiter and for the message,
// others decide from the value.
#pragma once

#include <string_view>

#include "bounce/qualifier.h"
#include "relay/flow/path.h"
#include "relay/smtp/transaction.h"

namespace relay {

// Fills `outcome->meaning` when it is a refusal. A trouble of our own counts against nobody.
void qualify(const bounce::Qualifier& qualifier, std::string_view mx_host, std::string_view source,
             smtp::RecipientOutcome* outcome);
// Fills `error->meaning`.
void qualify(const bounce::Qualifier& qualifier, std::string_view source, queue::PathError* error);

// The recipient is not tried again: once MAIL was said a refusal is final when it is Hard or a rule ends it;
// before, it is the site's and never final.
bool is_final(const smtp::RecipientOutcome& outcome);

}  // namespace relay
