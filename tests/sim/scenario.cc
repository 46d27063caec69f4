#include "tests/sim/scenario.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "relay/log/event_json.h"
#include "tests/sim/endings.h"
#include "tests/sim/relay_run.h"
#include "tests/sim/streams.h"
#include "tests/sim/submitter.h"
#include "tests/sim/town.h"

namespace sim {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

constexpr conf::Duration kQuiet = 20min;

constexpr uint64_t kFewBodies = 8'000;    // of body_memory: most bodies are read back
constexpr uint64_t kBiggestBody = 6'000;  // and one is above what is counted
// The longest step of the schedule, and a line of thousands.
constexpr conf::Duration kLongestWait = 24h + 3h;

class Scenario {
 public:
  Scenario(uint64_t seed, uint64_t messages)
      : world_(seed),
        network_(&world_),
        names_(&world_),
        town_(&world_, &ledger_, &network_, &names_),
        log_(&world_),
        streams_(&world_, seed),
        messages_(messages) {}
  Verdict run();

 private:
  void configure();
  void build_world();
  void hand_in();
  void plan_trouble();
  void submit(size_t who);
  void crash();
  bool settled() const;
  bool step(conf::Instant limit);
  void run_until(conf::Instant limit);
  void judge_memory();
  void judge_rest();
  void judge_waits();
  void judge_streams();
  Verdict judge();

  World world_;
  Ledger ledger_;
  Network network_;
  Names names_;
  Town town_;
  Log log_;
  Streams streams_;
  relay::spool::MemorySpool spool_;
  conf::ConfigPtr config_;
  std::unique_ptr<RelayRun> relay_;
  std::vector<std::unique_ptr<Submitter>> submitters_;
  Verdict verdict_;
  std::vector<conf::Instant> crashes_;
  const uint64_t messages_;
  uint64_t handed_in_ = 0;
  bool sign_ = false;
};

void Scenario::configure() {
  auto config = std::make_shared<conf::Config>();
  config->hostname = "relay.test";
  conf::Listener listener;
  listener.name = "main";
  conf::Network everyone;
  everyone.prefix_bits = 0;
  listener.relay_from.push_back(everyone);
  config->listeners.push_back(listener);
  conf::Source source;
  source.name = "default";
  config->sources.push_back(source);
  streams_.draw(config.get());
  config->dns.allow_private_targets = true;
  config->defaults.max_connections = 1 + static_cast<uint32_t>(world_.random.below(4));
  config->defaults.max_messages_per_connection = static_cast<uint32_t>(world_.random.below(5));
  config->defaults.max_recipients_per_transaction = 1 + static_cast<uint32_t>(world_.random.below(4));
  config->defaults.tls = conf::TlsMode::kOff;
  if (world_.random.chance(0.5)) config->defaults.tls = conf::TlsMode::kOpportunistic;
  config->max_outbound_connections = world_.random.chance(0.3) ? 3 : 100;
  if (world_.random.chance(0.3)) config->spool.body_memory_bytes = messages_ == 0 ? kFewBodies : 1'000'000;
  sign_ = world_.random.chance(0.5);
  config_ = config;
}

void Scenario::build_world() {
  conf::Random& random = world_.random;
  network_.refuse = random.chance(0.5) ? 0.2 * random.unit() : 0;
  network_.stall = random.chance(0.3) ? 0.1 * random.unit() : 0;
  network_.breaks = random.chance(0.5) ? 0.3 * random.unit() : 0;
  network_.tls_fails = random.chance(0.5) ? 0.5 * random.unit() : 0;
  names_.trouble = random.chance(0.5) ? 0.2 * random.unit() : 0;
  town_.build({config_->defaults.max_messages_per_connection, sign_, messages_ != 0});
}

void Scenario::hand_in() {
  conf::Random& random = world_.random;
  const size_t clients = messages_ == 0 ? 1 + random.below(3) : 20;
  for (size_t i = 0; i < clients; ++i) {
    std::vector<Submission> work;
    const uint64_t messages = messages_ == 0 ? 1 + random.below(12) : messages_ / clients;
    for (uint64_t m = 0; m < messages; ++m) {
      std::vector<std::string> recipients;
      const uint64_t count = 1 + random.below(random.chance(0.3) ? 8 : 2);
      for (uint64_t r = 0; r < count; ++r) recipients.push_back(town_.recipient(handed_in_ + 1, r));
      const std::string sender = random.chance(0.1) ? "" : streams_.sender();
      const bool eight_bit = random.chance(0.2);
      work.push_back(make_submission(&world_, ++handed_in_, sender, std::move(recipients), eight_bit));
    }
    submitters_.push_back(std::make_unique<Submitter>(&ledger_, std::move(work)));
    submit(i);
  }
}

void Scenario::submit(size_t who) {
  Submitter& submitter = *submitters_[who];
  if (!submitter.done() && !submitter.connected() && relay_->running())
    submitter.begin(relay_->connect_client());
  if (!submitter.done()) world_.after(world_.between(100ms, 5s), [this, who] { submit(who); });
}

void Scenario::crash() {
  ++verdict_.crashes;
  crashes_.push_back(world_.now());
  names_.forget();
  relay_->crash();
  for (const std::unique_ptr<Submitter>& submitter : submitters_) submitter->hang_up();
  world_.after(world_.between(10ms, 20s), [this] { relay_->start(); });
}

bool Scenario::settled() const {
  if (!relay_->running() || spool_.message_count() > 0 || spool_.waiting() > 0) return false;
  return std::ranges::all_of(submitters_, [](const auto& submitter) { return submitter->done(); });
}

// One thing happens, and the loop of the relay turns. False: none before `limit`.
bool Scenario::step(conf::Instant limit) {
  if (!world_.step(limit)) return false;
  relay_->poke();
  if (relay_->running()) judge_memory();
  return true;
}

void Scenario::judge_memory() {
  const uint64_t octets = relay_->transit().messages().body_octets();
  const uint64_t budget = config_->spool.body_memory_bytes;
  if (octets > budget + kBiggestBody) ledger_.violate(std::to_string(octets) + " octets of bodies in memory");
  if (octets > budget - budget / 4) ++verdict_.crowded;
}

void Scenario::run_until(conf::Instant limit) {
  while (!settled() && step(limit)) {
  }
}

Verdict Scenario::run() {
  configure();
  build_world();
  relay_ = std::make_unique<RelayRun>(&world_, config_, &names_, &network_, &spool_, &log_, sign_);
  relay_->start();
  streams_.in_force(config_);
  hand_in();
  plan_trouble();
  town_.plan_changes();
  run_until(conf::Instant{} + 24h * 12);
  return judge();
}

void Scenario::plan_trouble() {
  for (uint64_t i = streams_.reloads(); i > 0; --i) {
    world_.after(streams_.moment(), [this] {
      config_ = streams_.changed(*config_);
      relay_->reload(config_, nullptr);
      streams_.in_force(config_);
    });
  }
  const uint64_t crashes = world_.random.below(4);
  for (uint64_t i = 0; i < crashes; ++i) {
    world_.after(world_.random.chance(0.7) ? world_.between(1ms, 20s) : world_.between(1min, 30h), [this] {
      if (relay_->running()) crash();
    });
  }
  if (world_.random.chance(0.3)) {
    world_.after(world_.between(1ms, 10s), [this] { spool_.fail_next_stores(3, conf::ErrorCode::kNoSpace); });
  }
  if (world_.random.chance(0.2)) {
    world_.after(world_.between(1ms, 10s), [this] { log_.stuck = true; });
    world_.after(world_.between(10s, 60s), [this] {
      log_.stuck = false;
      log_.journal.append({});
    });
  }
  const uint64_t steps = world_.random.chance(0.5) ? 1 + world_.random.below(4) : 0;
  for (uint64_t i = 0; i < steps; ++i) {
    const conf::Duration at =
        world_.random.chance(0.3) ? world_.between(1ms, 20s) : world_.between(1min, 90h);
    const conf::Duration by =
        world_.random.chance(0.5) ? world_.between(1s, 2h) : world_.between(1h, 24h * 400);
    world_.after(at, [this, by = world_.random.chance(0.5) ? by : -by] { world_.step_wall(by); });
  }
  for (uint64_t i = world_.random.chance(0.3) ? world_.random.below(3) + 1 : 0; i > 0; --i) {
    world_.after(world_.between(1ms, 30s), [this] { spool_.fail_next_loads(1 + world_.random.below(3)); });
    ++verdict_.unread;
  }
  for (uint64_t i = world_.random.chance(0.3) ? world_.random.below(3) + 1 : 0; i > 0; --i) {
    const conf::Duration at =
        world_.random.chance(0.5) ? world_.between(1ms, 20s) : world_.between(1min, 90h);
    world_.after(at, [this] { world_.stall(world_.between(1s, 10min)); });
  }
}

// What is left when the mail has gone and the idle connections had time to say QUIT: nothing.
void Scenario::judge_rest() {
  if (!settled()) return;
  const conf::Instant end = world_.now() + kQuiet;
  // A crash in this time may be followed by a start after it.
  while (step(end) || (!relay_->running() && step(conf::kNever))) {
  }
  for (const std::string& left : what_is_left(&relay_->transit())) ledger_.violate("at the end " + left);
  if (world_.in_the_past > 0)
    ledger_.violate(std::to_string(world_.in_the_past) + " works were begun for a time that was over");
}

// Whatever the wall clock shows: nothing expires before its time (the schedule goes over four days), and
// nothing waits longer for its next attempt than the schedule says. All but an hour of it: the ways of a
// delivery besides.
void Scenario::judge_waits() {
  std::map<conf::MessageId, conf::Instant> accepted;
  std::map<std::pair<conf::MessageId, std::string>, conf::Instant> last;
  for (size_t i = 0; i < log_.events.size(); ++i) {
    const conf::DeliveryEvent& event = log_.events[i];
    const conf::Instant at = log_.moments[i];
    const std::string name = conf::to_text(event.id) + " to " + event.recipient;
    if (event.kind == conf::EventKind::kAccepted) accepted[event.id] = at;
    if (event.kind == conf::EventKind::kExpired && accepted.contains(event.id) &&
        at - accepted[event.id] < 24h * 4)
      ledger_.violate(name + ": expired after " + std::to_string((at - accepted[event.id]) / 1h) + " hours");
    if (event.kind != conf::EventKind::kDeferred && event.kind != conf::EventKind::kDelivered &&
        event.kind != conf::EventKind::kFailed && event.kind != conf::EventKind::kExpired)
      continue;
    const auto [before, first] = last.try_emplace({event.id, event.recipient}, at);
    if (!first && at - before->second > kLongestWait)
      ledger_.violate(name + ": waited " + std::to_string((at - before->second) / 1h) + " hours");
    before->second = at;
  }
}

void Scenario::judge_streams() {
  std::map<std::string, conf::Instant> accepted;
  for (size_t i = 0; i < log_.events.size(); ++i) {
    if (log_.events[i].kind == conf::EventKind::kAccepted)
      accepted[conf::to_text(log_.events[i].id)] = log_.moments[i];
  }
  for (const std::string& each : streams_.judge(ledger_, accepted)) ledger_.violate(each);
  verdict_.of_streams = streams_.judged();
}

Verdict Scenario::judge() {
  for (const auto& [key, sender] : ledger_.promised) {
    ++verdict_.promised;
    const bool delivered = ledger_.delivered.contains(key), reported = ledger_.reported.contains(key);
    verdict_.delivered += delivered ? 1 : 0;
    verdict_.reported += reported ? 1 : 0;
    if (delivered && ledger_.delivered[key] > 1) ++verdict_.duplicates;
    const std::string name = "message " + std::to_string(key.first) + " to " + key.second;
    if (!delivered && !reported && !sender.empty()) ledger_.violate(name + ": lost, no word of it");
  }
  for (const auto& [key, times] : ledger_.delivered) {
    // Handed in, delivered, but the 250 to the client was lost with a crash: allowed.
    if (!ledger_.promised.contains(key)) ++verdict_.unanswered;
  }
  if (!settled()) {
    ledger_.violate("after twelve days the queue is not empty: " + std::to_string(spool_.message_count()) +
                    " messages");
    CHECK(spool_
              .scan([this](const relay::spool::MessageRecord& record) {
                for (const relay::spool::RecipientRecord& each : record.recipients) {
                  ledger_.violate("left: " + conf::to_text(record.id) + " to " +
                                  each.recipient.mailbox.text() + " state " +
                                  std::to_string(static_cast<int>(each.state)) + " attempts " +
                                  std::to_string(each.attempts) + " last " + each.last_reply);
                }
                return true;
              })
              .ok());
    const relay::admin::QueueSummary left = relay_->desk().summary();
    ledger_.violate("in memory: " + std::to_string(left.scheduled) + " scheduled, " +
                    std::to_string(left.ready) + " ready, " + std::to_string(left.in_flight) +
                    " in flight, " + std::to_string(left.outbound_connections) + " connections");
  }
  if (!town_.moved() && network_.most_at_once() > config_->defaults.max_connections * config_->sources.size())
    ledger_.violate("more connections than max_connections allows: " +
                    std::to_string(network_.most_at_once()));
  for (const std::unique_ptr<Peer>& peer : town_.peers()) {
    verdict_.encrypted += peer->encrypted;
    for (size_t i = 0; i < kFaults; ++i) verdict_.played[i] += peer->played[i];
  }
  judge_rest();
  for (const std::string& each :
       judge_endings({&ledger_, &log_.events, &log_.moments, &log_.written, &crashes_, &world_.stalls}))
    ledger_.violate(each);
  judge_waits();
  judge_streams();
  std::string history;
  for (const conf::DeliveryEvent& event : log_.events) relay::log::append_json(event, &history);
  verdict_.history = std::hash<std::string>()(history);
  verdict_.violations = ledger_.violations;
  return verdict_;
}

}  // namespace

Verdict run_scenario(uint64_t seed, uint64_t messages) { return Scenario(seed, messages).run(); }

}  // namespace sim
