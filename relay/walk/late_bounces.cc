#include "relay/walk/late_bounces.h"

#include <algorithm>
#include <utility>

#include "conf/vocab/address.h"

namespace relay {

namespace {

// Domains whose way is looked up at a time. What comes while so many are is not counted.
constexpr size_t kMostAsked = 100;

std::string reply_of(const conf::DeliveryEvent& event) {
  return event.reply_code == 0 ? event.reply : std::to_string(event.reply_code) + ' ' + event.reply;
}

}  // namespace

void LateBounces::take(uint64_t sequence, const conf::DeliveryEvent& event) {
  last_ = sequence;
  if (event.kind != conf::EventKind::kBounced || !event.confirmed || !parts_.config->returns.count_late ||
      !event.type || !event.scope || event.source.empty() || asked_ >= kMostAsked)
    return;
  const conf::Result<conf::Mailbox> recipient = conf::Mailbox::parse(event.recipient);
  if (!recipient.ok() || !first_.is_first(event)) return;
  mx::Outcome outcome = mx::refusal(*event.type, *event.scope, conf::Pace::kSame, false, {});
  if (event.reason) outcome.reason = *event.reason;
  ++asked_;
  parts_.routes->ask(recipient.value().domain, [this, outcome, source = event.source,
                                                reply = reply_of(event)](queue::DomainEntry* domain) {
    --asked_;
    mx::Outcome told = outcome;
    told.reply = reply;
    count(domain, source, told);
  });
}

void LateBounces::count(queue::DomainEntry* domain, const std::string& source, const mx::Outcome& outcome) {
  const auto& sources = parts_.config->sources;
  const auto from = std::ranges::find(sources, source, &conf::Source::name);
  if (from == sources.end() || domain->route->kind != mx::Route::Kind::kHosts ||
      !parts_.sites->usable(*domain, *from))
    return;
  queue::Path* path = parts_.sites->path_from(domain, *from);
  path->counters.standing->came_back(outcome, parts_.clock->now());
  parts_.gate->tell_decisions(*path);
}

}  // namespace relay
