#include "relay/flow/free_tries.h"

#include <algorithm>
#include <string>

#include "bounce/protocol_words.h"

namespace relay {

namespace {

using Kind = smtp::RecipientOutcome::Kind;

constexpr uint8_t kMostFreeTries = 12;
constexpr conf::Duration kSick = std::chrono::seconds(60);
// Longer than the first wait of the usual schedules: then another host is asked.
constexpr conf::Duration kBrokenBehindDot = std::chrono::minutes(10);
constexpr conf::Duration kOffersKept = std::chrono::minutes(10);

// A session that broke, or a 4yz that is about the host that says it, and about nobody else: another one may
// take the mail (RFC 5321 §5.1). Greylisting, a full mailbox, our pace and our reputation are the same at all
// of them.
bool is_about_host(const smtp::RecipientOutcome& outcome) {
  if (outcome.kind != Kind::kRefused || outcome.local || outcome.uncertain) return false;
  if (outcome.broken) return true;
  if (!outcome.reply.transient()) return false;
  const bounce::Qualification& meaning = outcome.meaning;
  // RFC 5321 §3.8: 421 is a wish for a slower pace, unless it says that the host goes down.
  if (outcome.reply.code == 421 && meaning.act == bounce::Act::kNone &&
      bounce::says_going_down(outcome.reply))
    return true;
  if (meaning.throttling || meaning.pace == bounce::Pace::kSlower) return false;
  if (meaning.act != bounce::Act::kNone) return false;  // a rule says what follows
  // RFC 3463 §3.4: X.3.Y is about the mail system. Where the words say otherwise they are believed.
  const bool by_status = outcome.reply.enhanced.present() && outcome.reply.enhanced.subject == 3;
  return meaning.scope == bounce::Scope::kSite || (by_status && meaning.scope == bounce::Scope::kConnection);
}

// A refusal of our own for what this host does not offer, or not for so many octets: SIZE (RFC 1870 §6.1),
// 8BITMIME, SMTPUTF8. Another one may.
bool is_about_offer(const smtp::RecipientOutcome& outcome) {
  if (outcome.kind != Kind::kRefused || !outcome.local) return false;
  const bounce::EnhancedStatus& status = outcome.reply.enhanced;
  return status.subject == 6 || (status.subject == 3 && status.detail == 4);
}

std::string said(const bounce::Reply& reply) {
  return reply.code == 0 ? reply.text() : std::to_string(reply.code) + ' ' + reply.text();
}

}  // namespace

void FreeTries::bound(queue::Delivery* delivery, std::vector<smtp::RecipientOutcome>* outcomes) {
  const bool free = std::all_of(outcomes->begin(), outcomes->end(), [](const smtp::RecipientOutcome& each) {
    return each.kind == Kind::kNotTried;
  });
  if (!free || ++delivery->free_tries <= kMostFreeTries) return;
  delivery->free_tries = 0;
  for (smtp::RecipientOutcome& each : *outcomes) {
    each.kind = Kind::kRefused;
    each.reply = bounce::Reply::make(0, "no connection came as far as an answer: " + each.reply.text());
  }
}

void FreeTries::try_next_host(const OutboundConnection& connection, queue::Delivery* delivery,
                              std::vector<smtp::RecipientOutcome>* outcomes, conf::Instant began,
                              conf::Instant now) {
  const auto any = [outcomes](auto&& is) { return std::any_of(outcomes->begin(), outcomes->end(), is); };
  const queue::Path& path = *connection.path();
  const Target& target = connection.target();
  const bool delivered = any([](const smtp::RecipientOutcome& each) {
    return each.kind == Kind::kDelivered || each.kind == Kind::kDeliveredNoDsn;
  });
  const auto leads_on = [&](const smtp::RecipientOutcome& each) {
    if (!is_about_offer(each)) return !delivered && is_about_host(each);
    const auto alike = path.site->offers_alike.find(each.reply.enhanced.detail);
    return alike == path.site->offers_alike.end() || alike->second <= now;
  };
  const auto first = std::find_if(outcomes->begin(), outcomes->end(), leads_on);
  // To send it at once would perhaps be to send it twice: it waits, and the next attempt is at another host.
  const bool uncertain = any([](const smtp::RecipientOutcome& each) { return each.uncertain; });
  if (uncertain) hosts_->leave(path, target, now + kBrokenBehindDot);
  if (uncertain || (first != outcomes->end() && !first->local)) {
    hosts_->was_silent(path, target, connection.silent_since(), now);
  } else if (any([](const smtp::RecipientOutcome& each) { return each.reply.code != 0 && !each.local; })) {
    hosts_->answered(path, target, began);
  }
  if (first == outcomes->end() || delivery->free_tries >= kMostFreeTries ||
      !hosts_->has_other(connection, now)) {
    if (first != outcomes->end() && first->local)
      path.site->offers_alike[first->reply.enhanced.detail] = now + kOffersKept;
    if (any([](const smtp::RecipientOutcome& each) { return each.kind != Kind::kNotTried; }))
      delivery->free_tries = 0;
    return;
  }
  if (!first->local && !path.site->is_left(target.address, now))
    troubles_->tell(path, target, first->stage, "the next host is tried: " + said(first->reply));
  hosts_->leave(path, target, now + kSick);
  ++delivery->free_tries;
  for (smtp::RecipientOutcome& each : *outcomes) {
    if (leads_on(each)) each.kind = Kind::kNotTried;
  }
}

}  // namespace relay
