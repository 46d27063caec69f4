#include "relay/flow/free_tries.h"

#include <algorithm>
#include <string>

#include "bounce/protocol_words.h"
#include "relay/flow/sick_host.h"

namespace relay {

namespace {

using Kind = smtp::RecipientOutcome::Kind;

constexpr uint8_t kMostFreeTries = 12;
constexpr conf::Duration kSick = std::chrono::seconds(60);
// Longer than the first wait of the usual schedules: then another host is asked.
constexpr conf::Duration kBrokenBehindDot = std::chrono::minutes(10);

// A session that broke, or a refusal that waits and is about the host that says it, and about nobody else:
// another one may take the mail (RFC 5321 §5.1). Greylisting, a full mailbox, our pace and our reputation are
// the same at all of them.
bool is_about_host(const smtp::RecipientOutcome& outcome) {
  if (outcome.kind != Kind::kRefused || outcome.local || outcome.uncertain) return false;
  if (outcome.broken) return true;
  const bounce::Qualification& meaning = outcome.meaning;
  // RFC 5321 §3.8: 421 is a wish for a slower pace, unless it says that the host goes down.
  if (outcome.reply.code == 421 && meaning.act == bounce::Act::kNone &&
      bounce::says_going_down(outcome.reply))
    return true;
  if (!speaks_of_itself(outcome)) return false;
  if (meaning.scope == bounce::Scope::kSite) return true;
  // RFC 3463 §3.4: X.3.Y is about the mail system. Where the words say otherwise they are believed. A 421
  // that asks for no slower pace is about the host as 451 is.
  const bool by_status = outcome.reply.enhanced.present() && outcome.reply.enhanced.subject == 3;
  return outcome.reply.transient() &&
         (by_status || (outcome.reply.code == 421 && meaning.pace == bounce::Pace::kUnsaid));
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

// What this host's offer is too little for goes to one that may offer more. While none of those can be asked
// it waits: only what all of them are known not to take is refused.
void FreeTries::look_at_offers(const OutboundConnection& connection, bool may_try,
                               std::vector<smtp::RecipientOutcome>* outcomes, bool* leads_on,
                               conf::Instant now) {
  hosts_->offers_too_little(connection, now);
  for (smtp::RecipientOutcome& each : *outcomes) {
    if (!is_about_offer(each)) continue;
    const Hosts::Others others = hosts_->others_offer(connection, each, now);
    if (others == Hosts::Others::kTooLittle) continue;
    if (others == Hosts::Others::kWell && may_try) {
      each.kind = Kind::kNotTried;
      *leads_on = true;
    } else {
      const std::string why = each.reply.text().substr(each.reply.enhanced.text().size() + 1);
      each.reply =
          bounce::Reply::make(451, "4.4.1 " + why + "; a host that may take it cannot be asked at present");
      each.meaning.act = bounce::Act::kNone;
      each.meaning.type = bounce::ErrorType::kIgnored;
    }
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
  const bool may_try = delivery->free_tries < kMostFreeTries;
  bool leads_on = false;
  if (any(is_about_offer)) look_at_offers(connection, may_try, outcomes, &leads_on, now);
  const auto first =
      delivered ? outcomes->end() : std::find_if(outcomes->begin(), outcomes->end(), is_about_host);
  // To send it at once would perhaps be to send it twice: it waits, and the next attempt is at another host.
  const bool uncertain = any([](const smtp::RecipientOutcome& each) { return each.uncertain; });
  if (uncertain) hosts_->leave(path, target, now + kBrokenBehindDot);
  if (uncertain || first != outcomes->end()) {
    hosts_->was_silent(path, target, connection.silent_since(), now);
  } else if (any([](const smtp::RecipientOutcome& each) { return each.reply.code != 0 && !each.local; })) {
    hosts_->answered(path, target, began);
  }
  if (first != outcomes->end() && may_try && hosts_->has_other(connection, now)) {
    leads_on = true;
    if (!path.site->is_left(target.address, now))
      troubles_->tell(path, target, first->stage, "the next host is tried: " + said(first->reply));
    for (smtp::RecipientOutcome& each : *outcomes) {
      if (is_about_host(each)) each.kind = Kind::kNotTried;
    }
  }
  if (leads_on) {
    hosts_->leave(path, target, now + kSick);
    ++delivery->free_tries;
  } else if (any([](const smtp::RecipientOutcome& each) { return each.kind != Kind::kNotTried; })) {
    delivery->free_tries = 0;
  }
}

}  // namespace relay
