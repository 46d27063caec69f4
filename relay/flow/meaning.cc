#include "relay/flow/meaning.h"

#include <utility>

namespace relay {

namespace {

bool is_refusal(const smtp::RecipientOutcome& outcome) {
  return outcome.kind == smtp::RecipientOutcome::Kind::kRefused;
}

bounce::Occasion occasion(const Meeting& at, const smtp::RecipientOutcome& outcome) {
  return {.stage = outcome.stage,
          .reply = &outcome.reply,
          .mx_host = at.mx_host,
          .recipient_domain = at.recipient_domain,
          .source = at.source,
          .local_part = outcome.local_part,
          .smart_host = at.smart_host};
}

void take(bounce::Qualification meaning, smtp::RecipientOutcome* outcome) {
  outcome->meaning = std::move(meaning);
  if (outcome->local && !is_final(*outcome)) outcome->meaning.type = bounce::ErrorType::kIgnored;
}

}  // namespace

void qualify(bounce::KnownTexts* texts, const Meeting& at, smtp::RecipientOutcome* outcome) {
  if (is_refusal(*outcome)) take(texts->qualify(occasion(at, *outcome)), outcome);
}

void qualify(const bounce::Qualifier& qualifier, const Meeting& at, smtp::RecipientOutcome* outcome) {
  if (is_refusal(*outcome)) take(qualifier.qualify(occasion(at, *outcome)), outcome);
}

void qualify(bounce::KnownTexts* texts, std::string_view source, queue::PathError* error) {
  error->meaning = texts->qualify({error->stage, &error->reply, error->mx_host, {}, source});
}

std::optional<conf::PassingTrouble> passing_trouble(const smtp::RecipientOutcome& outcome) {
  const bounce::Qualification& meaning = outcome.meaning;
  // Of our own troubles only that names cannot be found out passes by itself.
  if (outcome.local && outcome.stage != bounce::Stage::kDns) return std::nullopt;
  if (!outcome.reply.transient() || meaning.pace == bounce::Pace::kSlower) return std::nullopt;
  if (meaning.scope == bounce::Scope::kMessage && meaning.pace == bounce::Pace::kSame)
    return conf::PassingTrouble::kGreylisting;
  if (meaning.scope == bounce::Scope::kSite || meaning.scope == bounce::Scope::kConnection)
    return conf::PassingTrouble::kHost;
  return std::nullopt;
}

bool is_final(const smtp::RecipientOutcome& outcome) {
  return bounce::ends_at_once(outcome.meaning) && !bounce::before_mail(outcome.stage);
}

}  // namespace relay
