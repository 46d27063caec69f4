#include "relay/intake/authenticator.h"

#include <map>
#include <utility>
#include <vector>

#include "relay/intake/hash_workers.h"
#include "relay/intake/login_history.h"
#include "relay/tls/keyed_digest.h"

namespace relay {

namespace {

// The hash to compare with. The time of the answer must not tell that there is no such user: the work is done
// with the hash of one that there is, always the same one for the same name.
const std::string* hash_of(const conf::Config& config, const std::string& user, bool* known) {
  *known = true;
  for (const conf::User& each : config.users) {
    if (each.name == user) return &each.secret_hash;
  }
  *known = false;
  if (config.users.empty()) return nullptr;
  return &config.users[std::hash<std::string>()(user) % config.users.size()].secret_hash;
}

}  // namespace

struct Authenticator::State {
  struct Pending {
    std::string client;
    Done done;
  };

  const conf::Clock* clock;
  tls::KeyedDigest digests;
  LoginHistory history;
  std::map<LoginHistory::Digest, std::vector<Pending>> pending;  // the same secret, being hashed

  // `good` is of the hash; a user that does not exist is never let in.
  void finished(const LoginHistory::Digest& digest, const std::string& user, bool good) {
    const auto found = pending.find(digest);
    const std::vector<Pending> all = std::move(found->second);
    pending.erase(found);
    for (const Pending& each : all) {
      if (good) {
        history.good(digest, each.client, user, clock->now());
      } else {
        history.wrong(each.client, user, clock->now());
      }
      each.done(good ? smtp::AuthOutcome::kGood : smtp::AuthOutcome::kWrong);
    }
  }

  std::unique_ptr<HashWorkers> workers;
};

Authenticator::Authenticator(const conf::Clock* clock, std::function<void(std::function<void()>)> post)
    : state_(std::make_shared<State>()) {
  state_->clock = clock;
  state_->workers = std::make_unique<HashWorkers>(std::move(post));
}

Authenticator::~Authenticator() { state_->workers.reset(); }

void Authenticator::check(conf::ConfigPtr config, const std::string& client, const std::string& user,
                          conf::Secret secret, Done done) {
  State& state = *state_;
  const conf::IntakeSettings& bounds = config->intake;
  state.history.set_bounds(
      {bounds.auth_failures_per_login, bounds.auth_failures_per_client, bounds.auth_failures_per_user});
  bool known = false;
  const std::string* hash = hash_of(*config, user, &known);
  if (hash == nullptr) return done(smtp::AuthOutcome::kWrong);
  const LoginHistory::Digest digest =
      state.digests.of({user, secret.view(), *hash, known ? "user" : "nobody"});
  const conf::Instant now = state.clock->now();
  if (known && state.history.verified(digest, now)) return done(smtp::AuthOutcome::kGood);
  const LoginHistory::Look look = state.history.look(client, user, now);
  if (look == LoginHistory::Look::kNone) return done(smtp::AuthOutcome::kLimited);
  std::vector<State::Pending>& pending = state.pending[digest];
  pending.push_back({client, std::move(done)});
  if (pending.size() > 1) return;
  HashWorkers::Job job;
  if (look == LoginHistory::Look::kOnce) {  // all strangers of the name share the turns of one client
    job.client = '\n' + user;
    job.user = client;
  } else {
    job.client = client;
    job.user = user;
  }
  job.secret = std::move(secret);
  job.hash = *hash;
  job.done = [state = std::weak_ptr<State>(state_), digest, user, known](bool good) {
    if (const auto alive = state.lock()) alive->finished(digest, user, good && known);
  };
  if (state.workers->submit(std::move(job))) return;
  const Done refused = std::move(state.pending.at(digest).front().done);
  state.pending.erase(digest);
  refused(smtp::AuthOutcome::kBusy);
}

}  // namespace relay
