#include "tests/sim/town.h"

#include <utility>

namespace sim {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

constexpr uint64_t kDomains = 6;
constexpr const char* kNoSuchDomain = "d6.test";
constexpr const char* kNullMx = "d7.test";

}  // namespace

void Town::draw_rules(PeerRules* rules) {
  conf::Random& random = world_->random;
  if (random.chance(0.5)) rules->refuse_soft = 0.4 * random.unit();
  if (random.chance(0.3)) rules->refuse_hard = 0.3 * random.unit();
  if (random.chance(0.3)) rules->refuse_dot = 0.3 * random.unit();
  if (random.chance(0.2)) rules->refuse_content = 0.2 * random.unit();
  if (random.chance(0.3)) rules->drop = 0.1 * random.unit();
  if (random.chance(0.2)) rules->busy = 0.3 * random.unit();
  if (random.chance(0.2)) rules->max_recipients = 1 + static_cast<uint32_t>(random.below(3));
  rules->pipelining = random.chance(0.8);
  rules->chunking = random.chance(0.6);
  rules->dsn = random.chance(0.5);
  rules->enhanced = random.chance(0.8);
  rules->eight_bit = random.chance(0.8);
  rules->size = random.chance(0.8);
  rules->starttls = random.chance(0.7);
  if (random.chance(0.3)) rules->refuse_tls = 0.5 * random.unit();
  if (random.chance(0.3)) rules->object_tls = 0.5 * random.unit();
  if (random.chance(0.5)) rules->faults = draw_faults(&random);
  if (terms_.in_time) {
    rules->faults.loses = 0;
    rules->faults.eats = false;
  }
}

Peer* Town::open(const std::string& host, const std::vector<std::string>& addresses) {
  auto peer = std::make_unique<Peer>(world_, ledger_, host);
  peer->rules.wants_signature = terms_.wants_signature;
  peer->rules.limit_messages = terms_.messages_per_connection;
  for (const std::string& address : addresses) {
    names_->add_address(host, address);
    network_->listen(address, [raw = peer.get(), address](std::unique_ptr<relay::Transport> stream,
                                                          const std::string& source) {
      raw->accept(std::move(stream), address, source);
    });
  }
  peers_.push_back(std::move(peer));
  return peers_.back().get();
}

void Town::build(const Terms& terms) {
  terms_ = terms;
  conf::Random& random = world_->random;
  for (uint64_t i = 0; i < kDomains; ++i) {
    Place place;
    place.domain = "d" + std::to_string(i) + ".test";
    const bool takes_utf8 = random.chance(0.6), disowns_it = random.chance(0.3);
    place.smtputf8 = takes_utf8 && !disowns_it;
    const uint64_t hosts = random.chance(0.5) ? 1 : 2 + random.below(2);
    for (uint64_t k = 0; k < hosts; ++k) {
      const std::string number = std::to_string(i + 1);
      const std::string host = "mx" + std::to_string(k) + '.' + place.domain;
      std::vector<std::string> addresses = {"127.1." + std::to_string(k) + '.' + number};
      if (random.chance(0.2)) addresses.push_back("127.2." + std::to_string(k) + '.' + number);
      Peer* peer = open(host, addresses);
      draw_rules(&peer->rules);
      peer->rules.smtputf8 = takes_utf8;
      peer->rules.eight_bit |= takes_utf8;  // RFC 6531 section 3.1
      if (takes_utf8 && disowns_it) peer->rules.faults.disowns.insert("SMTPUTF8");
      place.hosts.push_back(host);
    }
    places_.push_back(place);
    reorder(place);
  }
  ledger_->nowhere = {kNoSuchDomain, kNullMx};
  names_->set_mx(kNullMx, {{0, ""}});
  // The senders' own domain always works, so that reports can arrive.
  names_->add_mx("sender.test", 10, "mx.sender.test");
  open("mx.sender.test", {"127.1.9.1"});
}

void Town::reorder(const Place& place) {
  std::vector<mx::MxRecord> records;
  const bool equal = world_->random.chance(0.2);
  for (const std::string& host : place.hosts)
    records.push_back({static_cast<uint16_t>(equal ? 10 : 10 * (1 + world_->random.below(3))), host});
  if (records.size() > 1 && world_->random.chance(0.2)) records.pop_back();
  names_->set_mx(place.domain, std::move(records));
}

void Town::change(const Place& place) {
  moved_ = moved_ || place.hosts.size() > 1;
  reorder(place);
}

void Town::plan_changes() {
  conf::Random& random = world_->random;
  const auto some_time = [this] {
    return world_->random.chance(0.5) ? world_->between(1ms, 1min) : world_->between(1min, 60h);
  };
  for (uint64_t i = random.chance(0.4) ? 1 + random.below(4) : 0; i > 0; --i) {
    const Place& place = places_[random.below(places_.size())];
    const std::string& host = place.hosts[random.below(place.hosts.size())];
    const conf::Duration at = some_time();
    world_->after(at, [this, &host] { names_->sick.insert(host); });
    world_->after(at + world_->between(1s, 6h), [this, &host] { names_->sick.erase(host); });
  }
  for (uint64_t i = random.chance(0.4) ? 1 + random.below(6) : 0; i > 0; --i) {
    const Place& place = places_[random.below(places_.size())];
    world_->after(some_time(), [this, &place] { change(place); });
  }
}

std::string Town::recipient(uint64_t message, uint64_t number) {
  conf::Random& random = world_->random;
  const std::string local = 'u' + std::to_string(number) + '.' + std::to_string(message);
  if (random.chance(0.05)) return local + '@' + (random.chance(0.7) ? kNoSuchDomain : kNullMx);
  const Place& place = places_[random.below(places_.size())];
  if (!random.chance(0.03)) return local + '@' + place.domain;
  const std::string address = "\xc3\xbc" + local + '@' + place.domain;
  if (!place.smtputf8) ledger_->foreign.insert(address);
  return address;
}

}  // namespace sim
