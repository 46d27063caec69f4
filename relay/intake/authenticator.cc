#include "relay/intake/authenticator.h"

#include <crypt.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <deque>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

namespace relay {

namespace {

constexpr size_t kWaitingChecks = 256;

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (size_t i = 0; i < a.size(); ++i)
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  return difference == 0;
}

// crypt(3) of a secret with the setting, or the whole hash, given; empty when it cannot be computed.
std::string crypted(const std::string& secret, const char* setting) {
  const auto data = std::make_unique<crypt_data>();
  std::memset(data.get(), 0, sizeof *data);
  const char* computed = crypt_r(secret.c_str(), setting, data.get());
  std::string hash = computed == nullptr || computed[0] == '*' ? "" : computed;
  explicit_bzero(data.get(), sizeof *data);  // it holds the secret
  return hash;
}

bool matches(const std::string& secret, const std::string& hash) {
  const std::string computed = crypted(secret, hash.c_str());
  return !computed.empty() && equal_in_constant_time(computed, hash);
}

bool good_secret(const conf::Config& config, const std::string& user, const std::string& secret) {
  for (const conf::User& each : config.users) {
    if (each.name == user) return matches(secret, each.secret_hash);
  }
  // The time of the answer must not tell that there is no such user: the work is done with the hash of one
  // that there is, always the same one for the same name.
  if (!config.users.empty()) {
    const size_t stand_in = std::hash<std::string>()(user) % config.users.size();
    (void)matches(secret, config.users[stand_in].secret_hash);
  }
  return false;
}

}  // namespace

struct Authenticator::State {
  struct Check {
    conf::ConfigPtr config;
    std::string user, secret;
    std::function<void(bool)> done;
  };
  std::function<void(std::function<void()>)> post;
  std::mutex mutex;
  std::condition_variable work;
  std::deque<Check> waiting;
  bool stopping = false;
  std::chrono::steady_clock::time_point said{};
  std::thread thread;

  void run() {
    std::unique_lock lock(mutex);
    for (;;) {
      work.wait(lock, [this] { return stopping || !waiting.empty(); });
      if (stopping) return;
      Check check = std::move(waiting.front());
      waiting.pop_front();
      lock.unlock();
      const bool good = good_secret(*check.config, check.user, check.secret);
      explicit_bzero(check.secret.data(), check.secret.size());
      post([done = std::move(check.done), good] { done(good); });
      lock.lock();
    }
  }

  void complain() {
    const auto now = std::chrono::steady_clock::now();
    if (said.time_since_epoch().count() != 0 && now - said < std::chrono::minutes(1)) return;
    said = now;
    std::fprintf(stderr, "penstock: more than %zu AUTH checks wait: some are refused unseen\n",
                 kWaitingChecks);
  }
};

Authenticator::Authenticator(std::function<void(std::function<void()>)> post)
    : state_(std::make_shared<State>()) {
  state_->post = std::move(post);
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

Authenticator::~Authenticator() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->work.notify_all();
  state_->thread.join();
}

void Authenticator::check(conf::ConfigPtr config, std::string user, std::string secret,
                          std::function<void(bool)> done) {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->waiting.size() < kWaitingChecks) {
      state_->waiting.push_back({std::move(config), std::move(user), std::move(secret), std::move(done)});
      state_->work.notify_one();
      return;
    }
    state_->complain();
  }
  state_->post([done = std::move(done)] { done(false); });
}

std::string hash_secret(const std::string& secret) {
  char salt[CRYPT_GENSALT_OUTPUT_SIZE];
  if (crypt_gensalt_rn("$y$", 0, nullptr, 0, salt, sizeof salt) == nullptr) return "";
  return crypted(secret, salt);
}

}  // namespace relay
