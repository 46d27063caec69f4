#include "relay/desk/census_taker.h"

#include <algorithm>
#include <utility>

#include "relay/desk/known_way.h"
#include "relay/desk/waiting_reason.h"

namespace relay {

namespace {

using admin::WaitingState;

constexpr size_t kWorkPerStep = 4096;  // a delivery is one
constexpr size_t kOfDomain = 16;       // its rules are looked for
constexpr size_t kMessagesAtOnce = 64;
constexpr size_t kCountersPerStep = 8192;  // some 0.3 us each

}  // namespace

void CensusTaker::take(std::string domain, Done done) {
  questions_.push_back({std::move(domain), std::move(done)});
}

void CensusTaker::begin(conf::Instant now) {
  census_ = std::make_shared<admin::Census>();
  census_->made = now;
  census_->made_wall = transit_->clock().wall();
  holds_ = std::make_unique<DomainHolds>(transit_, ordered_);
  holds_known_ = false;
  part_ = 0;
  only_.reset();
  domains_.clear();
  paths_.clear();
  reasons_.clear();
  streams_.clear();
}

// Of one domain the paths that are not there are made: they are few.
bool CensusTaker::know_holds() {
  if (!holds_known_)
    holds_known_ = !questions_.front().domain.empty() || !holds_->look_some(kCountersPerStep);
  return holds_known_;
}

void CensusTaker::step(conf::Instant now) {
  if (questions_.empty()) return;
  if (census_ == nullptr) begin(now);
  if (!know_holds()) return;
  bool more = false;
  const std::string& asked = questions_.front().domain;
  const queue::DomainEntry* domain = asked.empty() ? nullptr : transit_->domains().find(asked);
  if (asked.empty() || domain != nullptr) {
    if (domain != nullptr) only_ = domain->number;
    work_ = 0;
    do {
      more =
          transit_->deliveries().visit_some(&part_, kMessagesAtOnce, [this](const queue::Delivery& delivery) {
            ++work_;
            if (!only_ || delivery.domain == *only_) look_at(delivery);
          });
    } while (more && work_ < kWorkPerStep);
  }
  seen_.clear();
  if (more) return;
  holds_.reset();
  const Done done = std::move(questions_.front().done);
  questions_.pop_front();
  done(std::exchange(census_, nullptr));
}

void CensusTaker::look_at(const queue::Delivery& delivery) {
  admin::Census::Key key;
  key.state = waiting_state(delivery.state);
  key.domain = domain_of(delivery);
  key.stream = stream_of(delivery);
  conf::Instant next = conf::kNever;
  key.reason = reason_of(delivery, &next);
  if (key.state == WaitingState::kReady || key.state == WaitingState::kInFlight)
    key.path = path_of(delivery.path);
  admin::Census::Cell& cell = census_->cells[key];
  cell.oldest = cell.count == 0 ? delivery.id : std::min(cell.oldest, delivery.id);
  cell.next = std::min(cell.next, next);
  ++cell.count;
}

uint32_t CensusTaker::domain_of(const queue::Delivery& delivery) {
  const auto known = domains_.find(delivery.domain);
  if (known != domains_.end()) return known->second;
  std::vector<admin::Census::Domain>& all = census_->domains;
  const auto position = static_cast<uint32_t>(all.size());
  if (census_->cells.size() >= admin::Census::kMostCells) {
    if (all.empty() || all.back().name != "(other domains)")
      all.push_back({"(other domains)", "(other sites)", ""});
    return static_cast<uint32_t>(all.size() - 1);
  }
  const std::string name = transit_->domains().name(delivery.domain).text();
  const queue::DomainEntry* entry = transit_->domains().find(name);
  work_ += kOfDomain;
  const KnownWay way = entry == nullptr ? KnownWay() : known_way(transit_, *entry);
  all.push_back({name, way.site.empty() ? name : way.site, way.rules});
  domains_.emplace(delivery.domain, position);
  return position;
}

uint16_t CensusTaker::stream_of(const queue::Delivery& delivery) {
  const std::string& name = transit_->sites().streams().name(delivery.stream);
  if (name.empty()) return 0;
  const auto [place, fresh] = streams_.try_emplace(name, static_cast<uint16_t>(census_->streams.size()));
  if (fresh) census_->streams.push_back(name);
  return place->second;
}

uint32_t CensusTaker::path_of(const queue::Path* path) {
  if (path == nullptr) return 0;
  const std::string rule = path->rule == nullptr ? "" : path->rule->name;
  const auto [place, fresh] = paths_.try_emplace(path->site->label + '\n' + path->source.name + '\n' + rule,
                                                 static_cast<uint32_t>(census_->paths.size()));
  if (fresh) census_->paths.push_back({path->site->label, path->source.name, rule});
  return place->second;
}

uint32_t CensusTaker::reason_of(const std::string& text) {
  if (text.empty()) return 0;
  const auto [place, fresh] = reasons_.try_emplace(text, static_cast<uint32_t>(census_->reasons.size()));
  if (fresh) census_->reasons.push_back(text);
  return place->second;
}

uint32_t CensusTaker::reason_of(const queue::Delivery& delivery, conf::Instant* next) {
  const queue::LastReplies& replies = transit_->deliveries().last_replies();
  if (delivery.state != queue::DeliveryState::kReady || delivery.path == nullptr) {
    Reason reason = waiting_reason(delivery, replies, transit_->sites().streams(), &transit_->dispatcher(),
                                   census_->made);
    if (delivery.state == queue::DeliveryState::kScheduled)
      reason = later_of(std::move(reason), holds_->of(delivery.domain, delivery.stream, census_->made));
    *next = reason.until;
    return reason_of(reason.text);
  }
  const auto [place, fresh] = seen_.try_emplace(delivery.path);  // one reason holds for all that wait there
  if (fresh) {
    const Reason reason = waiting_reason(delivery, replies, transit_->sites().streams(),
                                         &transit_->dispatcher(), census_->made);
    place->second = {reason_of(reason.text), reason.until};
  }
  *next = place->second.next;
  return place->second.reason;
}

}  // namespace relay
