#include "tests/sim/mx_world.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <utility>

#include "relay/host/configuration.h"
#include "relay/log/event_json.h"
#include "tests/sim/mx_judge.h"
#include "tests/sim/submitter.h"

namespace sim {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

// How long a message may outlive its validity: the relay looks at what waits once a minute, is down for two
// minutes at most, and an attempt that has begun may end.
constexpr conf::Duration kEndsWithin = 15min;
// What was on the wire when a block was decided has its answers by then, beside the slowness of a receiver.
constexpr conf::Duration kUnderWay = 2s;

relay::Configuration parse(const std::string& text) {
  relay::Configuration parsed = relay::parse_configuration(text, "sim.toml");
  for (const conf::Problem& problem : parsed.problems)
    if (!problem.warning) std::fprintf(stderr, "%s\n%s", problem.text().c_str(), text.c_str());
  CHECK(parsed.config != nullptr && parsed.book != nullptr);
  return parsed;
}

bool is_end(conf::EventKind kind) {
  return kind == conf::EventKind::kDelivered || kind == conf::EventKind::kFailed ||
         kind == conf::EventKind::kExpired;
}

}  // namespace

MxWorld::MxWorld(uint64_t seed) : world(seed), network(&world), names(&world), log(&world) {
  names.add_mx("sender.test", 10, "mx.sender.test");
  reports_.reset(listen("mx.sender.test", {"127.1.1.1"}));
}

Peer* MxWorld::listen(const std::string& host, const std::vector<std::string>& addresses) {
  auto* peer = new Peer(&world, &ledger, host);  // NOLINT: the caller keeps it
  for (const std::string& address : addresses) {
    names.add_address(host, address);
    network.listen(address,
                   [peer, address](std::unique_ptr<relay::Transport> stream, const std::string& source) {
                     peer->accept(std::move(stream), address, source);
                   });
  }
  return peer;
}

void MxWorld::add_site(size_t domains, size_t addresses) {
  const size_t site = peers_.size();
  const std::string number = std::to_string(site), host = "mx" + number + ".test";
  for (size_t i = 0; i < domains; ++i)
    names.add_mx("d" + number + '-' + std::to_string(i) + ".test", 10, host);
  std::vector<std::string> all;
  for (size_t i = 0; i < addresses; ++i) {
    all.push_back("127.2." + number + '.' + std::to_string(i + 1));
    site_of_address_[all.back()] = site;
  }
  peers_.emplace_back(listen(host, all));
  peers_.back()->watch = this;
}

void MxWorld::add_domain(const std::string& name, const std::vector<size_t>& sites) {
  for (const size_t site : sites) names.add_mx(name, 10, "mx" + std::to_string(site) + ".test");
}

void MxWorld::start(const std::string& configuration) {
  relay::Configuration parsed = parse(configuration);
  relay_ = std::make_unique<RelayRun>(&world, parsed.config, &names, &network, &spool_, &log, false);
  relay_->book = parsed.book;
  relay_->after_step = [this] { look_at_work(); };
  relay_->start();
  ++starts;
}

void MxWorld::reload(const std::string& configuration) {
  relay::Configuration parsed = parse(configuration);
  relay_->reload(parsed.config, parsed.book);
}

void MxWorld::submit(const std::string& from, const std::vector<std::string>& recipients) {
  if (!relay_->running()) {
    world.after(5s, [this, from, recipients] { submit(from, recipients); });
    return;
  }
  const Submission submission = make_submission(&world, ++submitted, from, recipients);
  relay::Transit& transit = relay_->transit();
  relay::spool::MessageRecord record;
  record.id = transit.next_id();
  record.accepted_at = world.wall();
  record.envelope.listener = "main";
  if (!from.empty()) record.envelope.reverse_path = conf::Mailbox::parse(from).value();
  record.size_bytes = submission.text.size();
  for (const std::string& recipient : recipients)
    record.recipients.push_back({{conf::Mailbox::parse(recipient).value()}});
  const conf::MessageId id = record.id;
  const conf::Instant now = world.now();
  transit.accept(std::move(record), conf::Bytes(submission.text),
                 [this, id, now, submission](const conf::Result<relay::spool::Receipt>& result) {
                   if (!result.ok()) return;
                   accepted_ids_[id] = now;
                   for (const std::string& recipient : submission.recipients)
                     ledger.promised[{submission.number, recipient}] = submission.reverse_path;
                 });
}

relay::admin::MxOrderDone MxWorld::order(const relay::admin::MxOrder& order) {
  std::optional<relay::admin::MxOrderDone> heard;
  desk().order(order, [&heard](relay::admin::MxOrderDone done) { heard = std::move(done); });
  return heard.value();
}

void MxWorld::crash(conf::Duration down) {
  if (!relay_->running()) return;
  history.crashes.push_back(world.now());
  names.forget();
  relay_->crash();
  world.after(down, [this] { relay_->start(), ++starts; });
}

void MxWorld::restart(conf::Duration down) {
  if (!relay_->running()) return;
  names.forget();
  relay_->close();
  world.after(down, [this] { relay_->start(), ++starts; });
}

void MxWorld::run_until(conf::Instant limit, const std::function<bool()>& over) {
  relay_->poke();
  while (!over() && world.step(limit)) relay_->poke();
}

bool MxWorld::settled() const {
  return relay_->running() && spool_.message_count() == 0 && spool_.waiting() == 0;
}

void MxWorld::look_at_work() {
  for (const std::string& path : relay_->transit().neglected()) {
    if (!neglected_.insert(path).second) continue;  // said once
    ledger.violate("at " + std::to_string(world.now().time_since_epoch().count()) + " us: " + path +
                   " has mail and may send, and does nothing");
  }
}

uint64_t MxWorld::began(const std::string& address, const std::string& source) {
  SeenSession session;
  session.site = site_of_address_.at(address);
  session.source = std::strtoull(source.substr(source.rfind('.') + 1).c_str(), nullptr, 10) - 1;
  session.address = address;
  session.opened = world.now();
  history.sessions.push_back(std::move(session));
  return history.sessions.size() - 1;
}

void MxWorld::mail(uint64_t session, const std::string& reverse_path) {
  history.sessions[session].mails.push_back(history.mails.size());
  history.mails.push_back({world.now(), session, reverse_path});
}

void MxWorld::said(uint64_t session, int code, size_t recipients) {
  history.replies.push_back({world.now(), session, code, recipients});
  const std::vector<size_t>& mails = history.sessions[session].mails;
  if (!mails.empty()) history.mails[mails.back()].said = world.now();
}

void MxWorld::ended(uint64_t session, End how) {
  history.sessions[session].closed = world.now();
  history.sessions[session].how = how;
}

void MxWorld::collect() {
  const conf::WallTime begin = world.wall() - (world.now() - conf::Instant{});
  for (const conf::DeliveryEvent& event : log.events) {
    if (event.kind != conf::EventKind::kDecision || event.site.rfind("mx", 0) != 0) continue;
    if (event.site[2] < '0' || event.site[2] > '9') continue;  // the senders' own server
    SeenDecision decision;
    decision.at = conf::Instant{} + (event.time - begin);
    decision.until = conf::Instant{} + (event.decision->until - begin);
    decision.site = static_cast<size_t>(event.site[2] - '0');
    decision.source = static_cast<size_t>(event.source.back() - '0');
    decision.what = event.decision;
    history.decisions.push_back(std::move(decision));
  }
}

void MxWorld::judge() {
  collect();
  for (std::string& violation : judge_limits(history)) ledger.violate(std::move(violation));
  judge_promises();
  judge_deferrals();
}

void MxWorld::judge_promises() {
  for (const auto& [key, sender] : ledger.promised) {
    const bool known = ledger.delivered.contains(key) || ledger.reported.contains(key);
    if (!known && !sender.empty())
      ledger.violate("message " + std::to_string(key.first) + " to " + key.second + ": lost, no word of it");
  }
  if (!settled()) {
    ledger.violate("the queue is not empty at the end: " + std::to_string(spool_.message_count()) +
                   " messages");
  }
}

// A block defers: no attempt, no failure but by validity. And validity runs.
void MxWorld::judge_deferrals() {
  const conf::WallTime begin = world.wall() - (world.now() - conf::Instant{});
  struct Silence {  // of a block, until it is over or a probe goes early
    conf::Instant at{}, until{};
  };
  std::map<std::string, std::vector<Silence>> blocks;
  for (const SeenDecision& decision : history.decisions) {
    std::vector<Silence>& of = blocks[standing_name(history, decision.site, decision.source)];
    if (decision.what->action == conf::DecisionAction::kBlock) of.push_back({decision.at, decision.until});
    if (decision.what->action == conf::DecisionAction::kProbe && !of.empty())
      of.back().until = std::min(of.back().until, decision.at);
  }
  for (const conf::DeliveryEvent& event : log.events) {
    const conf::Instant at = conf::Instant{} + (event.time - begin);
    const auto accepted = accepted_ids_.find(event.id);
    if (accepted == accepted_ids_.end()) continue;
    const conf::Instant over = accepted->second + validity;
    const std::string name = conf::to_text(event.id) + " to " + event.recipient;
    if (is_end(event.kind) && at > over + kEndsWithin)
      ledger.violate(name + ": ended " + std::to_string((at - over) / 1s) + " s after its validity");
    const bool ours = event.stage == conf::Stage::kLocal;
    if (event.site.size() < 3 || event.site[2] < '0' || event.site[2] > '9' || event.source.empty()) continue;
    if (event.kind != conf::EventKind::kFailed && event.kind != conf::EventKind::kExpired &&
        (event.kind != conf::EventKind::kDeferred || ours))
      continue;
    if (event.kind == conf::EventKind::kExpired && at >= over - 1ms) continue;  // ids count by the ms
    const auto site = static_cast<size_t>(event.site[2] - '0');
    const auto source = static_cast<size_t>(event.source.back() - '0');
    for (const Silence& block : blocks[standing_name(history, site, source)]) {
      const bool lost = std::ranges::any_of(history.crashes, [&](conf::Instant crash) {
        return crash >= block.at && crash <= at && crash - block.at < 3s;
      });
      if (at > block.at + history.most_slow + kUnderWay && at < block.until && !lost)
        ledger.violate(name + ": an attempt was counted at stage " + conf::to_text(event.stage) +
                       " during a block: " + event.reply);
    }
  }
}

uint64_t MxWorld::history_hash() const {
  std::string text;
  for (const conf::DeliveryEvent& event : log.events) relay::log::append_json(event, &text);
  return std::hash<std::string>()(text);
}

}  // namespace sim
