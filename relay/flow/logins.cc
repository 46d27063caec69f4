#include "relay/flow/logins.h"

#include <algorithm>

namespace relay {

namespace {
constexpr size_t kWokenPerStep = 2048;  // that are looked at, some 20 ns each
}  // namespace

std::string login_failure(const std::string& host, const bounce::Reply& reply) {
  return "failed at " + host + ": " + (reply.code == 0 ? "" : std::to_string(reply.code) + ' ') +
         reply.text();
}

void Logins::plan(const queue::Path& path, OutboundConnection::Plan* plan) {
  const conf::DestinationSettings& settings = *path.settings;
  const conf::Login* login =
      settings.peer.login.empty() ? nullptr : flow_->config->login(settings.peer.login);
  if (login == nullptr || secrets_ == nullptr) return;
  bool any = false;
  for (Target& target : plan->targets) {
    target.log_in = std::any_of(settings.smart_hosts.begin(), settings.smart_hosts.end(),
                                [&target](const conf::SmartHost& host) {
                                  return host.host == target.host && host.port == target.port;
                                });
    any = any || target.log_in;
  }
  if (!any) return;
  plan->login = *login;
  pauses_.tried(login->name, flow_->now());
}

conf::Instant Logins::until(const queue::Path& path) const {
  const std::string& login = path.settings->peer.login;
  return login.empty() ? conf::Instant{} : pauses_.until(login);
}

void Logins::answered(const OutboundConnection& connection, const Target& target, bool good) {
  const std::string& login = connection.login();
  const queue::Path& path = *connection.path();
  if (login.empty() || is_of_before(connection)) return;
  if (good) {
    const LoginPauses::Success success = pauses_.worked(login);
    if (success.had_failed)
      troubles_->tell(path, target, bounce::Stage::kLogin, "login \"" + login + "\" works again");
    if (success.is_news && good_.insert(login).second) part_ = 0;  // paths that were passed have it too
    return;
  }
  const bounce::Reply& reply = connection.error().reply;
  if (reply.permanent() && secrets_ != nullptr) secrets_->refused(login);
  const std::string how = login_failure(target.host, reply);
  if (!pauses_.failed(login, flow_->now(), how)) return;
  troubles_->tell(path, target, bounce::Stage::kLogin,
                  "login \"" + login + "\" " + how + "; the mail of all destinations that have it waits");
}

void Logins::step(const std::function<void(queue::Path*)>& poke) {
  if (!waking()) return;
  const bool more = sites_->visit_some(&part_, kWokenPerStep, [&](queue::Path* path) {
    const std::string& login = path->settings->peer.login;
    if (all_ && (!login.empty() || path->health.last_error().stage == bounce::Stage::kLogin)) {
      poke(path);
    } else if (!path->ready.empty() && good_.contains(login)) {
      work_->mark(path);
    }
  });
  if (more) return;
  good_.clear();
  all_ = false;
}

void Logins::forget() {
  forgotten_ = flow_->now();
  if (pauses_.empty()) return;
  pauses_.clear();
  all_ = true;
  part_ = 0;
}

}  // namespace relay
