#include "relay/flow/opener.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace relay {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

constexpr conf::Duration kLeastConnect = 250ms;
// So long a connection waits for its own host before it goes to another one.
constexpr conf::Duration kLeastRest = 1s;
constexpr size_t kOpensPerStep = 64;    // opening a connection costs some 20 microseconds
constexpr uint16_t kSubmissions = 465;  // RFC 8314 §7.3

bool any_address(const std::string& /*address*/) { return true; }

smtp::ClientOptions options_for(const queue::Path& path, const conf::Config& config, size_t targets) {
  const conf::DestinationSettings& settings = *path.settings;
  smtp::ClientOptions options;
  options.ehlo_name = path.source.ehlo.empty() ? config.hostname : path.source.ehlo;
  options.tls = settings.tls;
  options.pipelining = settings.pipelining;
  options.chunking = settings.chunking;
  options.eight_bit_anyway = settings.peer.eight_bit == conf::EightBit::kSend;
  options.reply_text_octets = config.replies.max_text_octets;
  options.timeouts = settings.timeouts;
  // A round over many addresses that are dead must end: each gets its share of the time that mail may wait.
  const conf::Duration share = config.ready_limit / static_cast<int64_t>(targets);
  options.timeouts.connect = std::min(settings.timeouts.connect, std::max(share, kLeastConnect));
  return options;
}

// The hosts that are well are at their limits: those that are left may be tried before one has room.
void wait_for_left(const queue::Path& path, conf::Instant now, std::vector<mx::Admission>* refusals) {
  const conf::Instant until = Hosts::left_until(path, now);
  if (until != conf::kNever) refusals->push_back(mx::Admission::no(refusals->front().bind, until));
}

bool begins_with_tls(const Target& target, const conf::PeerSettings& settings) {
  return settings.tls_start == conf::TlsStart::kImplicit ||
         (settings.tls_start == conf::TlsStart::kByPort && target.port == kSubmissions);
}

}  // namespace

void Opener::begin_step() { left_ = kOpensPerStep; }

void Opener::open_for(queue::Path* path, conf::Instant now) {
  while (path->ready.size() > path->connections.opening()) {
    if (path->one_probe_only()) return;
    if (const conf::Instant until = parts_.logins->until(*path); until > now)
      return parts_.gate->wait(path, mx::Admission::no(mx::Bind::kBackOff, until));
    if (parts_.connections->full()) return starve(path, mx::Bind::kTotal);
    Choice choice = choice_for(path, now);
    if (choice.must_wait()) {
      wait(path, choice, now);
      return move_on(path, now);
    }
    if (!choice.targets.empty() && choice.budget <= path->connections.opening()) return;
    if (left_ == 0) return parts_.work->mark(path);  // more of them in the next step
    --left_;
    // Without one: the hosts' addresses changed since the deliveries were routed.
    if (choice.targets.empty()) return no_address(path, now);
    open(path, std::move(choice.targets), false, now);
  }
}

conf::Instant Opener::moves_at(queue::Path* path, conf::Instant now) const {
  if (path->connections.idle().empty() || !path->connections.all_rest()) return conf::kNever;
  if (path->shared.line != nullptr || PathGate::has_one_answer(*path)) return conf::kNever;
  if (path->limits->scope == conf::RuleScope::kPath) return conf::kNever;
  OutboundConnection* goes = path->connections.idle().front();
  if (!goes->idle() || parts_.connections->any_may_send(*path)) return conf::kNever;
  if (!parts_.gate->site_may_send(*path, now).yes) return conf::kNever;
  const auto takes_mail = [&](const std::string& address) {
    return parts_.gate->host_may_take(path, address, now);
  };
  if (parts_.hosts->to_try(*path, now, takes_mail).empty()) return conf::kNever;
  return parts_.connections->at(goes).rested + kLeastRest;
}

void Opener::move_on(queue::Path* path, conf::Instant now) {
  const conf::Instant at = moves_at(path, now);
  if (at == conf::kNever) return;
  if (at > now) return parts_.gate->wait(path, mx::Admission::no(mx::Bind::kConnections, at));
  OutboundConnection* goes = path->connections.idle().front();
  parts_.connections->rests_no_more(goes);
  goes->quit();
}

bool Opener::open_one(queue::Path* path, bool early, conf::Instant now) {
  Choice choice = early ? early_choice_for(path, now) : choice_for(path, now);
  --left_;
  if (choice.must_wait()) {  // its hosts are at their limits, by other sites
    path->waits.ask_anew();
    wait(path, choice, now);
    return false;
  }
  if (choice.targets.empty()) {
    no_address(path, now);
    return false;
  }
  open(path, std::move(choice.targets), early, now);
  return true;
}

void Opener::wait(queue::Path* path, const Choice& choice, conf::Instant now) {
  for (const mx::Admission& refusal : choice.refusals) parts_.gate->wait(path, refusal);
  for (mx::Traffic* booked : choice.booked) parts_.gate->wait_for_booked(path, booked, now);
}

bool Opener::could_open(queue::Path* path, conf::Instant now) const {
  return !parts_.connections->full() && !choice_for(path, now).targets.empty();
}

void Opener::starve(queue::Path* path, mx::Bind bind) {
  parts_.gate->wait(path, mx::Admission::no(bind, conf::kNever));
  parts_.work->starve(path);
}

Opener::Choice Opener::choice_for(queue::Path* path, conf::Instant now) const {
  Choice choice;
  uint32_t most = UINT32_MAX;
  if (path->limits->scope != conf::RuleScope::kPath) {
    const mx::Admission admission = parts_.gate->may_open(path, {}, now);
    if (!admission.yes) {
      choice.refusals.push_back(admission);
      return choice;
    }
    most = parts_.gate->budget(path, {}, now);
  }
  if (PathGate::has_one_answer(*path)) {
    choice.budget = most;
    if (mx::Traffic* booked = parts_.gate->booked_up(path, {}, now)) {
      choice.booked.push_back(booked);
      return choice;
    }
    choice.targets = parts_.hosts->to_try(*path, now, any_address);
    return choice;
  }
  const mx::Traffic* counted = nullptr;  // the addresses of a host follow each other
  mx::Traffic* booked = nullptr;
  choice.targets = parts_.hosts->to_try(*path, now, [&](const std::string& address) {
    const mx::Admission here = parts_.gate->may_open(path, address, now);
    if (!here.yes) {
      choice.refusals.push_back(here);
      return false;
    }
    const mx::Traffic* counters = parts_.gate->counters_at(path, address);
    if (std::exchange(counted, counters) == counters) return booked == nullptr;
    const uint32_t more = parts_.gate->budget(path, address, now);
    choice.budget = more > most - choice.budget ? most : choice.budget + more;
    booked = parts_.gate->booked_up(path, address, now);
    if (booked != nullptr) choice.booked.push_back(booked);
    return booked == nullptr;
  });
  if (choice.targets.empty() && !choice.refusals.empty()) wait_for_left(*path, now, &choice.refusals);
  return choice;
}

// Without what time alone gives.
Opener::Choice Opener::early_choice_for(queue::Path* path, conf::Instant now) const {
  Choice choice;
  choice.targets = parts_.hosts->to_try(*path, now, [&](const std::string& address) {
    const mx::Admission here = parts_.gate->may_open_early(path, address, now);
    if (!here.yes) choice.refusals.push_back(here);
    return here.yes;
  });
  if (choice.targets.empty() && !choice.refusals.empty()) wait_for_left(*path, now, &choice.refusals);
  return choice;
}

void Opener::open(queue::Path* path, std::vector<Target> targets, bool early, conf::Instant now) {
  const conf::DestinationSettings& settings = *path->settings;
  OutboundConnection::Plan plan;
  plan.targets = std::move(targets);
  for (Target& target : plan.targets) {
    const smtp::Lessons known = parts_.hosts->about(target, now);
    target.wants_tls = known.wants_tls;
    target.refused_auth = known.refused_auth;
    target.left_out = parts_.hosts->left_out_for(target, settings.peer, now);
    target.implicit_tls = begins_with_tls(target, settings.peer);
    if (target.implicit_tls) target.left_out.add(smtp::Extension::kStartTls);
  }
  plan.source_address = path->source.address;
  plan.options = options_for(*path, *parts_.flow->config, plan.targets.size());
  plan.tls_verify = settings.tls_verify;
  plan.tls_fallback_to_clear = settings.tls_fallback_to_clear;
  plan.only_tls_13 = settings.peer.tls_min == conf::TlsVersion::k13;
  parts_.logins->plan(*path, &plan);
  auto connection = std::make_unique<OutboundConnection>(
      std::move(plan), path, parts_.network, parts_.logins->secrets(), parts_.flow->clock, parts_.owner);
  OutboundConnection* opened = connection.get();
  parts_.connections->add(std::move(connection), early);
  opened->start();
}

void Opener::no_address(queue::Path* path, conf::Instant now) {
  parts_.back_off->no_address(path, now);
  parts_.gate->wait(path, mx::Admission::no(mx::Bind::kBackOff, path->health.backs_off_until()));
  if (parts_.failing) parts_.failing(path);
}

}  // namespace relay
