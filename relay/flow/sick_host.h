// When a refusal says that the host, or the system behind it, takes no mail for now, and nothing of the
// message: "421 4.3.2 shutting down" (RFC 5321 §3.8), "451 4.3.0 system trouble". It is no verdict of the
// receiver, and thresholds do not count it; where it comes in a row the path is sick (BackOff::refused).
// Pure.
#pragma once

#include <vector>

#include "relay/smtp/transaction.h"

namespace relay {

inline bool is_of_sick_host(const smtp::RecipientOutcome& outcome) {
  using Kind = smtp::RecipientOutcome::Kind;
  if (outcome.kind != Kind::kRefused || outcome.local || !outcome.reply.transient()) return false;
  const bounce::Qualification& meaning = outcome.meaning;
  if (meaning.type != bounce::ErrorType::kSoft || meaning.act != bounce::Act::kNone) return false;
  return meaning.pace != bounce::Pace::kSlower &&
         (meaning.scope == bounce::Scope::kSite || meaning.scope == bounce::Scope::kConnection);
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
