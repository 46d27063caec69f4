#include "relay/walk/rerouting.h"

namespace relay {

namespace {
constexpr size_t kReroutedPerStep = 1024;  // some 2 us each
}

void Rerouting::begin() {
  looking_ = true;
  step();
}

void Rerouting::add(queue::Path* path) {
  if (path->rounds.reroute.begin(path->ready.size())) paths_.push_back(path);
}

void Rerouting::leave_old_way(const queue::DomainEntry& domain, const mx::RoutePtr& found,
                              const std::vector<conf::Source>& sources) {
  for (const conf::Source& source : sources) {
    queue::Path* path = sites_->find(domain, source);
    if (path == nullptr || path->ready.empty()) continue;
    if (found->site == domain.route->site && found->order == domain.route->order) {
      path->route = found;
      dispatcher_->poke(path);
    } else {
      add(path);
    }
  }
}

void Rerouting::step() {
  if (looking_)
    looking_ = sites_->reload_some([this](queue::Path* path) {
      dispatcher_->end_outdated(path);
      if (!path->ready.empty()) add(path);
    });
  if (sites_->is_gathering() && !sites_->gather()) dispatcher_->gate().lease_renewed();  // who waits for it
  for (size_t i = 0; i < kReroutedPerStep && !paths_.empty(); ++i) {
    queue::Path* path = paths_.front();
    queue::Delivery* delivery = path->ready.oldest();
    if (path->rounds.reroute.over() || delivery == nullptr) {
      path->rounds.reroute.end();
      paths_.pop_front();
      continue;
    }
    path->rounds.reroute.took_one();
    dispatcher_->remove(delivery);
    walk_->advance(delivery);
  }
}

}  // namespace relay
