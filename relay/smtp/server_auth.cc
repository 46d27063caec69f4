#include <algorithm>
#include <cstring>

#include "relay/smtp/server_state.h"

namespace relay::smtp {

namespace {
using namespace std::chrono_literals;  // NOLINT(build/namespaces)
constexpr uint32_t kAuthFailures = 3;  // then 421: guessing costs a new connection each time
constexpr conf::Duration kFirstPenalty = 1s;
constexpr conf::Duration kLongestPenalty = 8s;
}  // namespace

void ServerSession::State::start_tls(conf::Instant now) {
  reply("220 2.0.0 start TLS");
  drop_envelope();
  abort_body();
  input.clear();  // what was sent along is not protected: RFC 3207 §4.2, CVE-2011-0411, CVE-2021-38371
  go(Phase::kTlsHandshake);
  arm(now);
  emit(ServerEvent::Kind::kStartTls);
}

bool ServerSession::State::auth_offered() const {
  return listener.auth && !config.users.empty() && (tls_active || listener.auth_without_tls);
}

void ServerSession::State::auth(Command& command, conf::Instant now) {
  std::string text;
  const Sasl::Step step = sasl.begin(command.argument, command.has_initial, command.initial, &text);
  explicit_bzero(command.initial.data(), command.initial.size());
  auth_step(step, text, now);
}

void ServerSession::State::auth_line(std::string_view line, conf::Instant now) {
  std::string text;
  const Sasl::Step step = sasl.respond(line, &text);
  auth_step(step, text, now);
}

void ServerSession::State::auth_step(Sasl::Step step, const std::string& text, conf::Instant now) {
  if (step == Sasl::Step::kChallenge) {
    go(Phase::kAuthLine);
    reply(text);
    return arm(now);
  }
  if (step == Sasl::Step::kFailed) {
    sasl.clear();
    go(Phase::kReady);
    return reply_error(text, now);
  }
  go(Phase::kAuthWait);
  arm(now);
  ServerEvent event;
  event.kind = ServerEvent::Kind::kAuthenticate;
  event.user = sasl.user();
  event.secret = conf::Secret(sasl.secret());
  events.push_back(std::move(event));
}

void ServerSession::State::auth_answer(AuthOutcome outcome, conf::Instant now) {
  if (outcome == AuthOutcome::kBusy) {  // not his fault: at once, and it counts as an error only
    sasl.clear();
    go(Phase::kReady);
    return reply_error("454 4.7.0 the login cannot be checked now, try again later", now);
  }
  if (outcome == AuthOutcome::kGood) {
    authenticated_as = sasl.user();
    sasl.clear();
    go(Phase::kReady);
    reply("235 2.7.0 authenticated");
    return arm(now);
  }
  sasl.clear();
  auth_outcome = outcome;
  ++auth_failures;
  go(Phase::kAuthPenalty);
  const conf::Duration penalty = kFirstPenalty * (1 << std::min<uint32_t>(auth_failures - 1, 3));
  deadline = now + std::min(penalty, kLongestPenalty);
}

void ServerSession::State::auth_refuse(conf::Instant now) {
  if (auth_failures >= kAuthFailures) return close("421 4.7.0 too many failed authentications, closing");
  go(Phase::kReady);
  if (auth_outcome == AuthOutcome::kLimited) {
    return reply_error("454 4.7.0 too many failed logins, try again later", now);
  }
  reply_error("535 5.7.8 authentication failed", now);  // the same for a wrong name and a wrong secret
}

}  // namespace relay::smtp
