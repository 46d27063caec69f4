#include "relay/desk/delivery_views.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "relay/desk/domain_holds.h"
#include "relay/desk/known_way.h"
#include "relay/desk/waiting_reason.h"

namespace relay {

namespace {

admin::DeliveryView view_of(Transit* transit, const queue::Delivery& delivery, DomainHolds* holds,
                            conf::Instant now) {
  admin::DeliveryView view;
  view.domain = transit->domains().name(delivery.domain).text();
  view.state = waiting_state(delivery.state);
  view.attempts = delivery.attempt;
  Reason reason = waiting_reason(delivery, transit->deliveries().last_replies(), transit->sites().streams(),
                                 &transit->dispatcher(), now);
  if (delivery.state == queue::DeliveryState::kScheduled)
    reason = later_of(std::move(reason), holds->of(delivery.domain, delivery.stream, now));
  view.reason = std::move(reason.text);
  if (reason.until != conf::kNever)
    view.next_seconds = std::max(0.0, std::chrono::duration<double>(reason.until - now).count());
  const bool placed =
      view.state == admin::WaitingState::kReady || view.state == admin::WaitingState::kInFlight;
  if (placed && delivery.path != nullptr) {
    view.site = delivery.path->site->label;
    view.source = delivery.path->source.name;
    if (delivery.path->rule != nullptr) view.rule = delivery.path->rule->name;
    return view;
  }
  // A greylist knows it by the address that it came from.
  const conf::Source* source = transit->sites().streams().source_numbered(delivery.greylisted_from);
  if (source != nullptr) view.source = source->name;
  const queue::DomainEntry& entry = transit->domains().at(delivery.domain);
  KnownWay way = known_way(transit, entry);
  view.site = std::move(way.site);
  view.rule = std::move(way.rules);
  return view;
}

}  // namespace

std::vector<admin::DeliveryView> delivery_views(Transit* transit, conf::MessageId id,
                                                const DomainHolds::OrderedUntil& ordered, conf::Instant now) {
  std::vector<admin::DeliveryView> views;
  DomainHolds holds(transit, ordered);
  for (const queue::Delivery* each = transit->deliveries().find(id); each != nullptr; each = each->sibling)
    views.push_back(view_of(transit, *each, &holds, now));
  return views;
}

}  // namespace relay
