// The memory for bodies is short for hours: receivers that take minutes for a message or for a greeting, some
// that are dead for hours, and more mail than there is room for. The bound holds, no path starves, a big
// message is not passed for ever by small ones, and everything goes out.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/ledger.h"
#include "tests/sim/names.h"
#include "tests/sim/network.h"
#include "tests/sim/peer.h"
#include "tests/sim/relay_run.h"
#include "tests/sim/seeds.h"
#include "tests/sim/submitter.h"
#include "tests/sim/world.h"

namespace sim {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

constexpr uint64_t kBudget = 80'000;
constexpr size_t kSites = 10;
constexpr size_t kForLarge = 4;         // others, to which nothing but large mail goes
constexpr conf::Duration kStream = 5h;  // so long mail comes in
constexpr conf::Duration kDead = 5h;    // so long some receivers are
constexpr uint64_t kLarge = 60'000;
// What was in memory before it ends within some minutes; those before it in line take as long each.
constexpr conf::Duration kLongest = 150min;

// A stream that waits for its greeting belongs to the site meanwhile.
class Shared final : public relay::Transport {
 public:
  explicit Shared(std::shared_ptr<relay::Transport> s) : of_(std::move(s)) {}
  void set_user(relay::TransportUser* user) override { of_->set_user(user); }
  void write(relay::OutQueue* out) override { of_->write(out); }
  size_t unsent_bytes() const override { return of_->unsent_bytes(); }
  void start_tls(const TlsRequest& request) override { of_->start_tls(request); }
  void pause_reading() override { of_->pause_reading(); }
  void resume_reading() override { of_->resume_reading(); }
  void set_deadline(conf::Instant when) override { of_->set_deadline(when); }
  void finish() override { of_->finish(); }

 private:
  std::shared_ptr<relay::Transport> of_;
};

class BodiesScenario {
 public:
  explicit BodiesScenario(uint64_t seed);
  void run();

  World world;
  Ledger ledger;
  uint64_t delivered = 0, waited = 0;  // messages; looks at which somebody was in line
  conf::Duration longest{};            // that a large message to a receiver that lives took

 private:
  enum class Receiver : uint8_t { kWell, kSlowGreeting, kSilentAtFirst, kDeadAtFirst };
  struct Site {
    Receiver receiver = Receiver::kWell;
    std::string domain;
    std::unique_ptr<Peer> peer;
    std::vector<std::shared_ptr<relay::Transport>> streams;  // that come to it
  };
  struct HandedIn {
    size_t site = 0;
    uint64_t size = 0;
  };
  void add_site(size_t number);
  void accept(Site* site, std::shared_ptr<relay::Transport> stream, const std::string& address);
  void hand_in(conf::Duration at, size_t site, uint64_t size);
  void begin(Submitter* submitter);
  void crash();
  void look();
  bool settled() const;
  void judge();

  Network network_{&world};
  Names names_{&world};
  Log log_{&world};
  relay::spool::MemorySpool spool_;
  std::vector<std::unique_ptr<Site>> sites_;
  std::vector<std::unique_ptr<Submitter>> submitters_;
  std::map<std::string, HandedIn> mail_;  // by recipient
  std::unique_ptr<RelayRun> relay_;
  uint64_t largest_ = 0, left_to_hand_in_ = 0;
};

BodiesScenario::BodiesScenario(uint64_t seed) : world(seed) {
  auto config = std::make_shared<conf::Config>();
  config->hostname = "relay.test";
  conf::Listener listener;
  listener.name = "main";
  conf::Network everyone;
  everyone.prefix_bits = 0;
  listener.relay_from.push_back(everyone);
  config->listeners.push_back(listener);
  config->sources.resize(1);
  config->sources[0].name = "default";
  config->dns.allow_private_targets = true;
  config->defaults.tls = conf::TlsMode::kOff;
  config->defaults.max_connections = 1 + static_cast<uint32_t>(world.random.below(3));
  config->max_outbound_connections = world.random.chance(0.3) ? 8 : 100;
  config->spool.body_memory_bytes = kBudget;
  for (size_t i = 0; i < kSites + kForLarge; ++i) add_site(i);
  const bool sign = world.random.chance(0.3);
  relay_ = std::make_unique<RelayRun>(&world, config, &names_, &network_, &spool_, &log_, sign);
  for (const std::unique_ptr<Site>& site : sites_) site->peer->rules.wants_signature = sign;
}

void BodiesScenario::add_site(size_t number) {
  auto site = std::make_unique<Site>();
  site->receiver = static_cast<Receiver>(world.random.below(number < kSites ? 4 : 2));
  site->domain = "d" + std::to_string(number) + ".test";
  const std::string host = "mx." + site->domain, address = "127.3.0." + std::to_string(number + 1);
  names_.add_mx(site->domain, 10, host);
  names_.add_address(host, address);
  site->peer = std::make_unique<Peer>(&world, &ledger, host);
  site->peer->rules.slow = world.random.chance(0.7) ? 6min : 10s;
  site->peer->rules.eight_bit = world.random.chance(0.7);
  const auto listen = [this, raw = site.get(), address] {
    network_.listen(address,
                    [this, raw, address](std::unique_ptr<relay::Transport> stream, const std::string&) {
                      accept(raw, std::move(stream), address);
                    });
  };
  if (site->receiver == Receiver::kDeadAtFirst) {
    world.after(kDead, listen);
  } else {
    listen();
  }
  sites_.push_back(std::move(site));
}

void BodiesScenario::accept(Site* site, std::shared_ptr<relay::Transport> stream,
                            const std::string& address) {
  conf::Duration greets{};
  if (site->receiver == Receiver::kSlowGreeting) greets = world.between(1s, 4min);
  if (site->receiver == Receiver::kSilentAtFirst && world.now() < conf::Instant{} + kDead) greets = 24h;
  site->streams.push_back(stream);
  world.after(greets, [site, waiting = std::weak_ptr(stream), address] {
    if (auto stream = waiting.lock()) site->peer->accept(std::make_unique<Shared>(stream), address);
  });
}

void BodiesScenario::hand_in(conf::Duration at, size_t site, uint64_t size) {
  const uint64_t number = mail_.size() + 1;
  const std::string recipient = "u" + std::to_string(number) + "@" + sites_[site]->domain;
  mail_[recipient] = {site, size};
  largest_ = std::max(largest_, size);
  ++left_to_hand_in_;
  std::string text;
  while (text.size() < size) text += std::string(70, static_cast<char>('a' + number % 26)) + "\r\n";
  std::string fields;
  if (world.random.chance(0.2)) {
    text += "gr\xc3\xbc\xc3\x9f dich\r\n";
    fields =
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n";
  }
  Submission submission = submission_of(number, "a@s" + std::to_string(world.random.below(8)) + ".test",
                                        {recipient}, text, fields);
  if (!fields.empty()) submission.declared = " BODY=8BITMIME";
  submitters_.push_back(
      std::make_unique<Submitter>(&world, &ledger, std::vector<Submission>{std::move(submission)}));
  world.after(at, [this, mine = submitters_.back().get()] {
    --left_to_hand_in_;
    begin(mine);
  });
}

void BodiesScenario::begin(Submitter* submitter) {
  if (submitter->done()) return;
  if (!submitter->connected() && relay_->running()) submitter->begin(relay_->connect_client());
  world.after(20s, [this, submitter] { begin(submitter); });
}

// Nothing of the mail is in memory afterwards.
void BodiesScenario::crash() {
  names_.forget();
  relay_->crash();
  for (const std::unique_ptr<Submitter>& submitter : submitters_) submitter->hang_up();
  world.after(world.between(10ms, 5s), [this] { relay_->start(); });
}

void BodiesScenario::look() {
  if (!relay_->running()) return;
  const relay::queue::BodyRoom& room = relay_->transit().messages().room();
  const uint64_t one = 1024 + relay::queue::BodySize::of(largest_ + 2'000).bytes();
  if (room.held() - room.beside() > kBudget + one)
    ledger.violate("bodies in memory: " + std::to_string(room.held()) + " octets");
  for (const std::string& path : relay_->transit().neglected()) ledger.violate(path + " is neglected");
}

bool BodiesScenario::settled() const {
  return left_to_hand_in_ == 0 && relay_->running() && spool_.message_count() == 0 && spool_.waiting() == 0 &&
         std::ranges::all_of(submitters_, [](const auto& submitter) { return submitter->done(); });
}

void BodiesScenario::judge() {
  if (!settled()) ledger.violate("not everything went out: " + std::to_string(spool_.message_count()));
  std::map<conf::MessageId, conf::Instant> accepted;
  for (size_t i = 0; i < log_.events.size(); ++i) {
    const conf::DeliveryEvent& event = log_.events[i];
    if (event.kind == conf::EventKind::kAccepted) accepted[event.id] = log_.moments[i];
    if (event.kind == conf::EventKind::kFailed || event.kind == conf::EventKind::kExpired)
      ledger.violate(event.recipient + " failed: " + event.reply);
    if (event.kind != conf::EventKind::kDelivered) continue;
    ++delivered;
    const HandedIn& mail = mail_.at(event.recipient);
    const Receiver receiver = sites_[mail.site]->receiver;
    const bool lives = receiver == Receiver::kWell || receiver == Receiver::kSlowGreeting;
    if (mail.site < kSites || !lives) continue;  // there it waits for other mail of its receiver too
    const conf::Duration took = log_.moments[i] - accepted[event.id];
    longest = std::max(longest, took);
    if (took > kLongest)
      ledger.violate(event.recipient + " of " + std::to_string(mail.size) + " octets took " +
                     std::to_string(took / 1min) + " min");
  }
}

void BodiesScenario::run() {
  conf::Random& random = world.random;
  relay_->start();
  // More than goes through: most receivers take minutes, and there is room for some eight of these.
  for (conf::Duration at{}; at < kStream; at += world.between(5s, 50s))
    hand_in(at, random.below(kSites),
            random.chance(0.2) ? 500 + random.below(3'000) : 6'000 + random.below(4'000));
  for (size_t i = 0; i < kForLarge; ++i) hand_in(world.between(10min, 60min), kSites + i, kLarge);
  if (random.chance(0.3)) hand_in(world.between(10min, 2h), random.below(kSites), kBudget + kBudget / 2);
  if (random.chance(0.4)) world.after(world.between(10min, kStream), [this] { crash(); });
  while (!settled() && world.step(conf::Instant{} + 4 * 24h)) {
    relay_->poke();
    look();
  }
  judge();
}

TEST(BodiesSimulation, NoPathStarvesWhileMemoryIsShort) {
  uint64_t delivered = 0;
  conf::Duration longest{};
  for (const uint64_t seed : seeds_to_play("bodies", 12)) {
    BodiesScenario scenario(seed);
    scenario.run();
    for (const std::string& violation : scenario.ledger.violations)
      ADD_FAILURE() << "seed " << seed << ": " << violation;
    if (testing::Test::HasFailure()) return;
    delivered += scenario.delivered;
    longest = std::max(longest, scenario.longest);
  }
  std::printf("%llu messages, a large one took %lld minutes at most\n",
              static_cast<unsigned long long>(delivered),  // NOLINT
              static_cast<long long>(longest / 1min));     // NOLINT
}

}  // namespace
}  // namespace sim
