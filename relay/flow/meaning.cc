#include "relay/flow/meaning.h"

namespace relay {

namespace {

bounce::Qualification meaning_of(const bounce::Qualifier& qualifier, bounce::Stage stage,
                                 const bounce::Reply& reply, std::string_view mx_host,
                                 std::string_view source) {
  bounce::Qualification meaning = qualifier.qualify({stage, &reply, mx_host, {}, source});
  // RFC 5321 §4.2.1: a 5yz is final, whatever it is about, and a 4yz never is.
  if (reply.permanent()) meaning.type = bounce::ErrorType::kHard;
  if (reply.transient() && stage != bounce::Stage::kLocal) meaning.type = bounce::ErrorType::kSoft;
  return meaning;
}

}  // namespace

void qualify(const bounce::Qualifier& qualifier, std::string_view mx_host, std::string_view source,
             smtp::RecipientOutcome* outcome) {
  if (outcome->kind != smtp::RecipientOutcome::Kind::kRefused) return;
  outcome->meaning = meaning_of(qualifier, outcome->stage, outcome->reply, mx_host, source);
  if (outcome->local && !is_final(*outcome)) outcome->meaning.type = bounce::ErrorType::kIgnored;
}

void qualify(const bounce::Qualifier& qualifier, std::string_view source, queue::PathError* error) {
  error->meaning = meaning_of(qualifier, error->stage, error->reply, error->mx_host, source);
}

bool is_final(const smtp::RecipientOutcome& outcome) {
  return bounce::ends_at_once(outcome.meaning) && !bounce::before_mail(outcome.stage);
}

}  // namespace relay
