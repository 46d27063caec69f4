// When a refusal says that the host, or the system behind it, takes no mail for now, and nothing of the
// message: "421 4.3.2 shutting down" (RFC 5321 §3.8), "451 4.3.0 system trouble". It is no verdict of the
// receiver, and thresholds do not count it; where it comes in a row the path is sick (BackOff::refused).
// Pure.
#pragma once

#include <vector>

#include "relay/smtp/transaction.h"

namespace relay {

// The peer speaks of its host or of the system behind it, asks for no slower pace, and no rule says what
// follows.
inline bool speaks_of_itself(const smtp::RecipientOutcome& outcome) {
  if (outcome.kind != smtp::RecipientOutcome::Kind::kRefused || outcome.local) return false;
  if (!outcome.reply.transient() && !outcome.reply.permanent()) return false;
  const bounce::Qualification& meaning = outcome.meaning;
  return meaning.act == bounce::Act::kNone && meaning.pace != bounce::Pace::kSlower &&
         (meaning.scope == bounce::Scope::kSite || meaning.scope == bounce::Scope::kConnection);
}

inline bool is_of_sick_host(const smtp::RecipientOutcome& outcome) {
  return speaks_of_itself(outcome) && outcome.reply.transient() &&
         outcome.meaning.type == bounce::ErrorType::kSoft;
}

// Of a transaction, whose recipients got no other answer. Null: it is not so; else one of them.
inline const smtp::RecipientOutcome* of_sick_host(const std::vector<smtp::RecipientOutcome>& outcomes) {
  const smtp::RecipientOutcome* found = nullptr;
  for (const smtp::RecipientOutcome& each : outcomes) {
    if (each.kind == smtp::RecipientOutcome::Kind::kNotTried) continue;
    if (!is_of_sick_host(each)) return nullptr;
    found = &each;
  }
  return found;
}

}  // namespace relay
