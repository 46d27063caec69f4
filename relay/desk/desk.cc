#include "relay/desk/desk.h"

#include <utility>

#include "relay/admin/mx_order.h"
#include "relay/desk/delivery_views.h"
#include "relay/desk/known_way.h"
#include "relay/journal/events.h"

namespace relay {

Desk::Desk(Parts parts)
    : parts_(std::move(parts)),
      flow_(&parts_.transit->clock()),
      results_(&parts_.transit->clock()),
      overview_({parts_.transit, parts_.journal, parts_.metrics, &results_, parts_.inbound_connections,
                 parts_.log_lost, parts_.refused_at_door, parts_.quarantine}),
      views_(parts_.transit, {&decisions_, &flow_}),
      busiest_(parts_.transit, {&decisions_, &flow_}),
      ordered_([this](const queue::DomainEntry& domain, const conf::Source& source, const std::string& rule) {
        return limits_.held_until(domain, source, rule);
      }),
      census_(parts_.transit, ordered_),
      limits_(parts_.transit, parts_.spool) {
  parts_.journal->add(&decisions_);
  parts_.journal->add(&flow_);
  parts_.journal->add(&results_);
}

Desk::~Desk() {
  parts_.journal->remove(&results_);
  parts_.journal->remove(&flow_);
  parts_.journal->remove(&decisions_);
}

admin::QueueSummary Desk::summary() { return overview_.now(); }

bool Desk::apply(conf::QueueAction action, conf::MessageId id, const std::string& who) {
  QueueOrders& orders = parts_.transit->orders();
  switch (action) {
    case conf::QueueAction::kRetry:
      return orders.retry(id);
    case conf::QueueAction::kHold:
      return orders.hold(id);
    case conf::QueueAction::kRelease:
      return orders.release(id);
    case conf::QueueAction::kDrop:
      return orders.drop(id, who);
    case conf::QueueAction::kFail:
      return orders.fail(id, who);
  }
  return false;
}

void Desk::ordered(conf::QueueOrder order) {
  order.by = journal::operator_text(order.by);
  parts_.transit->notices().ordered(std::move(order));
}

std::string Desk::paused_stream(conf::MessageId id) {
  for (const queue::Delivery* each = parts_.transit->deliveries().find(id); each != nullptr;
       each = each->sibling) {
    if (each->state == queue::DeliveryState::kPaused)
      return parts_.transit->sites().streams().name(each->stream);
  }
  return {};
}

std::string Desk::site_of(const std::string& domain) {
  const queue::DomainEntry* entry = parts_.transit->domains().find(domain);
  return entry == nullptr ? std::string() : known_way(parts_.transit, *entry).site;
}

std::vector<admin::DeliveryView> Desk::deliveries_of(conf::MessageId id) {
  return delivery_views(parts_.transit, id, ordered_, parts_.transit->clock().now());
}

std::string Desk::barred(const std::string& address) {
  conf::Result<conf::Mailbox> mailbox = conf::Mailbox::parse(address);
  return mailbox.ok() ? parts_.barred(*mailbox) : std::string();
}

void Desk::explain(const std::string& domain, const std::string& source, const std::string& stream,
                   std::function<void(admin::Explanation)> done) {
  views_.explain(domain, source, stream, [this, stream, done = std::move(done)](admin::Explanation told) {
    if (told.unknown_source || told.route.domain.empty()) return done(std::move(told));
    limits_.tell_streams(stream, &told);
    auto kept = std::make_shared<admin::Explanation>(std::move(told));
    census_.take(kept->route.domain, [kept, done](const std::shared_ptr<const admin::Census>& census) {
      kept->waiting = admin::all_of(*census);
      done(std::move(*kept));
    });
  });
}

// With the orders that name what is not there any more.
void Desk::reload(ReloadHeard done) {
  parts_.reload([this, done = std::move(done)](const admin::ReloadDone& heard) {
    admin::ReloadDone told = heard;
    for (const admin::OrderView& each : limits_.in_force()) {
      if (told.refused.empty() && !each.problem.empty())
        told.problems.push_back("warning: the order to block " + admin::target_text(each.order) +
                                " holds nothing that comes now: " + each.problem);
    }
    done(told);
  });
}

}  // namespace relay
