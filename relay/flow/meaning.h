// The one place where a reply gets its meaning. What follows from it, for the limiter and for the message,
// others decide from the value.
#pragma once

#include <optional>
#include <string_view>

#include "bounce/known_texts.h"
#include "bounce/qualifier.h"
#include "conf/retry_schedule.h"
#include "relay/flow/path.h"
#include "relay/smtp/transaction.h"

namespace relay {

// Where a refusal was met. Views: for one call.
struct Meeting {
  std::string_view mx_host, recipient_domain, source;
  bool smart_host = false;
};
// Fills `outcome->meaning` when it is a refusal. A trouble of our own counts against nobody.
void qualify(bounce::KnownTexts* texts, const Meeting& at, smtp::RecipientOutcome* outcome);
void qualify(const bounce::Qualifier& qualifier, const Meeting& at, smtp::RecipientOutcome* outcome);
// Fills `error->meaning`.
void qualify(bounce::KnownTexts* texts, std::string_view source, queue::PathError* error);

// Of a refusal that passes in minutes.
std::optional<conf::PassingTrouble> passing_trouble(const smtp::RecipientOutcome& outcome);

// The recipient is not tried again: once MAIL was said a refusal is final when it is Hard or a rule ends it;
// before, it is the site's and never final.
bool is_final(const smtp::RecipientOutcome& outcome);

}  // namespace relay
