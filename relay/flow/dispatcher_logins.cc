// The dispatcher's logins: who is told our secrets, and what follows when one is refused. That is the trouble
// of the site and of its operator, never of a recipient: mail waits.
#include <algorithm>
#include <utility>

#include "relay/flow/dispatcher.h"

namespace relay {

namespace {

constexpr uint16_t kSubmissions = 465;  // RFC 8314 §7.3

}  // namespace

// Fills what the plan says of TLS and login. A secret is told to the smart hosts that it was written for, and
// to nobody else.
void Dispatcher::plan_login(const queue::Path& path, OutboundConnection::Plan* plan) {
  const conf::DestinationSettings& settings = *path.settings;
  plan->only_tls_13 = settings.peer.tls_min == conf::TlsVersion::k13;
  for (Target& target : plan->targets) {
    target.implicit_tls = settings.peer.tls_start == conf::TlsStart::kImplicit ||
                          (settings.peer.tls_start == conf::TlsStart::kByPort && target.port == kSubmissions);
    if (target.implicit_tls) target.left_out.add(smtp::Extension::kStartTls);
  }
  const conf::Login* login = settings.peer.login.empty() ? nullptr : config_->login(settings.peer.login);
  if (login == nullptr || secrets_ == nullptr) return;
  plan->login = *login;
  for (Target& target : plan->targets) {
    target.log_in = std::any_of(settings.smart_hosts.begin(), settings.smart_hosts.end(),
                                [&target](const conf::SmartHost& host) {
                                  return host.host == target.host && host.port == target.port;
                                });
  }
  if (std::any_of(plan->targets.begin(), plan->targets.end(),
                  [](const Target& each) { return each.log_in; })) {
    logins_.tried(login->name, clock_->now());
  } else {
    plan->login = {};
  }
}

// Before then no connection that would log in is opened: its login was refused, or another one tries it now.
conf::Instant Dispatcher::login_until(const queue::Path& path) const {
  const std::string& login = path.settings->peer.login;
  return login.empty() ? conf::Instant{} : logins_.until(login);
}

void Dispatcher::login_done(OutboundConnection* connection, const Target& target, bool good) {
  const std::string& login = connection->login();
  const queue::Path& path = *connection->path();
  if (login.empty()) return;
  if (good) {
    const LoginPauses::Success success = logins_.worked(login);
    if (success.had_failed) tell(path, target, bounce::Stage::kLogin, "login " + login + " works again");
    if (success.is_news) go_on_with(login);
    return;
  }
  const bounce::Reply& reply = connection->error().reply;
  if (reply.permanent() && secrets_ != nullptr) secrets_->refused(login);
  if (!logins_.failed(login, clock_->now())) return;
  const std::string why = (reply.code == 0 ? "" : std::to_string(reply.code) + ' ') + reply.text();
  tell(path, target, bounce::Stage::kLogin, "login " + login + " failed, its mail waits: " + why);
}

// What waited for the login goes.
void Dispatcher::go_on_with(const std::string& login) {
  sites_->for_each([&](queue::Path* path) {
    if (path->settings->peer.login == login && !path->ready.empty()) mark(path);
  });
}

// The operator may have mended it: what waits for a login tries at once.
void Dispatcher::reload(conf::ConfigPtr config) {
  if (config->replies.known_texts != config_->replies.known_texts) texts_.resize(config->replies.known_texts);
  config_ = std::move(config);
  if (logins_.empty()) return;
  logins_.clear();
  sites_->for_each([this](queue::Path* path) {
    if (path->last_error.stage == bounce::Stage::kLogin || !path->settings->peer.login.empty()) poke(path);
  });
}

}  // namespace relay
